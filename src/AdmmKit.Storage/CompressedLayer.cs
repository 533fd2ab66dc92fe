using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Storage.Indexing;

namespace AdmmKit.Storage;

/// <summary>How the values of a layer's survivors are stored.</summary>
public enum ValueCoding
{
    /// <summary>As whole multiples of an interval q_i, sec. 3.4.2 in [Ren2019].</summary>
    Levels,

    /// <summary>As places in a codebook of shared values, as Deep Compression does after k-means clustering.</summary>
    Codebook,

    /// <summary>As they are, in 32 bits.</summary>
    Floats,
}

/// <summary>
/// The survivors of one layer. Levels: weight = level x q_i with a non-zero whole level in [-M/2, M/2], M = 2^bits,
/// sec. 3.4.2 in [Ren2019]; the M levels take exactly M codes because zero is none of them. Codebook: weight = codebook[code].
/// Floats: as they are, in 32 bits. Treat the arrays as read-only.
/// </summary>
public sealed class CompressedLayer
{
    /// <summary>The bits of a layer whose survivors are kept as they are.</summary>
    public const int FloatBits = LayerLevels.FloatBits;

    /// <summary>The largest level of a bias, of either sign.</summary>
    public const int MaxBiasLevel = 32_767;

    private CompressedLayer(LayerInfo layer, ValueCoding coding, int bits, int[] positions, float[] biases)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(positions);
        ArgumentNullException.ThrowIfNull(biases);
        (Layer, Coding, Bits, Positions, Biases) = (layer, coding, bits, positions, biases);
        IndexFormats.Check(layer, positions);
        if (biases.Length != layer.Rows)
        {
            throw Error(layer, $"has {layer.Rows} rows, but {biases.Length} biases were given.");
        }

