using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

/// <summary>Shifting and mirroring of training images.</summary>
public unsafe class AugmentationTests
{
    private static readonly ImageShape Shape = new(2, 4, 5);

    [Theory]
    [InlineData(0, false)]
    [InlineData(2, false)]
    [InlineData(0, true)]
    [InlineData(2, true)]
    public void Images_are_shifted_and_then_mirrored(int maxShift, bool flip)
    {
        // A layer that hands on its input, so that what was loaded can be seen behind it.
        var spec = new NetworkSpec("identity", Shape, [new Node.FullyConnected("f", Shape.Size)]);
        ImageSet images = TestData.Blobs(Shape, 2, 45, 1);
        using var network = new Network(spec, images.Count, threads: 2);
        var identity = new float[Shape.Size * Shape.Size];
        for (int i = 0; i < Shape.Size; i++)
        {
            identity[i * (Shape.Size + 1)] = 1;
        }

        network.SetWeights(new NetworkWeights([identity], [new float[Shape.Size]]));
        int[] order = [.. Enumerable.Range(0, images.Count).Reverse()];
        var batch = new Batch(images, order, 3, 40, maxShift, ShiftKey: 5, FlipKey: flip ? 6 : null);
        network.Forward(batch, training: false, randomKey: 0);
        float* output = network.Layers[^1].Output.Pointer;
        int mirrored = 0;
        for (int index = 0; index < batch.Count; index++)
        {
            (int dx, int dy) = batch.ShiftAt(index);
            mirrored += batch.FlipAt(index) ? 1 : 0;
            for (int i = 0; i < Shape.Size; i++)
            {
                (int c, int y, int x) = (i / 20, i / 5 % 4, i % 5);
                x = batch.FlipAt(index) ? 4 - x : x;
                bool inside = x - dx is >= 0 and < 5 && y - dy is >= 0 and < 4;
                int source = (order[3 + index] * Shape.Size) + (((c * 4) + y - dy) * 5) + x - dx;
                float expected = inside ? images.Pixels.Span[source] * (1f / 255) : 0;
                Assert.Equal(expected, output[(((index / 32 * Shape.Size) + i) * 32) + (index % 32)]);
            }
        }

        Assert.InRange(mirrored, flip ? 10 : 0, flip ? 30 : 0);
    }

    [Fact]
    public void Half_of_the_images_are_mirrored_whatever_their_shift()
    {
        ImageSet images = TestData.Blobs(new(1, 1, 1), 2, 1, 1);
        Batch BatchOf(ulong flip) => new(images, null, 0, 20_000, 1, RandomStream.Key(1, "shift/p"), flip);
        Batch first = BatchOf(RandomStream.Key(1, "flip/p")), second = BatchOf(RandomStream.Key(1, "flip/p", 1));
        // Four standard deviations: 4 x sqrt(20,000) / 2 = 283; of the ninth with one shift 4 x sqrt(2,222) / 2 = 94.
        Assert.InRange(Enumerable.Range(0, 20_000).Count(first.FlipAt), 9_717, 10_283);
        Assert.InRange(Enumerable.Range(0, 20_000).Count(i => first.FlipAt(i) == second.FlipAt(i)), 9_717, 10_283);
        int[] unshifted = [.. Enumerable.Range(0, 20_000).Where(i => first.ShiftAt(i) == (0, 0))];
        Assert.InRange(unshifted.Count(first.FlipAt), (unshifted.Length / 2) - 94, (unshifted.Length / 2) + 94);
    }

    [Fact]
    public void Training_with_mirrored_images_is_the_same_on_any_number_of_threads_and_when_resumed()
    {
        byte[] Trained(bool flip, int threads, bool resumed = false)
        {
            var spec = new NetworkSpec("test", new(1, 8, 8), [new Node.FullyConnected("f", 5)]);
            DataSet data = TestData.BlobData(spec.Input, 5, 200);
            var options = new EngineOptions { BatchSize = 40, Threads = threads, MaxShift = 1, Flip = flip };
            byte[] Run(byte[]? state, int steps)
            {
                using var network = new TrainableNetwork(spec, data, options);
                network.BeginPhase(new TrainingPhase("flips", 20, new LearningRate.Constant(1e-2)));
                if (state is not null)
                {
                    network.LoadState(new MemoryStream(state));
                }

                network.Train(steps, null, CancellationToken.None);
                using var stream = new MemoryStream();
                network.SaveState(stream);
                return stream.ToArray();
            }

            return resumed ? Run(Run(null, 7), 5) : Run(null, 12);
        }

        byte[] one = Trained(flip: true, threads: 1);
        Assert.Equal(one, Trained(flip: true, threads: 3));
        Assert.Equal(one, Trained(flip: true, threads: 2, resumed: true));
        Assert.NotEqual(one, Trained(flip: false, threads: 1));
    }
}
