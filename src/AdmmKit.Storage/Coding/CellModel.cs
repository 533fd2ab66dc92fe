using System.Numerics;
using AdmmKit.Networks;

namespace AdmmKit.Storage.Coding;

/// <summary>
/// Whether a place in a live row and a live channel survives. Several estimates, each from counts of what has been seen, are mixed:
/// how dense the row is, the row before it, the column, the kernel, the place within the map, and what lies next to it.
/// </summary>
/// <remarks>
/// The constants were fitted to LeNet-5 networks of 1,200 to 5,000 survivors, pruned row by row first and then weight by weight,
/// whose files have no time to learn much.
/// </remarks>
internal sealed class CellModel
{
    // How many places count as seen before the first one, for each of the shares; quarters of a survivor for each of the factors.
    private const int LayerPlaces = 45;
    private const int ChannelPlaces = 1000;
    private const int ColumnPlaces = 60;
    private const int FastColumnPlaces = 5;
    private const int MapPlaces = 30;
    private const int RowQuarters = 12;
    private const int KernelQuarters = 2;
    private const int RowPlaceQuarters = 8;

    // Bits that a learned probability remembers, and how fast the mixture learns (Mixer).
    private const int Memory = 213;
    private const int Rate = 2;

    // Survivors are rare: so a place is taken to survive before anything is known.
    private const int Prior = 6000;
    private const int Contexts = 16;
    private const int MostFactor = 4 * Logistic.One;

    private readonly AdaptiveBit[] neighbours = Fill(3 * Contexts);
    private readonly AdaptiveBit[] writers = Fill(3 * Contexts);

    // For convolutions, for fully connected layers that read a map, and for others. In the order of the inputs below.
    private readonly Mixer[] mixers =
    [
        new([-19_000, 55_000, -52_000, 20_000, 25_000, 41_000, 30_000, 9_000, 28_000, 5_000], Rate),
        new([-27_000, 55_000, -78_000, 20_000, 22_000, 40_000, -15_000, 30_000, 33_000, 8_000], Rate),
        new([-2_000, 20_000, -23_000, 20_000, -13_000, 0, 23_000, 30_000, 20_000, -6_000], Rate),
    ];

