using AdmmKit.Interop;
using AdmmKit.Tests.Data;
using static AdmmKit.Tests.Interop.CaffeBytes;

namespace AdmmKit.Tests.Interop;

public class CaffeModelFileTests
{
    private static readonly float[] Six = [1, -2, 0.1f, float.MaxValue, -0f, float.Epsilon];
    private static readonly float[] Two = [0.5f, -0.25f];

    private static CaffeModelFile Read(params byte[][] parts) => CaffeModelFile.Read([.. parts.SelectMany(p => p)], "some-file");

    private static string Refusal(params byte[][] parts)
    {
        string message = Assert.Throws<BadFileException>(() => Read(parts)).Message;
        Assert.StartsWith("'some-file' is no Caffe model that can be read: ", message, StringComparison.Ordinal);
        Assert.EndsWith("it has to be the binary .caffemodel, neither a .prototxt nor HDF5.", message, StringComparison.Ordinal);
        return message;
    }

    private static byte[] NewModel() =>
    [
        .. Text(1, "LeNet"), .. Images(), .. Layer("ip1", "InnerProduct", [.. Packed(Six), .. Shape(2, 3)], [.. Packed(Two), .. Shape(2)]),
        .. Layer("relu1", "ReLU"),
    ];

    private static byte[] OldModel() =>
    [
        .. Text(1, "LeNet"), .. Bytes(2, Text(4, "mnist"), Number(5, 5), Bytes(36, Scale(1 / 256f))),
        .. OldLayer("ip1", 14, [.. OldShape(2, 3), .. Unpacked(Six)], [.. OldShape(2), .. Unpacked(Two)]), .. OldLayer("relu1", 18),
    ];

