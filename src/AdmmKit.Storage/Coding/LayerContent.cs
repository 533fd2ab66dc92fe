using AdmmKit.Networks;

namespace AdmmKit.Storage.Coding;

/// <summary>What a coder knows of a layer before its weights, and how its columns lie in the map that a row reads.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Height">Rows of the map of one channel: of the kernel, or of the picture that a fully connected layer reads.</param>
/// <param name="Width">Columns of that map.</param>
/// <param name="Activity">
/// For each input channel the survivors of the rows that write it, 0 where nobody does; null where that is not known or the layer
/// reads the image.
/// </param>
internal sealed record LayerPlan(LayerInfo Layer, int Height, int Width, int[]? Activity)
{
    /// <summary>Columns of one channel.</summary>
    public int MapSize => Height * Width;

    /// <summary>Channels of the map.</summary>
    public int Channels => Layer.Columns / MapSize;

    /// <summary>A layer of which nothing but its own shape is known.</summary>
    public static LayerPlan Alone(LayerInfo layer) => new(layer, layer.KernelHeight, layer.KernelWidth, null);
}

/// <summary>
/// The survivors of one layer as a coder goes through them in the order of their positions: given ones when it encodes, growing
/// ones when it decodes.
/// </summary>
/// <param name="given">The survivors; null when decoding.</param>
/// <param name="most">How many may be decoded.</param>
internal class LayerContent(int[]? given, int most = int.MaxValue)
{
    private readonly List<int> decoded = [];
    private int next;

    /// <summary>Survivors gone through so far.</summary>
    public int Count => given is null ? decoded.Count : next;

    /// <summary>The positions: those given, or those decoded so far.</summary>
    public int[] Positions => given ?? [.. decoded];

    /// <summary>The given positions, empty when decoding.</summary>
    public ReadOnlySpan<int> Given => given;

    /// <summary>The position of the next given survivor; -1 behind the last one and when decoding.</summary>
    public int NextGiven => given is not null && next < given.Length ? given[next] : -1;

    /// <summary>Notes the next survivor and codes its value.</summary>
    /// <param name="coder">The coder.</param>
    /// <param name="position">Where it is.</param>
    /// <param name="surroundings">Values before it.</param>
    /// <returns>The signed size of its value, never 0, which is context for what follows.</returns>
    public int Take(BitCoder coder, int position, in Surroundings surroundings)
    {
        if (given is null)
        {
            decoded.Add(decoded.Count < most ? position : throw new BadFileException(FormattableString.Invariant(
                $"it marks more weights than the {most} survivors")));
        }

        return Value(coder, next++, surroundings);
    }

    /// <summary>Codes the value of a survivor; nothing where positions alone are coded.</summary>
    protected virtual int Value(BitCoder coder, int index, in Surroundings surroundings) => 1;
}

/// <summary>Signed sizes of values that a coder has seen around a survivor; 0 where there is none.</summary>
/// <param name="Left">To the left in the same map.</param>
/// <param name="Up">Above in the same map.</param>
/// <param name="Column">Those above it in its column.</param>
internal readonly record struct Surroundings(int Left, int Up, Tally Column);

/// <summary>What the values of some survivors add up to.</summary>
internal struct Tally
{
    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>The sum of their sizes.</summary>
    public int Size { get; private set; }

    /// <summary>Adds a value.</summary>
    public void Add(int value)
    {
        Count++;
        Size += Math.Abs(value);
    }
}
