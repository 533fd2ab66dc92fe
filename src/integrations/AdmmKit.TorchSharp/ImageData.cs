using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Training;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>
/// A data set of AdmmKit for a module: pixels in [0, 1], labels as int64. Order, shifts and mirrored images are those of AdmmKit's own
/// engine with the same seed, phase and epoch.
/// </summary>
/// <param name="data">The data set.</param>
public sealed class ImageData(DataSet data) : ITorchData
{
    private const float PixelScale = 1f / 255;
    private const int EvaluationImages = 500;

    private readonly DataSet data = data ?? throw new ArgumentNullException(nameof(data));
    private (ulong Seed, string Phase, int Epoch) ordered;
    private int[]? order;

    /// <summary>Images in a mini-batch.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Training images are moved by up to this many pixels each way.</summary>
    public int MaxShift { get; init; }

    /// <summary>Whether training images are mirrored left to right with probability 1/2.</summary>
    public bool Flip { get; init; }

    /// <summary>The data set.</summary>
    public DataSet Data => data;

    /// <inheritdoc/>
    public IReadOnlyList<long> InputShape => [data.Training.Shape.Channels, data.Training.Shape.Height, data.Training.Shape.Width];

    /// <inheritdoc/>
    public int StepsPerEpoch => (data.Training.Count + BatchSize - 1) / BatchSize;

    /// <inheritdoc/>
    public TorchBatch TrainingBatch(ulong seed, string phase, int epoch, int index)
    {
        if (order is null || ordered != (seed, phase, epoch))
        {
            order = [.. Enumerable.Range(0, data.Training.Count)];
            new RandomStream(seed, "shuffle/" + phase, epoch).Shuffle<int>(order);
            ordered = (seed, phase, epoch);
        }

        int first = index * BatchSize;
        int count = Math.Min(BatchSize, order.Length - first);
        ulong shiftKey = RandomStream.Key(seed, "shift/" + phase, epoch);
        ulong flipKey = RandomStream.Key(seed, "flip/" + phase, epoch);
        return Batch(data.Training, count, i => new Place(
            order[first + i], Shift(shiftKey + (ulong)(first + i)), Flip && (RandomStream.Mix(flipKey + (ulong)(first + i)) & 1) != 0));
    }

    /// <inheritdoc/>
    public IEnumerable<TorchBatch> EvaluationBatches(DataSplit split)
    {
        ImageSet images = split switch
        {
            DataSplit.Training => data.Training,
            DataSplit.Validation => data.Validation,
            DataSplit.Test => data.Test,
            _ => throw new ArgumentOutOfRangeException(nameof(split)),
        };
        for (int first = 0; first < images.Count; first += EvaluationImages)
        {
            int from = first;
            yield return Batch(images, Math.Min(EvaluationImages, images.Count - from), i => new Place(from + i, (0, 0), false));
        }
    }

    private static TorchBatch Batch(ImageSet images, int count, Func<int, Place> place)
    {
        ImageShape shape = images.Shape;
        var labels = new long[count];
        Tensor inputs = empty([count, shape.Channels, shape.Height, shape.Width], ScalarType.Float32);
        Span<float> values = Tensors.Floats(inputs);
        for (int i = 0; i < count; i++)
        {
            Place p = place(i);
            labels[i] = images.Labels.Span[p.Image];
            Copy(images.Pixels.Span.Slice(p.Image * shape.Size, shape.Size), values.Slice(i * shape.Size, shape.Size), shape, p);
        }

        return new TorchBatch(inputs, Tensors.Of(labels));
    }

    /// <summary>One image, moved and mirrored; what comes in at a border is black.</summary>
    private static void Copy(ReadOnlySpan<byte> image, Span<float> destination, ImageShape shape, Place place)
    {
        (int origin, int step) = place.Flip ? (shape.Width - 1 - place.Shift.X, -1) : (-place.Shift.X, 1);
        for (int row = 0; row < shape.Channels * shape.Height; row++)
        {
            int sourceY = (row % shape.Height) - place.Shift.Y;
            bool inside = (uint)sourceY < (uint)shape.Height;
            ReadOnlySpan<byte> source = inside ? image.Slice((row - place.Shift.Y) * shape.Width, shape.Width) : default;
            Span<float> target = destination.Slice(row * shape.Width, shape.Width);
            for (int x = 0; x < target.Length; x++)
            {
                int sourceX = origin + (step * x);
                target[x] = (uint)sourceX < (uint)source.Length ? source[sourceX] * PixelScale : 0;
            }
        }
    }

    private (int X, int Y) Shift(ulong key)
    {
        if (MaxShift == 0)
        {
            return (0, 0);
        }

        ulong bits = RandomStream.Mix(key);
        uint span = (uint)((2 * MaxShift) + 1);
        return ((int)((uint)bits % span) - MaxShift, (int)((uint)(bits >> 32) % span) - MaxShift);
    }

    /// <summary>Which image, how far moved, whether mirrored.</summary>
    private readonly record struct Place(int Image, (int X, int Y) Shift, bool Flip);
}
