using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Recipes;

/// <summary>What a recipe would leave of a layer.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Before">Its weights that are not zero before.</param>
/// <param name="Survivors">Weights that stay.</param>
/// <param name="Bits">Bits a survivor; 32 for floats.</param>
/// <param name="FileBits">What the layer will take in the file, by the model of <see cref="CompressionForecast"/>.</param>
public sealed record LayerForecast(LayerInfo Layer, int Before, int Survivors, int Bits, double FileBits)
{
    /// <summary>Survivors as a share of the layer's weights.</summary>
    public double KeepFraction => (double)Survivors / Layer.WeightCount;
}

/// <summary>What a recipe would come to, without training anything.</summary>
/// <remarks>
/// The size is a prediction, by this model: survivors lie at independent places, so the positions of k of N take log2 C(N, k) bits; the
/// value of a survivor takes its bits (of levels and codes all are equally frequent); a row of n weights has none left with
/// probability (1 - k/N)^n, and the biases of the others take 27 bits each or what the recipe says, as do survivors that are not
/// quantized: sign, 23 bits of mantissa and about 3 of an exponent that is like the others'. A batch normalization takes 32 bits a
/// number. ADMM leaves structure and unequal levels, of which the coder makes use: files mostly are smaller than this.
/// </remarks>
/// <param name="Layers">One entry a layer.</param>
/// <param name="OtherBits">Header, checksum and batch normalizations.</param>
/// <param name="Notes">What the recipe leaves to the training, in sentences.</param>
public sealed record CompressionForecast(IReadOnlyList<LayerForecast> Layers, double OtherBits, IReadOnlyList<string> Notes)
{
    // Coding, bits and the interval in half precision.
    private const double LayerHeaderBits = 12;

    // Of a float whose exponent is like the others'.
    private const double FloatBits = 27;

    // Mark, checksum, and a known name; the graph of any other network is text that is coded.
    private const double FrameBits = 8 * 7;
    private const double BitsOfGraphCharacter = 1;

    /// <summary>Bytes of the file.</summary>
    public double Bytes => (OtherBits + Layers.Sum(l => l.FileBits)) / 8;

    /// <summary>Survivors of all layers.</summary>
    public long Survivors => Layers.Sum(l => (long)l.Survivors);

    /// <summary>Checks a recipe against a network and says what it would leave.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="spec">The network.</param>
    /// <param name="before">Weights of each layer that are not zero; null for all.</param>
    /// <exception cref="AdmmKitException">
    /// The recipe does not fit the network, or leaves it to the training how many weights stay.
    /// </exception>
    public static CompressionForecast Of(Recipe recipe, NetworkSpec spec, IReadOnlyList<int>? before = null)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(spec);
        RecipeChecks.Check(recipe, spec);
        int[] start = [.. before ?? [.. spec.Layers.Select(l => l.WeightCount)]], left = [.. start];
        var notes = new List<string>();
        foreach (PruneRecipe stage in recipe.Prune)
        {
            int[] now = Counts(stage, spec, left, notes);
            left = [.. left.Zip(now, Math.Min)];
            if (stage.RemoveUnused || stage.Purify is not null)
            {
                notes.Add($"prune '{stage.Name}' also removes paths without effect: fewer can stay.");
            }
        }

        int[] bits = [.. spec.Layers.Select(_ => CompressedLayer.FloatBits)];
        if (recipe.Quantize is { } quantize)
        {
            bits = RecipeChecks.Bits(quantize, spec);
            if (quantize.Method == QuantizeMethods.Joint)
            {
                left = [.. spec.Layers.Select((l, i) => Math.Min(left[i], quantize.Survivors[l.Name]))];
            }
            else if (quantize.Method == QuantizeMethods.Ternary)
            {
                bits = [.. bits.Select(_ => 1)];
                notes.Add($"quantize by '{QuantizeMethods.Ternary}' sets more weights to zero: fewer can stay.");
            }
        }

        HashSet<string> unbiased = [.. spec.Nodes.OfType<Node.Convolution>().Where(n => !n.Biased).Select(n => n.Name)];
        double Layer(int i)
        {
            LayerInfo layer = spec.Layers[i];
            double rows = layer.Rows * (1 - Math.Pow(1 - ((double)left[i] / layer.WeightCount), layer.Columns));
            double codebook = recipe.Quantize?.Method == QuantizeMethods.Clusters ? 32.0 * (1 << bits[i]) : 0;
            double biases = unbiased.Contains(layer.Name) ? 0 : rows * (recipe.Quantize?.BiasBits ?? FloatBits);
            double values = left[i] * (bits[i] == CompressedLayer.FloatBits ? FloatBits : bits[i]);
            return LayerHeaderBits + EntropyBound.Log2Binomial(layer.WeightCount, left[i]) + values + biases + codebook;
        }

        bool named = NetworkSpec.Architectures.Contains(spec.Name);
        double graph = named ? 0 : BitsOfGraphCharacter * NetworkJson.Write(spec).Length;
        double other = FrameBits + (32.0 * spec.Normalizations.Sum(n => n.Count)) + graph;
        return new([.. spec.Layers.Select((l, i) => new LayerForecast(l, start[i], left[i], bits[i], Layer(i)))], other, notes);
    }

    private static int[] Counts(PruneRecipe stage, NetworkSpec spec, int[] left, List<string> notes)
    {
        if (stage.Rate is not null)
        {
            throw new AdmmKitException(
                $"prune '{stage.Name}' has a rate: how many weights of a layer stay is found while it is pruned, so nothing can be said "
                + "before. Give survivors or keepFraction to see a forecast.");
        }

        if ((stage.TotalSurvivors ?? stage.NetworkSurvivors) is { } total)
        {
            notes.Add(FormattableString.Invariant(
                $"prune '{stage.Name}' keeps {total} weights in all and finds the layers' parts when it runs: ")
                + "they are shown in equal shares.");
            return [.. left.Select(k => (int)Math.Round((double)k * Math.Min(total, left.Sum()) / left.Sum()))];
        }

        return [.. spec.Layers.Select((l, i) => stage.Survivors.TryGetValue(l.Name, out int count) ? count
            : stage.KeepFraction.TryGetValue(l.Name, out double keep) ? (int)Math.Round(keep * l.WeightCount)
            : stage.Rows.TryGetValue(l.Name, out int rows) ? rows * l.Columns : left[i])];
    }
}
