using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

/// <summary>Training by a teacher's outputs beside the labels.</summary>
public unsafe class SoftTargetsTests
{
    private static readonly NetworkSpec Spec = new("test", new(1, 9, 8),
        [new Node.Convolution("c1", 6, 3), new Node.MaxPool(2), new Node.Relu(), new Node.FullyConnected("f1", 5)]);

    [Theory]
    [InlineData(0.3, 2.5)]
    [InlineData(1, 1)]
    [InlineData(0.7, 20)]
    public void Loss_and_gradient_match_the_definition_and_its_differences(double weight, double temperature)
    {
        DataSet data = TestData.BlobData(Spec.Input, 5, 37);
        NetworkWeights teacher = Weights(2);
        using var network = new TrainableNetwork(Spec, data, new EngineOptions { BatchSize = 37, Threads = 2 });
        Weights(1).CopyTo(network);
        network.SoftTargets = new SoftTargets(teacher, weight, temperature);
        double loss = network.Network.Forward(new Batch(data.Training, null, 0, 37, 0, 0), training: true, randomKey: 0);
        float* gradient = network.Network.Layers[^1].OutputGradient.Pointer;

        double[][] targets = Outputs(teacher, data.Training), outputs = Outputs(Weights(1), data.Training);
        double expected = 0;
        for (int i = 0; i < 37; i++)
        {
            (double[] y, double[] t, int label) = (outputs[i], targets[i], data.Training.Labels.Span[i]);
            double Loss() => ((1 - weight) * CrossEntropy([.. y.Select((_, c) => c == label ? 1.0 : 0)], y))
                + (weight * temperature * temperature * CrossEntropy(Softmax(t, temperature), [.. y.Select(v => v / temperature)]));
            expected += Loss();
            for (int c = 0; c < 5; c++)
            {
                const double H = 1e-5;
                double kept = y[c];
                y[c] = kept + H;
                double up = Loss();
                y[c] = kept - H;
                double difference = (up - Loss()) / (2 * H);
                y[c] = kept;
                // float32 in probabilities of up to 1, times T.
                Assert.Equal(difference, gradient[(((i / 32 * 5) + c) * 32) + (i % 32)], 2e-6 * Math.Max(1, weight * temperature));
            }
        }

        Assert.Equal(expected, loss, 1e-5 * expected);
    }