        if (Array.FindIndex(biases, b => !float.IsFinite(b)) is >= 0 and var row)
        {
            throw Error(layer, $"has the bias {biases[row]} in row {row}, which is not a finite number.");
        }
    }

    /// <summary>The layer.</summary>
    public LayerInfo Layer { get; }

    /// <summary>How the values are stored.</summary>
    public ValueCoding Coding { get; }

    /// <summary>Bits a surviving weight: 1 to 8, or <see cref="FloatBits"/> where it is kept as it is.</summary>
    public int Bits { get; }

    /// <summary>The distance q_i of two levels; 0 where the weights are not levels.</summary>
    public float Q { get; private init; }

    /// <summary>Where the survivors are in the row-major weight matrix, strictly increasing.</summary>
    public int[] Positions { get; }

    /// <summary>The level of each survivor, never 0; empty where the weights are not levels.</summary>
    public short[] Levels { get; private init; } = [];

    /// <summary>The shared values, increasing, never 0, each used by some survivor; empty where there are none.</summary>
    public float[] Codebook { get; private init; } = [];

    /// <summary>The place of each survivor's value in <see cref="Codebook"/>; empty where there is none.</summary>
    public byte[] Codes { get; private init; } = [];

    /// <summary>The value of each survivor, never 0; empty where the values are coded.</summary>
    public float[] Values { get; private init; } = [];

    /// <summary>The biases, one a row.</summary>
    public float[] Biases { get; }

    /// <summary>The distance of two levels of the biases; 0 where they are kept as they are.</summary>
    public float BiasQ { get; private init; }

    /// <summary>The level of each row's bias, which is level x <see cref="BiasQ"/>; empty where they are kept as they are.</summary>
    public short[] BiasLevels { get; private init; } = [];

    /// <summary>Whether the weights are levels.</summary>
    public bool IsQuantized => Coding == ValueCoding.Levels;

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
        var result = new CompressedLayer(layer, ValueCoding.Levels, bits, positions, biases) { Q = q, Levels = levels };
        result.CheckCount(levels.Length, "level");
        CheckInterval(layer, bits, q);
        int largest = 1 << (bits - 1);
        return Array.FindIndex(levels, l => l == 0 || Math.Abs((int)l) > largest) is >= 0 and var k
            ? throw Error(layer, $"has the level {levels[k]} at index {positions[k]}: levels are ±1 ... ±{largest}.")
            : result;
    }

    /// <summary>A layer whose survivors share the values of a codebook.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="bits">Bits a code, 1 to 8.</param>
    /// <param name="positions">Where the survivors are, strictly increasing.</param>
    /// <param name="codes">The place of each one's value in the codebook.</param>
    /// <param name="codebook">
    /// At most 2^bits values: finite, not 0, increasing, and each used, so that there is one way to write a layer.
    /// </param>
    /// <param name="biases">The biases, one a row.</param>
    /// <exception cref="AdmmKitException">Something does not fit; the message names the layer and the value.</exception>
    public static CompressedLayer Clustered(LayerInfo layer, int bits, int[] positions, byte[] codes, float[] codebook, float[] biases)
    {
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentNullException.ThrowIfNull(codebook);
        var result = new CompressedLayer(layer, ValueCoding.Codebook, bits, positions, biases) { Codes = codes, Codebook = codebook };
        result.CheckCount(codes.Length, "code");
        CheckCodebook(layer, bits, codebook);
        for (int i = 1; i < codebook.Length; i++)
        {
            if (codebook[i] <= codebook[i - 1])
            {
                throw Error(layer, $"has {codebook[i]:R} after {codebook[i - 1]:R} in its codebook: its values must increase.");
            }
        }

        var used = new bool[codebook.Length];
        for (int k = 0; k < codes.Length; k++)
        {
            if (codes[k] >= codebook.Length)
            {
                throw Error(layer, $"has the code {codes[k]} at index {positions[k]}, but a codebook of {codebook.Length} values.");
            }

            used[codes[k]] = true;
        }

        return Array.IndexOf(used, false) is >= 0 and var unused
            ? throw Error(layer, $"has the value {codebook[unused]:R} in its codebook, which no weight uses: leave it out.")
            : result;
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
        var result = new CompressedLayer(layer, ValueCoding.Floats, FloatBits, positions, biases) { Values = values };
        result.CheckCount(values.Length, "value");
        return Array.FindIndex(values, v => v == 0 || !float.IsFinite(v)) is >= 0 and var bad
            ? throw Error(layer, $"has the value {values[bad]} at index {positions[bad]}: survivors must be finite and not zero.")
            : result;
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
        (int[] positions, float[] values) = SurvivorsOf(layer, weights);
        if (bits == FloatBits)
        {
            return q == 0
                ? Unquantized(layer, positions, values, biases)
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

        return Quantized(layer, bits, q, positions, levels, biases);
    }

    /// <summary>Compresses a layer's weights, which share the values of a codebook, without changing any of them.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="weights">All its weights, row-major, zeros included.</param>
    /// <param name="codebook">At most 2^bits values in any order, finite and not 0; those that no weight has are left out.</param>
    /// <param name="bits">Bits a weight, 1 to 8.</param>
    /// <param name="biases">The biases, one a row.</param>
    /// <exception cref="AdmmKitException">A weight is not exactly in the codebook; the message says which.</exception>
    public static CompressedLayer FromWeights(LayerInfo layer, ReadOnlySpan<float> weights, float[] codebook, int bits, float[] biases)
    {
        ArgumentNullException.ThrowIfNull(codebook);
        (int[] positions, float[] values) = SurvivorsOf(layer, weights);
        CheckCodebook(layer, bits, codebook);
        float[] used = [.. codebook.Intersect(values).Order()];
        var codes = new byte[values.Length];
        for (int k = 0; k < codes.Length; k++)
        {
            int code = Array.BinarySearch(used, values[k]);
            codes[k] = code >= 0 ? (byte)code : throw Error(
                layer, $"has the weight {values[k]:R} at index {positions[k]}, which is not in its codebook: replace each weight by a shared value first.");
        }

        return Clustered(layer, bits, positions, codes, used, biases);
    }

    /// <summary>The layer with biases that are levels of an interval; the weights stay as they are.</summary>
    /// <param name="q">The distance of two levels, positive.</param>
    /// <param name="levels">The level of each row's bias, within plus or minus <see cref="MaxBiasLevel"/>.</param>
    /// <exception cref="AdmmKitException">Something does not fit; the message names the layer and the value.</exception>
    public CompressedLayer WithBiasLevels(float q, short[] levels)
    {
        ArgumentNullException.ThrowIfNull(levels);
        if (levels.Length != Layer.Rows)
        {
            throw Error(Layer, $"has {Layer.Rows} rows, but {levels.Length} levels of biases were given.");
        }

        if (!(q > 0) || !float.IsFinite(q * MaxBiasLevel))
        {
            throw Error(Layer, $"has the interval {q:R} of biases: it must be positive, and {MaxBiasLevel} times it finite.");
        }

        return Array.IndexOf(levels, short.MinValue) is >= 0 and var row
            ? throw Error(Layer, $"has the level {levels[row]} of the bias of row {row}: levels are at most {MaxBiasLevel} of either sign.")
            : new CompressedLayer(Layer, Coding, Bits, Positions, Array.ConvertAll(levels, l => l * q))
            {
                Q = Q,
                Levels = Levels,
                Codebook = Codebook,
                Codes = Codes,
                Values = Values,
                BiasQ = q,
                BiasLevels = levels,
            };
    }

    /// <summary>The layer with its survivors at other places.</summary>
    /// <param name="place">The new position of each old one, all different.</param>
    /// <param name="rows">For each new row the old one, whose bias it gets; null where rows stay.</param>
    internal CompressedLayer Moved(Func<int, int> place, int[]? rows)
    {
        int[] positions = Array.ConvertAll(Positions, p => place(p));
        int[] order = [.. Enumerable.Range(0, positions.Length)];
        Array.Sort(positions, order);
        T[] Sorted<T>(T[] values) => values.Length == 0 ? [] : Array.ConvertAll(order, k => values[k]);
        T[] Rows<T>(T[] values) => rows is null || values.Length == 0 ? values : Array.ConvertAll(rows, r => values[r]);
        return new CompressedLayer(Layer, Coding, Bits, positions, Rows(Biases))
        {
            Q = Q,
            Levels = Sorted(Levels),
            Codebook = Codebook,
            Codes = Sorted(Codes),
            Values = Sorted(Values),
            BiasQ = BiasQ,
            BiasLevels = Rows(BiasLevels),
        };
    }

    /// <summary>All weights of the layer, row-major, with zeros where they were pruned.</summary>
    public float[] ToWeights()
    {
        var weights = new float[Layer.WeightCount];
        for (int k = 0; k < Positions.Length; k++)
        {
            weights[Positions[k]] = Coding switch
            {
                ValueCoding.Levels => Levels[k] * Q,
                ValueCoding.Codebook => Codebook[Codes[k]],
                _ => Values[k],
            };
        }

        return weights;
    }

    private static (int[] Positions, float[] Values) SurvivorsOf(LayerInfo layer, ReadOnlySpan<float> weights)
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

        return ([.. positions], values);
    }

    private static void CheckBits(LayerInfo layer, int bits)
    {
        if (bits is < 1 or > 8)
        {
            throw Error(layer, $"cannot be stored with {bits} bits a weight: use 1 to 8, or keep the values as they are in 32.");
        }
    }

    private static void CheckInterval(LayerInfo layer, int bits, float q)
    {
        CheckBits(layer, bits);
        if (!(q > 0) || !float.IsFinite(q * (1 << (bits - 1))))
        {
            throw Error(layer, $"has q = {q:R}: it must be positive, and q x 2^(bits - 1) finite.");
        }
    }

    private static void CheckCodebook(LayerInfo layer, int bits, float[] codebook)
    {
        CheckBits(layer, bits);
        if (codebook.Length > 1 << bits)
        {
            throw Error(layer, $"has {codebook.Length} shared values, more than the {1 << bits} that {bits} bits tell apart.");
        }

        if (Array.FindIndex(codebook, v => v == 0 || !float.IsFinite(v)) is >= 0 and var bad)
        {
            throw Error(layer, $"has the value {codebook[bad]} in its codebook: shared values must be finite and not zero.");
        }
    }

    private static AdmmKitException Error(LayerInfo layer, FormattableString what) =>
        new($"Layer '{layer.Name}' {FormattableString.Invariant(what)}");

    private void CheckCount(int given, string what)
    {
        if (given != Positions.Length)
        {
            throw Error(Layer, $"needs one {what} for each of its {Positions.Length} positions, but has {given}.");
        }
    }
}