    /// <summary>Codes the places of a layer.</summary>
    /// <param name="coder">The coder.</param>
    /// <param name="plan">What is known of the layer.</param>
    /// <param name="content">Its survivors.</param>
    /// <param name="rows">Its live rows, each of which has one survivor or more.</param>
    /// <param name="columns">The columns of its live channels, each of which has one survivor or more.</param>
    public void Code(BitCoder coder, LayerPlan plan, LayerContent content, List<int> rows, List<int> columns)
    {
        int map = plan.MapSize;
        int width = plan.Width;
        int kind = plan.Layer.Kind == LayerKind.Convolution ? 0 : map > 1 ? 1 : 2;
        Mixer mixer = mixers[kind];
        Span<int> inputs = mixer.Inputs;
        var here = new int[plan.Layer.Columns];
        var ofColumn = new Tally[plan.Layer.Columns];
        var channelCounts = new int[plan.Channels];
        var ofPlace = new Odds[map];
        var rowPlace = new Odds[map];
        var all = default(Odds);
        int rowBefore = 0;
        for (int i = 0; i < rows.Count; i++)
        {
            var row = default(Odds);
            var kernel = default(Odds);
            Array.Clear(rowPlace);
            Array.Clear(here);
            for (int j = 0; j < columns.Count; j++)
            {
                int column = columns[j];
                int channel = column / map;
                int place = column % map;
                int x = place % width;
                kernel = place == 0 ? default : kernel;
                int left = x > 0 ? here[column - 1] : 0;
                int up = place >= width ? here[column - width] : 0;
                int near = Math.Min(2, Math.Abs(left)) + Math.Min(2, Math.Abs(up))
                    + (x > 1 && here[column - 2] != 0 ? 1 : 0) + (place >= 2 * width && here[column - (2 * width)] != 0 ? 1 : 0)
                    + (x > 0 && place >= width && here[column - width - 1] != 0 ? 1 : 0)
                    + (x < width - 1 && place >= width && here[column - width + 1] != 0 ? 1 : 0);
                ref AdaptiveBit around = ref neighbours[(kind * Contexts) + Math.Min(7, near) + (kernel.Survivors > 0 ? 8 : 0)];
                ref AdaptiveBit writer = ref writers[(kind * Contexts) + Writer(plan, channel)];

                int layer = Share(all.Survivors, all.Places, LayerPlaces, Prior);
                int ofChannel = Share(channelCounts[channel], (long)i * map, ChannelPlaces, layer);
                int slow = Share(ofColumn[column].Count, i, ColumnPlaces, ofChannel);
                int fast = Share(ofColumn[column].Count, i, FastColumnPlaces, layer);
                int byRow = Times(slow, row.Factor(RowQuarters));
                (int logLayer, int logColumn, int logRow) = (Logistic.Stretch(layer), Logistic.Stretch(slow), Logistic.Stretch(byRow));
                inputs[0] = 256;
                inputs[1] = logColumn;
                inputs[2] = logRow - logColumn;
                inputs[3] = Logistic.Stretch(Times(byRow, kernel.Factor(KernelQuarters))) - logRow;
                inputs[4] = Logistic.Stretch(Share(ofPlace[place].Survivors, ofPlace[place].Places, MapPlaces, layer)) - logLayer;
                inputs[5] = rowBefore;
                inputs[6] = Logistic.Stretch(writer.Probability) - logLayer;
                inputs[7] = map > 1 ? Log(rowPlace[place].Factor(RowPlaceQuarters)) : 0;
                inputs[8] = Logistic.Stretch(around.Probability) - logLayer;
                inputs[9] = Logistic.Stretch(fast) - logLayer;
                int probability = mixer.Predict();

                int position = (rows[i] * plan.Layer.Columns) + column;
                // A live row has a survivor, and a live channel has one: the last place for it need not be said.
                bool certain = (row.Survivors == 0 && j == columns.Count - 1)
                    || (i == rows.Count - 1 && channelCounts[channel] == 0 && place == map - 1);
                bool survives = certain || coder.Bit(content.NextGiven == position, probability);
                mixer.Learn(survives);
                around.Learn(survives, Memory);
                writer.Learn(survives, Memory);
                if (survives)
                {
                    int value = content.Take(coder, position, new(left, up, ofColumn[column]));
                    here[column] = value;
                    ofColumn[column].Add(value);
                    channelCounts[channel]++;
                }

                all.Add(survives, 0);
                row.Add(survives, slow);
                kernel.Add(survives, byRow);
                ofPlace[place].Add(survives, 0);
                rowPlace[place].Add(survives, byRow);
            }

            rowBefore = Log(row.Factor(RowQuarters));
        }
    }

    private static AdaptiveBit[] Fill(int count)
    {
        var bits = new AdaptiveBit[count];
        Array.Fill(bits, new AdaptiveBit(Prior, 1));
        return bits;
    }

    /// <summary>A context for how many survivors write a channel: the logarithm, 0 where that is not known.</summary>
    private static int Writer(LayerPlan plan, int channel) =>
        plan.Activity is { } activity ? 1 + Math.Min(Contexts - 2, BitOperations.Log2((uint)activity[channel] + 1)) : 0;

    /// <summary>The part of places that survive, as if so many more had been seen that survive with a probability.</summary>
    private static int Share(long survivors, long places, int more, int probability) =>
        (int)(((survivors << Logistic.ProbabilityBits) + ((long)more * probability)) / (places + more));

    private static int Times(int probability, int factor) =>
        (int)Math.Min((long)probability * factor >> Logistic.ProbabilityBits, Logistic.One - Logistic.Least);

    /// <summary>The logarithm of a factor, which is at most 4, in 1/256 nat.</summary>
    private static int Log(int factor) => Logistic.Stretch(factor >> 2) - Logistic.Stretch(Logistic.One >> 2);

    /// <summary>Survivors among places, and how many were expected.</summary>
    private struct Odds
    {
        private long expected;

        public int Survivors { get; private set; }

        public int Places { get; private set; }

        public void Add(bool survives, int probability)
        {
            Places++;
            Survivors += survives ? 1 : 0;
            expected += probability;
        }

        /// <summary>
        /// Survivors over those expected, in 1/65,536, below 4; as if so many quarters of a survivor more had been expected and seen.
        /// </summary>
        public readonly int Factor(int quarters)
        {
            long both = (long)quarters << (Logistic.ProbabilityBits - 2);
            long seen = ((long)Survivors << Logistic.ProbabilityBits) + both;
            return (int)Math.Min(MostFactor - 1, (seen << Logistic.ProbabilityBits) / (expected + both));
        }
    }
}