    [Fact]
    public void Without_weight_it_is_training_by_the_labels_to_the_same_bits()
    {
        byte[] plain = Trained(targets: null);
        Assert.Equal(plain, Trained(new SoftTargets(Weights(2), 0, 3)));
        Assert.NotEqual(plain, Trained(new SoftTargets(Weights(2), 0.5, 3)));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 0)]
    [InlineData(2, 7)] // a table that was filled by other batches, and one that is filled anew
    [InlineData(1, 20)]
    public void Bits_do_not_depend_on_threads_or_on_being_resumed(int threads, int cut)
    {
        var targets = new SoftTargets(Weights(2), 0.6, 4);
        Assert.Equal(Trained(targets, threads: 2), Trained(targets, threads, cut));
    }

    [Fact]
    public void Without_its_teacher_a_state_goes_on_by_the_labels()
    {
        var targets = new SoftTargets(Weights(2), 0.6, 4);
        Assert.NotEqual(Trained(targets), Trained(targets, cut: 7, forget: true));
    }

    [Fact]
    public void Targets_are_what_the_teacher_says_of_the_moved_and_mirrored_image()
    {
        ImageSet images = TestData.Blobs(Spec.Input, 5, 60, 4);
        var options = new EngineOptions { BatchSize = 45, MaxShift = 2, Flip = true };
        using var teacher = new Network(Spec, 45, threads: 2);
        teacher.SetWeights(Weights(2));
        var table = new SoftTargetTable(teacher, images.Count, options, new SoftTargets(Weights(2), 1, 2));
        var other = new SoftTargetTable(teacher, images.Count, options, new SoftTargets(Weights(2), 1, 2));
        var seen = new HashSet<int>();
        for (int epoch = 0; epoch < 3; epoch++)
        {
            int[] order = [.. Enumerable.Range(0, 60)];
            new RandomStream(1, "order", epoch).Shuffle(order);
            var batch = new Batch(images, order, 7, 45, 2, RandomStream.Key(1, "shift", epoch), RandomStream.Key(1, "flip", epoch));
            table.Fill(batch);
            // The same images and variants one by one and backwards: the same bits.
            for (int i = 44; i >= 0; i--)
            {
                other.Fill(new Batch(images, [batch.ImageAt(i)], 0, 1, 2, 0, null, [batch.VariantAt(i)]));
                Assert.Equal(table.Of(batch, i), other.Of(batch, i));
            }

            ImageSet moved = Moved(batch);
            float[][] scores = teacher.Predict(moved);
            for (int i = 0; i < 45; i++)
            {
                seen.Add(batch.VariantAt(i));
                double[] expected = Softmax(Array.ConvertAll(scores[i], s => (double)s), 2);
                Assert.All(Enumerable.Range(0, 5), c => Assert.Equal(expected[c], table.Of(batch, i)[c], 1e-6));
                var given = new Batch(images, null, 0, 60, 2, 0, null, [.. Enumerable.Repeat(batch.VariantAt(i), 60)]);
                Assert.Equal(
                    (batch.ShiftAt(i), batch.FlipAt(i), batch.VariantAt(i)), (given.ShiftAt(3), given.FlipAt(3), given.VariantAt(3)));
            }
        }

        Assert.InRange(seen.Count, 40, (int)Batch.Variants(2, true));
        Assert.Equal(50, Batch.Variants(2, true));
        Assert.InRange(seen.Max(), 25, 49);
    }

    [Fact]
    public void Evaluations_are_by_the_labels()
    {
        DataSet data = TestData.BlobData(Spec.Input, 5, 40);
        using var network = new TrainableNetwork(Spec, data, new EngineOptions { BatchSize = 16, Threads = 1 });
        Evaluation before = network.Evaluate(DataSplit.Validation);
        network.SoftTargets = new SoftTargets(Weights(2), 0.5, 4);
        Assert.Equal(before, network.Evaluate(DataSplit.Validation));
        Assert.Equal(0.5, network.SoftTargets.Weight);
    }

    [Fact]
    public void What_cannot_be_is_refused_in_words()
    {
        DataSet data = TestData.BlobData(Spec.Input, 5, 40);
        using var network = new TrainableNetwork(Spec, data, new EngineOptions { BatchSize = 16, MaxShift = 1 });
        (double, double)[] outOfRange = [(-0.1, 1.0), (1.1, 1), (double.NaN, 1), (0.5, 0), (0.5, double.PositiveInfinity)];
        foreach ((double weight, double temperature) in outOfRange)
        {
            string message = Refused(() => network.SoftTargets = new SoftTargets(Weights(2), weight, temperature));
            Assert.Contains("temperature positive", message, StringComparison.Ordinal);
        }

        NetworkWeights wrong = new([new float[54], new float[3]], [new float[6], new float[5]]);
        Assert.Contains("do not fit", Refused(() => network.SoftTargets = new SoftTargets(wrong, 0.5, 2)), StringComparison.Ordinal);
        Assert.Null(network.SoftTargets);
        string tooLarge = Refused(() => SoftTargets.Check(Spec, 10_000_000, new EngineOptions { MaxShift = 1 }, 0.5, 4));
        Assert.Contains("1800 MB", tooLarge, StringComparison.Ordinal);

        float[] damaged = [.. Enumerable.Repeat(float.NaN, 54)];
        network.SoftTargets = new SoftTargets(new([damaged, new float[270]], [new float[6], new float[5]]), 0.5, 4);
        network.BeginPhase(new TrainingPhase("p", 1, new LearningRate.Constant(1e-3)));
        string diverged = Assert.Throws<DivergedException>(() => network.Train(1, null, CancellationToken.None)).Message;
        Assert.Contains("gives the soft targets", diverged, StringComparison.Ordinal);
    }

    private static string Refused(Action action) => Assert.Throws<AdmmKitException>(action).Message;

    /// <summary>State after 24 steps in three epochs, cut off after some of them or not.</summary>
    private static byte[] Trained(SoftTargets? targets, int threads = 1, int cut = 0, bool forget = false)
    {
        DataSet data = TestData.BlobData(Spec.Input, 5, 150);
        byte[] Run(byte[]? state, int steps, SoftTargets? follow)
        {
            using var network = new TrainableNetwork(
                Spec, data, new EngineOptions { BatchSize = 20, Threads = threads, MaxShift = 1, Flip = true }, KernelSet.Best);
            network.SoftTargets = follow;
            network.BeginPhase(new TrainingPhase("soft", 24, new LearningRate.Constant(1e-2)));
            if (state is not null)
            {
                network.LoadState(new MemoryStream(state));
            }

            network.Train(steps, null, CancellationToken.None);
            using var stream = new MemoryStream();
            network.SaveState(stream);
            return stream.ToArray();
        }

        return cut == 0 ? Run(null, 24, targets) : Run(Run(null, cut, targets), 24 - cut, forget ? null : targets);
    }

    private static NetworkWeights Weights(ulong seed)
    {
        float[] Draw(string what, int count, double bound)
        {
            var random = new RandomStream(seed, what);
            return [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble(-bound, bound))];
        }

        return new NetworkWeights(
            [.. Spec.Layers.Select(l => Draw(l.Name, l.WeightCount, 0.4))],
            [.. Spec.Layers.Select(l => Draw(l.Name + " biases", l.Rows, 0.2))]);
    }

    private static double[][] Outputs(NetworkWeights weights, ImageSet images) => new ReferenceNetwork(Spec).Outputs(
        ReferenceNetwork.ToDouble(weights.Weights), ReferenceNetwork.ToDouble(weights.Biases), [],
        [.. images.Pixels.ToArray().Select(p => p / 255.0).Chunk(Spec.Input.Size)],
        training: false);

    /// <summary>The images of a batch, moved and mirrored pixel by pixel.</summary>
    private static ImageSet Moved(Batch batch)
    {
        (int height, int width, int size) = (Spec.Input.Height, Spec.Input.Width, Spec.Input.Size);
        var pixels = new byte[batch.Count * size];
        for (int i = 0; i < pixels.Length; i++)
        {
            (int index, int y, int x) = (i / size, i / width % height, i % width);
            (int dx, int dy) = batch.ShiftAt(index);
            (y, x) = (y - dy, (batch.FlipAt(index) ? width - 1 - x : x) - dx);
            if (x >= 0 && x < width && y >= 0 && y < height)
            {
                pixels[i] = batch.Images.Pixels.Span[(batch.ImageAt(index) * size) + (y * width) + x];
            }
        }

        return new ImageSet(Spec.Input, 5, pixels, new byte[batch.Count]);
    }

    private static double[] Softmax(double[] y, double temperature)
    {
        double max = y.Max();
        double[] e = [.. y.Select(v => Math.Exp((v - max) / temperature))];
        return [.. e.Select(v => v / e.Sum())];
    }

    private static double CrossEntropy(double[] targets, double[] y) => -targets.Zip(Softmax(y, 1), (p, q) => p * Math.Log(q)).Sum();
}
