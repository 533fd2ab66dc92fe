using System.Buffers.Binary;
using System.Text;
using AdmmKit.Interop;
using AdmmKit.Tests.Data;

namespace AdmmKit.Tests.Interop;

public class SafetensorsFileTests
{
    private static readonly byte[] Eight = [1, 2, 3, 4, 5, 6, 7, 8];

    // Types of all widths, an empty tensor and a single value, in an order that the file does not keep.
    private static readonly SafetensorsTensor[] Mixed =
    [
        new("small", SafetensorsType.I8, [3], new byte[] { 1, 0xFF, 0x80 }),
        new("empty", SafetensorsType.F32, [2, 0, 3], default(ReadOnlyMemory<byte>)),
        new("matrix", [2, 3], new[] { 1f, -2f, float.NaN, 0.1f, float.MaxValue, -0f }),
        new("wide", SafetensorsType.F64, [1], BitConverter.GetBytes(Math.PI)),
        new("single", [], new[] { 42f }),
        new("Größe \"\\\u0001😀", SafetensorsType.U8, [2, 1], new byte[] { 7, 9 }),
    ];

    private static SafetensorsFile Read(byte[] bytes) => SafetensorsFile.Read(bytes, "some-file");

    private static byte[] Written(IReadOnlyList<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var stream = new MemoryStream();
        SafetensorsFile.Write(stream, tensors, metadata);
        return stream.ToArray();
    }

    /// <summary>A file of a header as given, whatever it says.</summary>
    private static byte[] FileOf(string header, byte[]? data = null) => FileOf(Encoding.UTF8.GetBytes(header), data ?? Eight);

