using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Accounting;

/// <summary>A compressed network of which only numbers are known: how many weights of each layer survive, and their bits.</summary>
/// <param name="Row">Its line in the tables, with the split of survivors that is published or assumed.</param>
/// <param name="Network">The architecture.</param>
/// <param name="Survivors">Survivors of each layer.</param>
/// <param name="ConvolutionBits">Bits a weight in convolutions.</param>
/// <param name="FullyConnectedBits">Bits a weight in fully connected layers.</param>
internal sealed record AccountedModel(
    string Row, NetworkTable Network, IReadOnlyList<int> Survivors, int ConvolutionBits, int FullyConnectedBits)
{
    // A reference, so that two threads that come at once write the same thing twice and never see half of it.
    private Measurement? measured;

    /// <summary>Bits of an index that is padded with zeros, see <see cref="PaddedBytes"/>.</summary>
    public int PaddedIndexBits { get; init; } = 5;

    /// <summary>
    /// The five sizes, with masks drawn at random and levels that are used equally often, so that values take their full
    /// bits even in the entropy bound. One bias a row is counted, which for ResNet-50 is batch normalization folded in.
    /// </summary>
    public ModelSizes Sizes => Measured.Sizes;

    /// <summary>
    /// Size as Deep Compression [22] counts it, without codebooks: each survivor has an index of so many bits that counts from
    /// the one before, and a gap too long for it is bridged by zeros that are stored like weights.
    /// </summary>
    public double PaddedBytes => Measured.PaddedBits / 8.0;

    private Measurement Measured => measured ??= Measure();

    /// <summary>Survivors at printed densities, each layer rounded to whole weights.</summary>
    public static int[] AtDensities(NetworkTable network, IEnumerable<string> densities) =>
        [.. network.Layers.Zip(densities, (l, d) => (int)Math.Round(l.Layer.WeightCount * Bounded.Printed(d).Value / 100))];

    /// <summary>
    /// So many survivors in convolutions and in fully connected layers, within each kind at densities proportional to a
    /// profile; a layer that would need more weights than it has stays dense, and the others take what it leaves.
    /// </summary>
    public static int[] Scaled(NetworkTable network, IReadOnlyList<double> profile, double convolution, double fullyConnected)
    {
        var survivors = new int[network.Layers.Count];
        Fill(network, profile, LayerKind.Convolution, convolution, survivors);
        Fill(network, profile, LayerKind.FullyConnected, fullyConnected, survivors);
        return survivors;
    }

    private static void Fill(NetworkTable network, IReadOnlyList<double> profile, LayerKind kind, double budget, int[] survivors)
    {
        int Weights(int i) => network.Layers[i].Layer.WeightCount;
        List<int> open = [.. Enumerable.Range(0, survivors.Length).Where(i => network.Layers[i].Layer.Kind == kind)];
        double scale;
        while (true)
        {
            scale = budget / open.Sum(i => profile[i] * Weights(i));
            int full = open.FindIndex(i => scale * profile[i] > 1);
            if (full < 0)
            {
                break;
            }

            survivors[open[full]] = Weights(open[full]);
            budget -= Weights(open[full]);
            open.RemoveAt(full);
        }

        // Differences of rounded running sums: the layers add up to the budget.
        double sum = 0;
        foreach (int i in open)
        {
            double next = sum + (scale * profile[i] * Weights(i));
            survivors[i] = (int)(Math.Round(next) - Math.Round(sum));
            sum = next;
        }
    }

    /// <summary>Zeros that are needed where an index can step over at most so many places.</summary>
    private static int Padding(int[] mask, int step)
    {
        int padding = 0, last = -1;
        foreach (int position in mask)
        {
            padding += (position - last - 1) / step;
            last = position;
        }

        return padding;
    }

    private Measurement Measure()
    {
        long paddedBits = 0;
        var layers = new List<LayerSizes>();
        for (int i = 0; i < Survivors.Count; i++)
        {
            LayerInfo layer = Network.Layers[i].Layer;
            int bits = layer.Kind == LayerKind.Convolution ? ConvolutionBits : FullyConnectedBits;
            int[] mask = RandomMask.Draw(layer.WeightCount, Survivors[i], new RandomStream(1, Row + layer.Name));
            layers.Add(LayerSizes.Of(layer, mask, bits, levelEntropyBits: bits));
            paddedBits += (long)(mask.Length + Padding(mask, 1 << PaddedIndexBits)) * (bits + PaddedIndexBits);
        }

        int classes = Network.Layers[^1].Output.Size;
        return new Measurement(ModelSizes.Of(Network.Name, Network.Layers[0].Input, classes, layers), paddedBits);
    }

    private sealed record Measurement(ModelSizes Sizes, long PaddedBits);
}
