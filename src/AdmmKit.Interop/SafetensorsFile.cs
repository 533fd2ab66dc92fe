using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using AdmmKit.Storage;

namespace AdmmKit.Interop;

/// <summary>
/// A file of named tensors in the safetensors format: the length of a JSON header in eight bytes, little-endian; the header,
/// which gives for each tensor its type, its shape and where its bytes are, and under "__metadata__" texts by name; then the
/// bytes. The header must fit the file exactly: no byte without a tensor, none with two.
/// </summary>
public sealed class SafetensorsFile
{
    /// <summary>The longest header that is read or written: 100 MB, as in the format's reference implementation.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    /// <summary>The longest file that is read: 2 GB, for it is held in one array.</summary>
    public const int MaxBytes = ForeignFile.MaxBytes;

    private const int LengthBytes = 8;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Dictionary<string, SafetensorsTensor> byName;

    private SafetensorsFile(string name, IReadOnlyList<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        (Name, Tensors, Metadata) = (name, tensors, metadata);
        byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>What it is called in errors.</summary>
    public string Name { get; }

    /// <summary>The tensors in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors { get; }

    /// <summary>The texts of "__metadata__"; often none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensor of a name.</summary>
    /// <param name="tensor">Its name.</param>
    /// <exception cref="AdmmKitException">There is none; the nearest name is suggested.</exception>
    public SafetensorsTensor this[string tensor] => byName.TryGetValue(tensor, out SafetensorsTensor? found)
        ? found
        : throw new AdmmKitException($"'{Name}': {Names.Unknown("tensor", tensor, byName.Keys)}");

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadFileException">It is no safetensors file, or is damaged.</exception>
    /// <exception cref="AdmmKitException">It cannot be read at all.</exception>
    public static SafetensorsFile Read(string path) => Read(ForeignFile.Read(path), path);

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="stream">The bytes of one file.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="BadFileException">It is no safetensors file, or is damaged.</exception>
    public static SafetensorsFile Read(Stream stream, string name) => Read(ForeignFile.Read(stream, name), name);

    /// <summary>Reads the bytes of one file; the tensors are parts of them, so they must not change.</summary>
    /// <param name="bytes">All of them.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="BadFileException">It is no safetensors file, or is damaged.</exception>
    public static SafetensorsFile Read(ReadOnlyMemory<byte> bytes, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ForeignFile.CheckLength(bytes.Length, name);
        try
        {
            int header = HeaderLength(bytes.Span);
            ReadOnlyMemory<byte> data = bytes[(LengthBytes + header)..];
            var parsed = SafetensorsHeader.Parse(bytes.Span.Slice(LengthBytes, header), data.Length);
            return new SafetensorsFile(
                name,
                [.. parsed.Entries.Select(e => new SafetensorsTensor(e.Name, e.Type, e.Shape, data[(int)e.Begin..(int)e.End]))],
                parsed.Metadata);
        }
        catch (BadFileException e)
        {
            throw new BadFileException(
                $"'{name}' is no safetensors file that can be read: {e.Message}. Fetch it again, or have it written by another program.", e);
        }
    }

    /// <summary>Writes a file; a reader sees the old one or the new one, never a part.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">
    /// The tensors, each with a name of its own. Those of wide values come first, otherwise in this order, so that every value
    /// lies at a multiple of its size in the file.
    /// </param>
    /// <param name="metadata">Texts by name, or null for none.</param>
    /// <exception cref="AdmmKitException">Two tensors share a name, a name cannot be written, or the file cannot.</exception>
    public static void Write(
        string path, IReadOnlyList<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata));

    /// <summary>Writes the bytes of a file.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="tensors">The tensors, each with a name of its own; those of wide values are written first.</param>
    /// <param name="metadata">Texts by name, or null for none.</param>
    /// <exception cref="AdmmKitException">Two tensors share a name, or a name cannot be written.</exception>
    public static void Write(
        Stream stream, IReadOnlyList<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        SafetensorsTensor[] ordered = [.. tensors.OrderByDescending(t => SafetensorsTypes.SizeOf(t.Type))];
        ReadOnlySpan<byte> header = Header(ordered, metadata);
        Span<byte> length = stackalloc byte[LengthBytes];
        // Filled up with blanks, which JSON ignores, so that the data begins at a multiple of eight.
        int padded = (header.Length + LengthBytes - 1) / LengthBytes * LengthBytes;
        CheckHeaderLength((ulong)padded);
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)padded);
        stream.Write(length);
        stream.Write(header);
        length.Fill((byte)' ');
        stream.Write(length[..(padded - header.Length)]);
        foreach (SafetensorsTensor tensor in ordered)
        {
            stream.Write(tensor.Bytes);
        }
    }

    internal static void CheckHeaderLength(ulong bytes)
    {
        if (bytes > MaxHeaderBytes)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"its header has {bytes} bytes, more than the {MaxHeaderBytes} that a header may have"));
        }
    }

    private static int HeaderLength(ReadOnlySpan<byte> bytes)
    {
        if (!BinaryPrimitives.TryReadUInt64LittleEndian(bytes, out ulong length))
        {
            throw new BadFileException(FormattableString.Invariant(
                $"it has {bytes.Length} bytes, and the length of a header alone takes {LengthBytes}"));
        }

        CheckHeaderLength(length);
        return length <= (ulong)(bytes.Length - LengthBytes) ? (int)length : throw new BadFileException(FormattableString.Invariant(
            $"its header has {length} bytes by its first {LengthBytes}, but only {bytes.Length - LengthBytes} follow"));
    }

    private static ReadOnlySpan<byte> Header(SafetensorsTensor[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        var names = new HashSet<string>(StringComparer.Ordinal) { SafetensorsHeader.MetadataName };
        json.WriteStartObject();
        if (metadata is { Count: > 0 })
        {
            json.WriteStartObject(SafetensorsHeader.MetadataName);
            foreach ((string key, string text) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
            {
                json.WriteString(Unicode(key), Unicode(text));
            }

            json.WriteEndObject();
        }

        long position = 0;
        foreach (SafetensorsTensor tensor in tensors)
        {
            if (!names.Add(tensor.Name))
            {
                throw new AdmmKitException(
                    $"The name '{tensor.Name}' is taken, by another tensor or by the format: give each tensor its own.");
            }

            json.WriteStartObject(Unicode(tensor.Name));
            json.WriteString("dtype", SafetensorsTypes.NameOf(tensor.Type));
            WriteNumbers(json, "shape", tensor.Shape.Select(d => (long)d));
            WriteNumbers(json, "data_offsets", [position, position += tensor.Bytes.Length]);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan;
    }

    private static void WriteNumbers(Utf8JsonWriter json, string field, IEnumerable<long> numbers)
    {
        json.WriteStartArray(field);
        foreach (long number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    /// <summary>The text, if it is one: half a surrogate pair would be written as another character, in silence.</summary>
    private static string Unicode(string text)
    {
        try
        {
            Strict.GetByteCount(text);
            return text;
        }
        catch (EncoderFallbackException e)
        {
            throw new AdmmKitException($"'{text}' is not Unicode (half a surrogate pair) and cannot be written: change the name or text.", e);
        }
    }
}
