using AdmmKit.Engine.Data;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Engine;

/// <summary>Small images in which each class is a blob at its own place: learnable in seconds.</summary>
internal static class TestData
{
    public static ImageSet Blobs(ImageShape shape, int classes, int count, ulong seed)
    {
        var random = new RandomStream(seed, "blobs");
        var pixels = new byte[count * shape.Size];
        var labels = new byte[count];
        for (int n = 0; n < count; n++)
        {
            int label = random.NextInt(classes);
            labels[n] = (byte)label;
            double angle = 2 * Math.PI * label / classes;
            double cy = (shape.Height - 1) * (0.5 + (0.28 * Math.Sin(angle))) + random.NextDouble(-1, 1);
            double cx = (shape.Width - 1) * (0.5 + (0.28 * Math.Cos(angle))) + random.NextDouble(-1, 1);
            for (int i = 0; i < shape.Size; i++)
            {
                int y = i / shape.Width % shape.Height;
                int x = i % shape.Width;
                double d2 = ((y - cy) * (y - cy)) + ((x - cx) * (x - cx));
                pixels[(n * shape.Size) + i] = (byte)Math.Clamp((200 * Math.Exp(-d2 / 6)) + random.NextDouble(0, 55), 0, 255);
            }
        }

        return new ImageSet(shape, classes, pixels, labels);
    }

    public static DataSet BlobData(ImageShape shape, int classes, int training, ulong seed = 1) => new(
        "blobs", "drawn by the test", Blobs(shape, classes, training, seed), Blobs(shape, classes, 100, seed + 1),
        Blobs(shape, classes, 200, seed + 2), new Dictionary<string, string>());
}
