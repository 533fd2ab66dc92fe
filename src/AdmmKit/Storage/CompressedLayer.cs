using AdmmKit.Networks;

namespace AdmmKit.Storage;

/// <summary>
/// The survivors of one layer. Quantized: weight = level x q_i with a non-zero whole level in [-M/2, M/2], M = 2^bits,
/// sec. 3.4.2 in [Ren2019]; the M levels take exactly M codes because zero is none of them. Or, with 32 bits, as they are.
/// Treat the arrays as read-only.
/// </summary>
public sealed class CompressedLayer
{
    /// <summary>The bits of a layer whose survivors are not quantized.</summary>
    public const int FloatBits = 32;

    private CompressedLayer(LayerInfo layer, int bits, float q, int[] positions, short[] levels, float[] values, float[] biases)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(positions);
        ArgumentNullException.ThrowIfNull(biases);
        (Layer, Bits, Q, Positions, Levels, Values, Biases) = (layer, bits, q, positions, levels, values, biases);
        Check();
    }

    /// <summary>The layer.</summary>
    public LayerInfo Layer { get; }

    /// <summary>Bits a surviving weight: 1 to 8, or <see cref="FloatBits"/> where it is not quantized.</summary>
    public int Bits { get; }

    /// <summary>The distance q_i of two levels; 0 where the layer is not quantized.</summary>
    public float Q { get; }

    /// <summary>Where the survivors are in the row-major weight matrix, strictly increasing.</summary>
    public int[] Positions { get; }

    /// <summary>The level of each survivor, never 0; empty where the layer is not quantized.</summary>
    public short[] Levels { get; }

    /// <summary>The value of each survivor, never 0; empty where the layer is quantized.</summary>
    public float[] Values { get; }

    /// <summary>The biases, one a row.</summary>
    public float[] Biases { get; }

    /// <summary>Whether the weights are levels.</summary>
    public bool IsQuantized => Bits != FloatBits;

    /// <summary>Number of weights that are not zero.</summary>
    public int Survivors => Positions.Length;

    /// <summary>Survivors as a part of all weights.</summary>
    public double KeepFraction => (double)Survivors / Layer.WeightCount;

    /// <summary>Survivors times bits: the layer's part of the paper's "data size".</summary>
    public long WeightDataBits => (long)Survivors * Bits;

    /// <summary>A layer whose survivors are levels.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="bits">Bits a weight, 1 to 8.</param>
    /// <param name="q">The distance q_i of two levels, positive.</param>
    /// <param name="positions">Where the survivors are, strictly increasing.</param>
    /// <param name="levels">The level of each, not 0, within plus or minus 2^(bits - 1).</param>
    /// <param name="biases">The biases, one a row.</param>
    /// <exception cref="AdmmKitException">Something does not fit; the message names the layer and the value.</exception>
    public static CompressedLayer Quantized(LayerInfo layer, int bits, float q, int[] positions, short[] levels, float[] biases)
    {
        ArgumentNullException.ThrowIfNull(levels);
        return bits != FloatBits
            ? new CompressedLayer(layer, bits, q, positions, levels, [], biases)
            : throw new AdmmKitException("Levels take 1 to 8 bits, not 32.");
    }

    /// <summary>A layer whose survivors are kept as they are.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="positions">Where the survivors are, strictly increasing.</param>
    /// <param name="values">The value of each, not 0.</param>
    /// <param name="biases">The biases, one a row.</param>
    /// <exception cref="AdmmKitException">Something does not fit; the message names the layer and the value.</exception>
    public static CompressedLayer Unquantized(LayerInfo layer, int[] positions, float[] values, float[] biases)
    {
        ArgumentNullException.ThrowIfNull(values);
        return new CompressedLayer(layer, FloatBits, 0, positions, [], values, biases);
    }

    /// <summary>Compresses a layer's weights without changing any of them.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="weights">All its weights, row-major, zeros included.</param>
    /// <param name="q">The distance q_i of two levels; 0 with 32 bits.</param>
    /// <param name="bits">Bits a weight: 1 to 8, or 32 to keep the values as they are.</param>
    /// <param name="biases">The biases, one a row.</param>
    /// <exception cref="AdmmKitException">A weight is not exactly a level times q; the message says which.</exception>
    public static CompressedLayer FromWeights(LayerInfo layer, ReadOnlySpan<float> weights, float q, int bits, float[] biases)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (weights.Length != layer.WeightCount)
        {
            throw Error(layer, $"has {layer.WeightCount} weights, but {weights.Length} were given.");
        }

        var positions = new List<int>();
        for (int i = 0; i < weights.Length; i++)
        {
            if (weights[i] != 0)
            {
                positions.Add(i);
            }
        }

        var values = new float[positions.Count];
        for (int k = 0; k < values.Length; k++)
        {
            values[k] = weights[positions[k]];
        }

        if (bits == FloatBits)
        {
            return q == 0
                ? Unquantized(layer, [.. positions], values, biases)
                : throw Error(layer, $"is kept in 32 bits and has no levels: give q = 0, not {q}.");
        }

        CheckInterval(layer, bits, q);
        var levels = new short[values.Length];
        int largest = 1 << (bits - 1);
        for (int k = 0; k < levels.Length; k++)
        {
            float level = MathF.Round(values[k] / q);
            if (level == 0 || MathF.Abs(level) > largest || level * q != values[k])
            {
                throw Error(layer, $"has the weight {values[k]:R} at index {positions[k]}, which is not one of the levels ±{q:R} ... ±{largest} x {q:R}: project the weights onto the levels first.");
            }

            levels[k] = (short)level;
        }

        return Quantized(layer, bits, q, [.. positions], levels, biases);
    }

    /// <summary>All weights of the layer, row-major, with zeros where they were pruned.</summary>
    public float[] ToWeights()
    {
        var weights = new float[Layer.WeightCount];
        for (int k = 0; k < Positions.Length; k++)
        {
            weights[Positions[k]] = IsQuantized ? Levels[k] * Q : Values[k];
        }

        return weights;
    }

    private static void CheckInterval(LayerInfo layer, int bits, float q)
    {
        if (bits is < 1 or > 8)
        {
            throw Error(layer, $"cannot be stored with {bits} bits a weight: use 1 to 8, or 32 to keep the values as they are.");
        }

        if (!(q > 0) || !float.IsFinite(q * (1 << (bits - 1))))
        {
            throw Error(layer, $"has q = {q:R}: it must be positive, and q x 2^(bits - 1) finite.");
        }
    }

    private static AdmmKitException Error(LayerInfo layer, FormattableString what) =>
        new($"Layer '{layer.Name}' {FormattableString.Invariant(what)}");

    private void Check()
    {
        if (Biases.Length != Layer.Rows)
        {
            throw Error(Layer, $"has {Layer.Rows} rows, but {Biases.Length} biases were given.");
        }

        if (Array.FindIndex(Biases, b => !float.IsFinite(b)) is >= 0 and var row)
        {
            throw Error(Layer, $"has the bias {Biases[row]} in row {row}, which is not a finite number.");
        }

        if (Positions.Length != (IsQuantized ? Levels.Length : Values.Length))
        {
            throw Error(Layer, $"needs one {(IsQuantized ? "level" : "value")} for each of its {Positions.Length} positions.");
        }

        int last = -1;
        foreach (int position in Positions)
        {
            if (position <= last || position >= Layer.WeightCount)
            {
                throw Error(Layer, $"has a survivor at {position} after one at {last}: positions must increase and stay below {Layer.WeightCount}.");
            }

            last = position;
        }

        if (Array.FindIndex(Values, v => v == 0 || !float.IsFinite(v)) is >= 0 and var bad)
        {
            throw Error(Layer, $"has the value {Values[bad]} at index {Positions[bad]}: survivors must be finite and not zero.");
        }

        if (IsQuantized)
        {
            CheckInterval(Layer, Bits, Q);
            int largest = 1 << (Bits - 1);
            if (Array.FindIndex(Levels, l => l == 0 || Math.Abs((int)l) > largest) is >= 0 and var k)
            {
                throw Error(Layer, $"has the level {Levels[k]} at index {Positions[k]}: levels are ±1 ... ±{largest}.");
            }
        }
    }
}
