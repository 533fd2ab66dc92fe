using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Simulation;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Hardware;

/// <summary>Where a formula exists, the simulator agrees with it. The formulas are written out here.</summary>
public class SimulatorClosedFormTests
{
    private const int Masks = 300;
    private const double Tolerance = 0.01;

    private static readonly PeArray OneMultiplier = new()
    {
        Name = "one",
        PeRows = 1,
        PeColumns = 1,
        WeightVector = 1,
        ActivationVector = 1,
        IndexBits = 30,
    };

    private static PeArray Filters(int elements) => OneMultiplier with
    {
        Partition = Partition.OutputChannels,
        PeColumns = elements,
        FiltersPerGroup = 1,
    };

    // 13 x 13 inputs in 8 x 8 tiles of at most 2 x 2; 3 x 3 kernels reach 4 x 4 outputs, so 1,024 accumulators hold 64 filters.
    [Theory]
    [InlineData(384, 192, 2, 2 * 3 * 192 * (64 * 9 / 4))] // conv4 of AlexNet: 3 groups of 64 filters in each half
    [InlineData(384, 256, 1, 6 * 256 * (64 * 9 / 4))] // conv3
    [InlineData(256, 192, 2, 2 * 2 * 192 * (64 * 9 / 4))] // conv5
    public void Dense_convolutions_take_a_cycle_for_each_pair_of_vectors(int filters, int channels, int groups, long cycles)
    {
        var convolution = new Node.Convolution("c", filters, 3, Padding: 1, Groups: groups);
        PeArray array = PeArray.Preset("scnn") with { AccumulatorBanks = 0 };
        Assert.Equal(cycles, Simulate(array, convolution, new(channels * groups, 13, 13), 1, 0).Cycles);
    }

    // 8 x 8 PEs with 1 x 16 multipliers: rounds of 64 filters, a cycle for each weight and each 16 of the 169 inputs.
    [Theory]
    [InlineData(64, 10, 3, 90 * 11)]
    [InlineData(65, 10, 3, 2 * 90 * 11)]
    [InlineData(200, 4, 1, 4 * 4 * 11)]
    public void Dense_rounds_of_filters_take_a_cycle_a_weight(int filters, int channels, int kernel, long cycles) => Assert.Equal(
        cycles, Simulate(PeArray.Preset("output-channel"), new("c", filters, kernel), new(channels, 13, 13), 1, 0).Cycles);

    // Each PE has 64 of 4,096 neurons, 4 a cycle; one of four activation inputs is used: a quarter of the peak, as SCNN reports.
    [Fact]
    public void A_dense_fully_connected_layer_uses_a_quarter_of_SCNN()
    {
        var layer = new LayerInfo("fc", LayerKind.FullyConnected, 4096, 100, 1, 1, 409_600);
        SimulationResult result = ArraySimulator.Run(PeArray.Preset("scnn"), SimulatedLayer.FullyConnected(layer, Ones(409_600)));
        Assert.Equal(100 * 16, result.Cycles);
        Assert.Equal(0.25, result.Utilisation);
    }

    // AlexNet's conv1 in small: 11 x 11 kernels at stride 4 fall into 16 phases of 3 or 2 rows and columns, inputs into 16 likewise.
    [Fact]
    public void A_stride_splits_weights_and_inputs_into_phases()
    {
        long cycles = 0;
        for (int phase = 0; phase < 16; phase++)
        {
            (int row, int column) = (phase / 4, phase % 4);
            int Weights(int first) => (11 - first + 3) / 4;
            int Inputs(int first) => (35 - first + 3) / 4;
            cycles += (((5 * Weights(row) * Weights(column)) + 3) / 4) * (long)(((Inputs(row) * Inputs(column)) + 3) / 4) * 3;
        }

        PeArray one = OneMultiplier with { WeightVector = 4, ActivationVector = 4, FiltersPerGroup = 5 };
        Assert.Equal(cycles, Simulate(one, new("c", 5, 11, Stride: 4), new(3, 35, 35), 1, 0).Cycles);
    }