    [Fact]
    public void Both_messages_for_a_layer_say_the_same()
    {
        foreach ((byte[] bytes, int[] weights, int[] biases) in new[]
        {
            (NewModel(), new[] { 2, 3 }, new[] { 2 }), (OldModel(), [1, 1, 2, 3], [1, 1, 1, 2]),
        })
        {
            CaffeModelFile file = Read(bytes);
            Assert.Equal(("some-file", "LeNet"), (file.Name, file.Network));
            Assert.Equal(["mnist Data", "ip1 InnerProduct", "relu1 ReLU"], file.Layers.Select(l => $"{l.Name} {l.Type}"));
            Assert.Equal([new CaffeTransform(1 / 256f, false), null, null], file.Layers.Select(l => l.Transform));
            Assert.Equal([0, 2, 0], file.Layers.Select(l => l.Blobs.Count));
            Assert.Equal(weights, file.Layers[1].Blobs[0].Shape);
            Assert.Equal(biases, file.Layers[1].Blobs[1].Shape);
            Assert.Equal(Six.Select(BitConverter.SingleToUInt32Bits), file.Layers[1].Blobs[0].Values.Select(BitConverter.SingleToUInt32Bits));
            Assert.Equal(Two, file.Layers[1].Blobs[1].Values);
        }
    }

    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        // name "N"; layer { name "a" type "T" blobs { data [1, -2] shape { dim [1, 2] } } }, each byte written out.
        byte[] bytes = Convert.FromHexString(
            "0A014E" + "A20618" + "0A0161" + "120154" + "3A10" + "2A08" + "0000803F000000C0" + "3A04" + "0A02" + "0102");
        CaffeModelFile file = Read(bytes);
        CaffeLayer layer = Assert.Single(file.Layers);
        Assert.Equal(("N", "a", "T"), (file.Network, layer.Name, layer.Type));
        Assert.Equal([1, 2], Assert.Single(layer.Blobs).Shape);
        Assert.Equal([1f, -2f], layer.Blobs[0].Values);
        Assert.Equal(bytes, (byte[])[.. Text(1, "N"), .. Bytes(100, Text(1, "a"), Text(2, "T"), Bytes(7, [.. Packed([1, -2]), .. Shape(1, 2)]))]);
    }

    [Fact]
    public void Values_may_be_packed_single_divided_or_of_64_bits()
    {
        byte[] shape = Shape(2, 3);
        foreach (byte[] blob in new byte[][]
        {
            [.. Packed(Six), .. shape],
            [.. shape, .. Unpacked(Six)],
            [.. Packed(Six[..2]), .. shape, .. Unpacked(Six[2..4]), .. Packed([]), .. Packed(Six[4..])],
            [.. Bytes(8, [.. Six.Select(v => BitConverter.GetBytes((double)v))]), .. shape],
            [.. Six.SelectMany(v => Double(8, v)), .. shape],
            [.. Packed(Six), .. Bytes(7, Number(1, 2), Number(9, 9), Number(1, 3))],
            // What was left over of training, and dimensions that a shape replaces.
            [.. Number(1, 9), .. Bytes(6, new byte[24]), .. Packed(Six), .. shape, .. Double(9, 1), .. Text(77, "later")],
        })
        {
            CaffeBlob read = Assert.Single(Assert.Single(Read(Layer("a", "T", blob)).Layers).Blobs);
            Assert.Equal([2, 3], read.Shape);
            Assert.Equal(Six.Select(BitConverter.SingleToUInt32Bits), read.Values.Select(BitConverter.SingleToUInt32Bits));
        }

        Assert.Equal([0.1f], Read(Layer("a", "T", [.. Double(8, 0.1)])).Layers[0].Blobs[0].Values);
        Assert.Empty(Read(Layer("a", "T", Shape(0, 5))).Layers[0].Blobs[0].Values);
    }

    [Fact]
    public void A_mean_is_noticed()
    {
        Assert.Equal(new CaffeTransform(1, true), Read(Bytes(100, Bytes(100, Text(4, "mean.binaryproto")))).Layers[0].Transform);
        Assert.Equal(new CaffeTransform(2, true), Read(Bytes(100, Bytes(100, Single(5, 104), Scale(2), Number(2, 1)))).Layers[0].Transform);
        Assert.Equal(new CaffeTransform(1, false), Read(Bytes(100, Bytes(100, Number(3, 227)))).Layers[0].Transform);
    }

    [Fact]
    public void What_is_wrong_is_named_with_its_place()
    {
        byte[] six = Packed(Six);
        Assert.Contains("it has no layers", Refusal([]), StringComparison.Ordinal);
        Assert.Contains("it has no layers", Refusal(Text(1, "LeNet")), StringComparison.Ordinal);
        Assert.Contains("where a field should begin there is none (0)", Refusal([0, 0]), StringComparison.Ordinal);
        Assert.Contains("there is none (11)", Refusal([0x0B]), StringComparison.Ordinal); // a group
        Assert.Contains("ends within a number", Refusal([0xA2]), StringComparison.Ordinal);
        Assert.Contains("more than 64 bits", Refusal([.. Enumerable.Repeat((byte)0xFF, 10)]), StringComparison.Ordinal);
        Assert.Contains("a field has 2147483647 bytes by its own word, but only 0 follow", Refusal([0x0A, .. Varint(int.MaxValue)]), StringComparison.Ordinal);
        Assert.Contains("a field has 18446744073709551615 bytes", Refusal([0x0A, .. Varint(ulong.MaxValue)]), StringComparison.Ordinal);
        Assert.Contains("its layer is not written as one (Varint in place of Bytes)", Refusal(Number(100, 1)), StringComparison.Ordinal);
        Assert.Contains("its layer's type is not written as one", Refusal(Bytes(2, Text(5, "InnerProduct"))), StringComparison.Ordinal);
        Assert.Contains("layer 'ip1' has a blob of 2x4 with 6 values", Refusal(Layer("ip1", "T", [.. six, .. Shape(2, 4)])), StringComparison.Ordinal);
        Assert.Contains("layer 'ip1' has a blob of 65536x65536x65536x65536 with 6 values", Refusal(Layer("ip1", "T", [.. six, .. Shape(65536, 65536, 65536, 65536)])), StringComparison.Ordinal);
        Assert.Contains("a blob with a dimension of -1", Refusal(Layer("ip1", "T", [.. six, .. Number(1, ulong.MaxValue)])), StringComparison.Ordinal);
        Assert.Contains("more than 32 dimensions", Refusal(Layer("ip1", "T", Shape([.. Enumerable.Repeat(1, 33)]))), StringComparison.Ordinal);
        Assert.Contains("values are not numbers of 4 bytes", Refusal(Layer("ip1", "T", [.. Bytes(5, [1, 2, 3])])), StringComparison.Ordinal);
        Assert.Contains("values are not numbers of 4 bytes", Refusal(Layer("ip1", "T", Double(5, 1))), StringComparison.Ordinal);
        Assert.Contains("values are not numbers of 8 bytes", Refusal(Layer("ip1", "T", Single(8, 1))), StringComparison.Ordinal);
        Assert.Contains("layer 1 is written as before 2014", Refusal(OldLayer("a", 14), Bytes(2, Bytes(1, Text(1, "ip1")))), StringComparison.Ordinal);
        Assert.Contains("layer '?[31mx' has", Refusal(Layer("\u001b[31mx", "T", six)), StringComparison.Ordinal);
        Assert.InRange(Refusal(Layer(new string('n', 100_000), "T", six)).Length, 100, 400);
        Assert.Equal("type 99", Read(OldLayer("a", 99)).Layers[0].Type);
        // Text, and the first bytes of HDF5, are no messages.
        Refusal("name: \"LeNet\"\nlayer {\n  name: \"mnist\"\n"u8.ToArray());
        Refusal([0x89, .. "HDF\r\n"u8, 0x1A, 0x0A, 0, 0, 0, 0]);
    }

    [Fact]
    public void Small_files_take_little_memory_whatever_they_say()
    {
        byte[] layers = [.. Enumerable.Range(0, 10_000).SelectMany(_ => Bytes(100))];
        byte[] blobs = Bytes(100, [.. Enumerable.Range(0, 10_000).Select(_ => Bytes(7, OldShape(0, 0)))]);
        Assert.Equal(10_000, Read(layers).Layers.Count);
        Assert.Equal(10_000, Read(blobs).Layers[0].Blobs.Count);
        Mutants.Outcome outcome = Mutants.Check(
            [layers, blobs, [.. layers, .. Bytes(2)], [.. blobs, .. Bytes(2, Bytes(6))], Layer("a", "T", Shape(int.MaxValue, 1))], b =>
            {
                CaffeModelFile.Read(b, "f");
                return () => { };
            });
        Assert.Equal(2, outcome.Valid);
        Assert.Equal(3, outcome.Messages.Count);
    }

    [Fact]
    public void Files_are_read_by_path()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("a.caffemodel", NewModel());
        Assert.Equal(3, CaffeModelFile.Read(path).Layers.Count);
        Assert.Contains("missing", Assert.Throws<AdmmKitException>(() => CaffeModelFile.Read(path + "missing")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_mutants_are_errors_or_models_and_nothing_else()
    {
        byte[][] sources = [NewModel(), OldModel(), [.. Layer("a", "T", [.. Six.SelectMany(v => Double(8, v)), .. Shape(6)]), .. NewModel()]];
        foreach (IEnumerable<byte[]> mutants in new[]
        {
            Mutants.Of("caffemodel", Mutants.Wanted, sources),
            sources.SelectMany(s => Mutants.OfEveryCount(s, Enumerable.Range(0, s.Length))),
        })
        {
            Mutants.Outcome outcome = Mutants.Check(mutants, mutant =>
            {
                CaffeModelFile file = CaffeModelFile.Read(mutant, "some-file");
                return () =>
                {
                    Assert.NotEmpty(file.Layers);
                    CaffeBlob[] blobs = [.. file.Layers.SelectMany(l => l.Blobs)];
                    Assert.All(blobs, b => Assert.Equal(b.Shape.Aggregate(1L, (x, y) => x * y), b.Values.Length));
                    Assert.InRange(sizeof(float) * blobs.Sum(b => b.Values.Length), 0, mutant.Length);
                };
            }, allowance: 65_536);
            Assert.InRange(outcome.Valid, 100, outcome.Count - 1000);
            Assert.True(outcome.Messages.Count > 10, $"only {outcome.Messages.Count} kinds of errors");
            Assert.All(outcome.Messages, m => Assert.StartsWith("'some-file' ", m, StringComparison.Ordinal));
        }
    }
}