    private static byte[] FileOf(byte[] header, byte[] data)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. data];
    }

    private static string Refusal(byte[] bytes)
    {
        string message = Assert.Throws<BadFileException>(() => Read(bytes)).Message;
        Assert.StartsWith("'some-file' is no safetensors file that can be read: ", message, StringComparison.Ordinal);
        Assert.EndsWith("Fetch it again, or have it written by another program.", message, StringComparison.Ordinal);
        return message;
    }

    [Fact]
    public void What_is_written_is_read_back_to_the_last_bit()
    {
        var metadata = new Dictionary<string, string> { ["b"] = "zwei\n", ["a"] = "" };
        SafetensorsFile file = Read(Written(Mixed, metadata));
        Assert.Equal(["wide", "empty", "matrix", "single", "small", Mixed[5].Name], file.Tensors.Select(t => t.Name));
        foreach (SafetensorsTensor tensor in Mixed)
        {
            SafetensorsTensor read = file[tensor.Name];
            Assert.Equal((tensor.Type, tensor.Count), (read.Type, read.Count));
            Assert.Equal(tensor.Shape, read.Shape);
            Assert.True(tensor.Bytes.SequenceEqual(read.Bytes));
        }

        Assert.Equal([new("a", ""), new("b", "zwei\n")], file.Metadata);
        Assert.Contains("Did you mean 'matrix'?", Assert.Throws<AdmmKitException>(() => file["matrixes"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        byte[] bytes = Written(
            [new("b", SafetensorsType.U8, [2], new byte[] { 5, 6 }), new("a", [1, 2], new[] { 1f, -2f })],
            new Dictionary<string, string> { ["k"] = "v" });
        const string Header = """{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[2],"data_offsets":[8,10]}}""";
        byte[] expected = [136, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(Header.PadRight(136)), 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 5, 6];
        Assert.InRange(Header.Length, 129, 135); // blanks fill it up, so that the data begins at a multiple of eight
        Assert.Equal(expected, bytes);
    }

    [Fact]
    public void Every_value_lies_at_a_multiple_of_its_size()
    {
        byte[] bytes = Written(Mixed);
        long header = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.Equal(0, header % 8);
        long position = 8 + header;
        foreach (SafetensorsTensor tensor in Read(bytes).Tensors.Where(t => t.Count > 0))
        {
            Assert.Equal(0, position % (tensor.Bytes.Length / tensor.Count));
            position += tensor.Bytes.Length;
        }

        Assert.Equal(bytes.Length, position);
    }

    [Fact]
    public void A_file_without_tensors_is_a_file()
    {
        SafetensorsFile file = Read(Written([]));
        Assert.Empty(file.Tensors);
        Assert.Empty(file.Metadata);
        Assert.Empty(Read(FileOf("{}", [])).Tensors);
    }

    [Theory]
    [InlineData("BOOL", "0001", new[] { 0f, 1f })]
    [InlineData("U8", "00FF", new[] { 0f, 255f })]
    [InlineData("I8", "7F80", new[] { 127f, -128f })]
    [InlineData("U16", "0100FFFF", new[] { 1f, 65535f })]
    [InlineData("I16", "01000080", new[] { 1f, -32768f })]
    [InlineData("F16", "003C01000080FF7B", new[] { 1f, 5.9604645e-8f, -0f, 65504f })]
    [InlineData("F16", "007C00FE", new[] { float.PositiveInfinity, float.NaN })]
    [InlineData("BF16", "803F80BF7F7F", new[] { 1f, -1f, 3.3895314e38f })]
    [InlineData("U32", "01000000FFFFFFFF", new[] { 1f, 4294967296f })]
    [InlineData("I32", "FFFFFFFF00000080", new[] { -1f, -2147483648f })]
    [InlineData("F32", "0000803F000080FF", new[] { 1f, float.NegativeInfinity })]
    [InlineData("U64", "0100000000000000FFFFFFFFFFFFFFFF", new[] { 1f, 18446744073709551616f })]
    [InlineData("I64", "FFFFFFFFFFFFFFFF0000000000000080", new[] { -1f, -9223372036854775808f })]
    [InlineData("F64", "182D4454FB210940000000000000F0BF", new[] { 3.1415927f, -1f })]
    public void Every_type_is_read_as_floats(string dtype, string hex, float[] values)
    {
        byte[] data = Convert.FromHexString(hex);
        SafetensorsTensor tensor = Read(FileOf(FormattableString.Invariant(
            $$$"""{"t":{"dtype":"{{{dtype}}}","shape":[{{{values.Length}}}],"data_offsets":[0,{{{data.Length}}}]}}"""), data))["t"];
        Assert.Equal(dtype, tensor.Type.ToString(), ignoreCase: true);
        Assert.Equal(values, tensor.ToSingles());
        Assert.Equal(data, tensor.Bytes.ToArray());
        var e = Assert.Throws<AdmmKitException>(() => tensor.CopySingles(new float[values.Length + 1]));
        Assert.Contains("'t'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_large_is_copied()
    {
        var values = new float[1 << 20];
        var bytes = new byte[(4 << 20) + 1000];
        using var stream = new MemoryStream(bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        SafetensorsFile.Write(stream, [new SafetensorsTensor("t", [1 << 10, 1 << 10], values)]);
        SafetensorsTensor read = SafetensorsFile.Read(bytes.AsMemory(0, (int)stream.Position), "memory").Tensors[0];
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);
        Assert.Equal(1 << 20, read.Count);
        // From a stream that tells its length, once.
        stream.SetLength(stream.Position);
        stream.Position = 0;
        before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(1 << 20, SafetensorsFile.Read(stream, "stream").Tensors[0].Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 4 << 20, 5 << 20);
    }

    [Fact]
    public void Files_are_read_by_path_and_from_streams_that_do_not_tell_their_length()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "new", "a.safetensors");
        SafetensorsFile.Write(path, Mixed);
        Assert.Equal(6, SafetensorsFile.Read(path).Tensors.Count);
        using var unpacking = new System.IO.Compression.GZipStream(
            new MemoryStream(TemporaryFolder.Gzip(File.ReadAllBytes(path))), System.IO.Compression.CompressionMode.Decompress);
        Assert.Equal(42f, SafetensorsFile.Read(unpacking, "gzip")["single"].ToSingles()[0]);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
        Assert.Contains("missing", Assert.Throws<AdmmKitException>(() => SafetensorsFile.Read(path + "missing")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "it has 0 bytes")]
    [InlineData("10000000000000", "it has 7 bytes")]
    [InlineData("0300000000000000" + "7B7D", "its header has 3 bytes by its first 8, but only 2 follow")]
    [InlineData("01E1F50500000000" + "7B7D", "its header has 100000001 bytes, more than the 100000000")]
    [InlineData("FFFFFFFFFFFFFFFF" + "7B7D", "its header has 18446744073709551615 bytes")]
    [InlineData("0000000000000000", "does not begin with '{'")]
    [InlineData("0200000000000000" + "207B", "does not begin with '{'")]
    [InlineData("0600000000000000" + "7B22FF223A7D", "not valid UTF-8")]
    [InlineData("0300000000000000" + "7B7D7D", "not JSON of at most 3 levels")]
    public void A_wrong_beginning_is_named(string hex, string message) =>
        Assert.Contains(message, Refusal(Convert.FromHexString(hex)), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"a":[]}""", "tensor 'a' is not an object")]
    [InlineData("""{"a":{"dtype":1}}""", "the dtype of tensor 'a' is not text")]
    [InlineData("""{"a":{"shape":8}}""", "the shape of tensor 'a' is not an array")]
    [InlineData("""{"a":{"shape":[[8]]}}""", "at most 3 levels")]
    [InlineData("""{"a":{"shape":[-1]}}""", "the shape of tensor 'a' holds something else than whole numbers from 0 to 2147483647")]
    [InlineData("""{"a":{"shape":[2147483648]}}""", "the shape of tensor 'a' holds")]
    [InlineData("""{"a":{"shape":["8"]}}""", "the shape of tensor 'a' holds")]
    [InlineData("""{"a":{"shape":[1.5]}}""", "the shape of tensor 'a' holds")]
    [InlineData("""{"a":{"data_offsets":[0,9223372036854775808]}}""", "the data_offsets of tensor 'a' holds")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""", "tensor 'a' has a dtype that is not read. There is no dtype 'F8_E4M3'")]
    [InlineData("""{"a":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}""", "Did you mean 'F32'?")]
    [InlineData("""{"a":{"dtype":"5","shape":[2],"data_offsets":[0,8]}}""", "There is no dtype '5'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offset":[0,8]}}""", "Did you mean 'data_offsets'?")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", "tensor 'a' lacks one of the fields dtype, shape, data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32"}}""", "tensor 'a' has two fields 'dtype'")]
    [InlineData("""{"a":{"shape":[],"shape":[]}}""", "tensor 'a' has two fields 'shape'")]
    [InlineData("""{"a":{"data_offsets":[0,8],"data_offsets":[0,8]}}""", "two fields 'data_offsets'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}""", "not a begin and an end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "not a begin and an end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "tensor 'a' has 8 bytes by its data_offsets, but 12 by its shape and dtype")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2147483647,2147483647,0],"data_offsets":[0,8]}}""", "stands for more than 2147483647 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "tensor 'a' ends at byte 12 of the data, of which there are 8")]
    [InlineData("""{"a":{"dtype":"U8","shape":[7],"data_offsets":[0,7]}}""", "no tensor has the last 1 of its 8 bytes")]
    [InlineData("""{"a":{"dtype":"U8","shape":[7],"data_offsets":[1,8]}}""", "no tensor has the bytes 0 to 1 of the data, before tensor 'a'")]
    [InlineData("""{"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "tensor 'b' begins within another one, at byte 3 of the data")]
    [InlineData("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "within another")]
    [InlineData("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "its header names 'a' twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"\u0061":{}}""", "its header names 'a' twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", "names '__metadata__' twice")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", "its __metadata__ names 'a' twice")]
    [InlineData("""{"__metadata__":{"a":1}}""", "__metadata__ 'a' is not text")]
    [InlineData("""{"__metadata__":{"a":{}}}""", "__metadata__ 'a' is not text")]
    [InlineData("""{"__metadata__":"a"}""", "__metadata__ is not an object")]
    [InlineData("""{"\ud800":{}}""", "text that is not Unicode (byte 1)")]
    [InlineData("""{"\u001b[31m":[]}""", "tensor '?[31m' is not an object")]
    [InlineData("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},}""", "not JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}} x""", "not JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}""", "not JSON")]
    public void Everything_else_that_is_wrong_is_named_with_its_place(string header, string message) =>
        Assert.Contains(message, Refusal(FileOf(header)), StringComparison.Ordinal);

    [Fact]
    public void Deep_nesting_and_long_names_are_refused_in_few_words()
    {
        Assert.Contains("at most 3 levels", Refusal(FileOf("""{"a":{"shape":""" + new string('[', 100_000))), StringComparison.Ordinal);
        Assert.InRange(Refusal(FileOf($$$"""{"{{{new string('n', 100_000)}}}":{"{{{new string('f', 100_000)}}}":1}}""")).Length, 100, 600);
    }

    [Fact]
    public void Empty_tensors_may_lie_anywhere_between_others()
    {
        SafetensorsFile file = Read(FileOf(
            """{"c":{"dtype":"U8","shape":[4],"data_offsets":[4,8]},"e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"z":{"dtype":"I64","shape":[0,5],"data_offsets":[8,8]}}"""));
        Assert.Equal(["a", "e", "c", "z"], file.Tensors.Select(t => t.Name));
        Assert.Equal([5f, 6f, 7f, 8f], file["c"].ToSingles());
        Assert.Contains(
            "within another",
            Refusal(FileOf("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"e":{"dtype":"U8","shape":[0],"data_offsets":[3,3]}}""")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_file_can_hold_is_not_written()
    {
        SafetensorsTensor Tensor(string name) => new(name, [1], new float[1]);
        string Refused(params SafetensorsTensor[] tensors) => Assert.Throws<AdmmKitException>(() => Written(tensors)).Message;
        Assert.Contains("'a' is taken", Refused(Tensor("a"), Tensor("a")), StringComparison.Ordinal);
        Assert.Contains("'__metadata__' is taken", Refused(Tensor("__metadata__")), StringComparison.Ordinal);
        Assert.Contains("not Unicode", Refused(Tensor("\ud800")), StringComparison.Ordinal);
        Assert.Throws<AdmmKitException>(() => Written([], new Dictionary<string, string> { ["a"] = "\udc00" }));
        Assert.Throws<AdmmKitException>(() => new SafetensorsTensor("t", [2, 3], new float[5]));
        Assert.Throws<AdmmKitException>(() => new SafetensorsTensor("t", SafetensorsType.I16, [3], new byte[3]));
        Assert.Throws<AdmmKitException>(() => new SafetensorsTensor("t", SafetensorsType.I16, [0, -1], default(ReadOnlyMemory<byte>)));
        Assert.Contains("there is no type 99", Assert.Throws<AdmmKitException>(
            () => new SafetensorsTensor("t", (SafetensorsType)99, [3], new byte[3])).Message, StringComparison.Ordinal);
        Assert.Throws<BadFileException>(() => SafetensorsFile.CheckHeaderLength(SafetensorsFile.MaxHeaderBytes + 1));
        Assert.Contains("'long'", Assert.Throws<BadFileException>(
            () => ForeignFile.CheckLength(SafetensorsFile.MaxBytes + 1L, "long")).Message, StringComparison.Ordinal);
    }

    // What the runtime sets up once, when the first error suggests a name, is more than any file here takes.
    private const long RuntimesOwn = 200_000;

    [Fact]
    public void Ten_thousand_mutants_are_errors_or_files_and_nothing_else()
    {
        byte[][] sources =
        [
            Written(Mixed, new Dictionary<string, string> { ["k"] = "v" }), Written(Mixed[..3]), Written([Mixed[4]]),
            FileOf("""{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"b":{"data_offsets":[4,8],"shape":[4],"dtype":"U8"}}"""),
        ];
        foreach (IEnumerable<byte[]> mutants in new[]
        {
            Mutants.Of("safetensors", Mutants.Wanted, sources),
            // With the length made right again more of them get as far as the JSON.
            Mutants.Of("safetensors, header", Mutants.Wanted, [.. sources.Select(s => s[8..])]).Select(Framed),
            sources.SelectMany(s => Mutants.OfEveryCount(s, Enumerable.Range(0, s.Length))),
        })
        {
            Mutants.Outcome outcome = Mutants.Check(mutants, mutant =>
            {
                SafetensorsFile file = Read(mutant);
                return () =>
                {
                    Assert.Equal(file.Tensors.Count, file.Tensors.Select(t => t.Name).Distinct().Count());
                    Assert.All(file.Tensors, t => Assert.Equal(t.Shape.Aggregate(1L, (a, b) => a * b), t.ToSingles().Length));
                    Assert.InRange(file.Tensors.Sum(t => t.Bytes.Length), 0, mutant.Length - 8);
                    // What is written of it is the same file, but for its order and its blanks.
                    SafetensorsFile again = Read(Written(file.Tensors, file.Metadata));
                    Assert.All(file.Tensors, t => Assert.True(t.Bytes.SequenceEqual(again[t.Name].Bytes)));
                };
            }, RuntimesOwn);
            Assert.InRange(outcome.Valid, 10, outcome.Count - 500);
            Assert.True(outcome.Messages.Count > 5, $"only {outcome.Messages.Count} kinds of errors");
            Assert.All(outcome.Messages, m => Assert.StartsWith("'some-file' ", m, StringComparison.Ordinal));
        }
    }

    [ModelFact(ModelFactAttribute.ResNet20)]
    public void A_network_of_others_is_read()
    {
        SafetensorsFile file = SafetensorsFile.Read(ModelFactAttribute.PathOf(ModelFactAttribute.ResNet20)!);
        Assert.Equal([16, 3, 3, 3], file["conv1.weight"].Shape);
        Assert.Equal([10, 64], file["linear.weight"].Shape);
        // The 269,722 parameters that its author gives for ResNet-20.
        Assert.Equal(269_722, file.Tensors.Where(t => t.Name.EndsWith(".weight", StringComparison.Ordinal)
            || t.Name.EndsWith(".bias", StringComparison.Ordinal)).Sum(t => t.Count));
        Assert.All(file.Tensors, t => Assert.All(t.ToSingles(), v => Assert.True(float.IsFinite(v))));
    }

    /// <summary>A length, then the mutant as header and data, its last "}}" and the blanks after it ending the header.</summary>
    private static byte[] Framed(byte[] mutant)
    {
        int end = mutant.AsSpan().LastIndexOf("}}"u8) is >= 0 and var at ? at + 2 : 0;
        while (end > 0 && end < mutant.Length && mutant[end] == ' ')
        {
            end++;
        }

        return FileOf(mutant[..end], mutant[end..]);
    }
}