    // Every product of a matrix product counts; a single bank adds them one by one.
    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(4, 4, 1)]
    [InlineData(2, 8, 1)]
    public void One_multiplier_or_one_bank_takes_a_cycle_for_each_product(int weights, int activations, int banks)
    {
        (bool[] left, bool[] right) = (Mask(24 * 30, 0.3, 1), Mask(30 * 20, 0.4, 2));
        long products = 0;
        for (int i = 0; i < 24; i++)
        {
            for (int k = 0; k < 30; k++)
            {
                products += left[(i * 30) + k] ? right.Skip(k * 20).Take(20).Count(b => b) : 0;
            }
        }

        PeArray array = OneMultiplier with { WeightVector = weights, ActivationVector = activations, AccumulatorBanks = banks };
        SimulationResult result = ArraySimulator.Run(array, SimulatedLayer.Product(24, 30, 20, left, right));
        Assert.Equal(products, result.Cycles);
        Assert.Equal(products, result.UsefulMacs);
    }

    // Rounds of filters, each as long as the largest of so many binomial numbers.
    [Theory]
    [InlineData(4, 64, 50, 3, 0.1)]
    [InlineData(16, 64, 64, 3, 0.1)]
    [InlineData(16, 48, 64, 3, 0.3)]
    [InlineData(64, 64, 192, 3, 0.05)]
    [InlineData(64, 64, 192, 3, 0.1)]
    [InlineData(64, 96, 100, 3, 0.2)]
    [InlineData(64, 64, 20, 5, 0.5)]
    [InlineData(256, 192, 100, 3, 0.1)]
    public void Waiting_for_the_fullest_filter_costs_the_largest_binomial_number(
        int elements, int filters, int channels, int kernel, double keep)
    {
        int weights = channels * kernel * kernel;
        double expected = 0;
        for (int first = 0; first < filters; first += elements)
        {
            expected += 36 * MeanOfLargest(Binomial(weights, keep), Math.Min(elements, filters - first));
        }

        Near(expected, Mean(m => Simulate(Filters(elements), new("c", filters, kernel), new(channels, 6, 6), keep, m).Cycles));
        Near(expected, UniformImbalance.Cycles(filters, weights, keep, elements, 36));
    }

    // A FIFO of one vector makes all wait for the slowest in each channel, instead of once a round.
    [Theory]
    [InlineData(4, 60, 5, 0.1)]
    [InlineData(16, 60, 3, 0.1)]
    [InlineData(16, 60, 3, 0.4)]
    [InlineData(64, 30, 5, 0.2)]
    public void A_FIFO_of_one_vector_is_a_barrier_in_each_channel(int elements, int channels, int kernel, double keep)
    {
        double expected = 36 * channels * MeanOfLargest(Binomial(kernel * kernel, keep), elements);
        PeArray array = Filters(elements) with { FifoDepth = 1 };
        Near(expected, Mean(m => Simulate(array, new("c", elements, kernel), new(channels, 6, 6), keep, m).Cycles));
    }

    // A run of g zeros takes floor(g / 2^b) placeholders; runs are geometric, so there are q / (1 - q) a survivor, q = (1 - d)^(2^b).
    [Theory]
    [InlineData(4, 0.1)]
    [InlineData(4, 0.03)]
    [InlineData(3, 0.05)]
    [InlineData(2, 0.2)]
    public void Placeholders_are_as_many_as_long_runs(int bits, double keep)
    {
        double q = Math.Pow(1 - keep, 1 << bits);
        double expected = 8 * 5000 * keep * (1 + (q / (1 - q)));
        var layer = new LayerInfo("fc", LayerKind.FullyConnected, 8, 5000, 1, 1, 40_000);
        // One PE for each filter would wait for others: the filters come one after the other.
        PeArray array = Filters(1) with { IndexBits = bits };
        Near(expected, Mean(m => ArraySimulator.Run(array, SimulatedLayer.FullyConnected(layer, Mask(40_000, keep, m))).Cycles));
    }

    // The last vector of each channel is not full: the mean of ceil(X / F) for a binomial X.
    [Theory]
    [InlineData(4, 8, 0.1)]
    [InlineData(4, 8, 0.5)]
    [InlineData(16, 16, 0.2)]
    public void Vectors_are_as_many_as_channels_fill(int vector, int filters, double keep)
    {
        double[] survivors = Binomial(filters * 9, keep);
        double expected = 100 * 36 * survivors.Select((p, x) => p * Math.Ceiling((double)x / vector)).Sum();
        PeArray array = OneMultiplier with { WeightVector = vector, FiltersPerGroup = filters };
        Near(expected, Mean(m => Simulate(array, new("c", filters, 3), new(100, 6, 6), keep, m).Cycles));
    }

    // The table says within which error its own cases agree, and that masks of ADMM are less balanced than the closed form has it.
    [Fact]
    public void The_reproduced_table_agrees_with_its_formulas_and_shows_what_they_miss()
    {
        AccountingTable table = AccountingTables.Create("simulator");
        IReadOnlyList<ResultRow> rows = table.Rows;
        double Ours(string row, string quantity) => Assert.Single(rows, r => r.Row == row && r.Quantity == quantity).Ours!.Value;
        Assert.True(Ours("closed forms", "cases") >= 20);
        Assert.InRange(Ours("closed forms", "worstError"), 0, 100 * Tolerance);
        Assert.Equal(25, Ours("SCNN, fully connected 1/1", "utilisation"));
        // SCNN's sweep is over GoogLeNet: AlexNet's rows have no print.
        Assert.All(rows.Where(r => r.Quantity == "speedupAlexNet"), r => Assert.Null(r.Paper));
        Assert.All(rows.Where(r => r.Quantity == "speedupGoogLeNet"), r => Assert.NotNull(r.Paper));
        // (128^2 + 128^3) d 22/16 is the published number of cycles where d is rounded to 1/256, and nearly so where it is not.
        foreach ((double density, int rounded, double published) in new[]
        {
            (0.01, 3, 34_056), (0.02, 0, 58_124), (0.04, 0, 116_247), (0.08, 0, 232_490), (0.1, 26, 295_152), (0.2, 51, 578_952),
            (0.4, 102, 1_157_904.0),
        })
        {
            double cycles = (16_384 + 2_097_152) * 22 / 16.0 * (rounded > 0 ? rounded / 256.0 : density);
            Assert.Equal(published, cycles, rounded > 0 ? 0 : 5e-5 * published);
            string row = FormattableString.Invariant($"product 128x128x128, {density}");
            Assert.Contains(
                rounded > 0 ? FormattableString.Invariant($"to {rounded}/256") : "does not round",
                table.Explanation(row, "deliveredCycles"), StringComparison.Ordinal);
        }

        foreach (string layer in new[] { "LeNet-5 85x, conv2", "LeNet-5 85x, fc1", "LeNet-5 167x, conv2", "LeNet-5 167x, fc1" })
        {
            double closedForm = Ours(layer, "imbalanceClosedForm");
            Assert.InRange(Ours(layer, "imbalanceUniform"), 0.85 * closedForm, 1.15 * closedForm);
            Assert.True(Ours(layer, "imbalanceReal") > 1.3 * closedForm);
        }
    }

    private static void Near(double expected, double actual) =>
        Assert.InRange(actual, expected * (1 - Tolerance), expected * (1 + Tolerance));

    private static double Mean(Func<int, long> cycles) => Enumerable.Range(1, Masks).Average(m => (double)cycles(m));

    private static SimulationResult Simulate(PeArray array, Node.Convolution convolution, ImageShape input, double keep, int epoch)
    {
        bool[] mask = Mask(convolution.Layer(input).WeightCount, keep, epoch);
        return ArraySimulator.Run(array, SimulatedLayer.Of(convolution, input, mask), threads: 1);
    }

    private static bool[] Ones(int count) => [.. Enumerable.Repeat(true, count)];

    private static bool[] Mask(int count, double keep, int epoch) =>
        SimulatedLayer.UniformMask(count, keep, new RandomStream(1, "closed forms", epoch));

    // P(X = x) for x = 0 .. n, by Pascal's rule one trial after the other.
    private static double[] Binomial(int n, double p)
    {
        var row = new double[n + 1];
        row[0] = 1;
        for (int trial = 1; trial <= n; trial++)
        {
            for (int x = trial; x >= 0; x--)
            {
                row[x] = (row[x] * (1 - p)) + (x > 0 ? row[x - 1] * p : 0);
            }
        }

        return row;
    }

    // Sum over x of x P(largest = x), the largest being x or less where all are.
    private static double MeanOfLargest(double[] probabilities, int count)
    {
        (double mean, double below, double sum) = (0, 0, 0);
        for (int x = 0; x < probabilities.Length; x++)
        {
            sum += probabilities[x];
            double atMost = Math.Pow(Math.Min(sum, 1), count);
            mean += x * (atMost - below);
            below = atMost;
        }

        return mean;
    }
}
