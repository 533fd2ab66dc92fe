using System.Buffers.Binary;
using System.IO.Compression;

namespace AdmmKit.Tests.Data;

/// <summary>A folder that is removed with all it holds, and the IDX files that tests put there.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("admmkit-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);

    public string Write(string name, byte[] content)
    {
        string path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public static byte[] Idx(byte[] values, params int[] dimensions)
    {
        var bytes = new byte[4 + (4 * dimensions.Length) + values.Length];
        (bytes[2], bytes[3]) = (8, (byte)dimensions.Length);
        for (int i = 0; i < dimensions.Length; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + (4 * i)), dimensions[i]);
        }

        values.CopyTo(bytes, bytes.Length - values.Length);
        return bytes;
    }

    public static byte[] Gzip(byte[] bytes) => Gzip(bytes, CompressionLevel.Fastest);

    public static byte[] Gzip(byte[] bytes, CompressionLevel level)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, level))
        {
            gzip.Write(bytes);
        }

        return memory.ToArray();
    }

    public static byte[] Ramp(int count, int modulus = 251) => [.. Enumerable.Range(0, count).Select(i => (byte)(i % modulus))];

    /// <summary>Writes a whole data set of 12 + 6 images of 3 x 4 and three classes.</summary>
    public void WriteDataSet(
        string under = "", string trainImages = "train-images-idx3-ubyte.gz", string testImages = "t10k-images-idx3-ubyte")
    {
        string At(string name) => System.IO.Path.Combine(under, name);
        Write(At(trainImages), Pack(trainImages, Idx(Ramp(144), 12, 3, 4)));
        Write(At("train-labels-idx1-ubyte"), Idx(Ramp(12, 2), 12));
        Write(At(testImages), Pack(testImages, Idx(Ramp(72), 6, 3, 4)));
        Write(At("t10k-labels.idx1-ubyte"), Idx(Ramp(6, 3), 6));
    }

    private static byte[] Pack(string name, byte[] bytes) => name.EndsWith(".gz", StringComparison.Ordinal) ? Gzip(bytes) : bytes;
}
