using System.Text.Json;
using System.Text.Unicode;

namespace AdmmKit.Interop;

/// <summary>The JSON header of a safetensors file, of which nothing is believed before it is checked.</summary>
/// <param name="Entries">The tensors in the order of their data, which they cover without a gap or an overlap.</param>
/// <param name="Metadata">The texts of "__metadata__".</param>
internal sealed record SafetensorsHeader(
    IReadOnlyList<SafetensorsHeader.Entry> Entries, IReadOnlyDictionary<string, string> Metadata)
{
    public const string MetadataName = "__metadata__";

    // Header, tensor, shape: nothing of the format is nested deeper.
    private const int MaxDepth = 3;

    private static readonly string[] Fields = ["dtype", "shape", "data_offsets"];

    /// <summary>Where a tensor is in the data.</summary>
    public sealed record Entry(string Name, SafetensorsType Type, int[] Shape, long Begin, long End);

    /// <summary>Reads the header.</summary>
    /// <param name="json">Its bytes.</param>
    /// <param name="dataLength">Bytes of the file that follow it.</param>
    /// <exception cref="BadFileException">Something is wrong; the message says what and where, not in which file.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
        {
            throw new BadFileException("its header does not begin with '{'");
        }

        if (!Utf8.IsValid(json))
        {
            throw new BadFileException("its header is not valid UTF-8");
        }

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            SafetensorsHeader header = ReadHeader(ref reader);
            // Throws where anything but blanks, with which writers fill the header up, comes after it.
            reader.Read();
            return header with { Entries = InOrder(header.Entries, dataLength) };
        }
        catch (JsonException e)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"its header is not JSON of at most {MaxDepth} levels (byte {reader.BytesConsumed} of {json.Length})"), e);
        }
    }

    private static SafetensorsHeader ReadHeader(ref Utf8JsonReader reader)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var entries = new List<Entry>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject, "its header");
        while (NextName(ref reader) is { } name)
        {
            if (!names.Add(name))
            {
                throw new BadFileException($"its header names {ForeignFile.Shown(name)} twice");
            }

            if (name == MetadataName)
            {
                ReadMetadata(ref reader, metadata);
            }
            else
            {
                entries.Add(ReadEntry(ref reader, name));
            }
        }

        return new SafetensorsHeader(entries, metadata);
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        Expect(ref reader, JsonTokenType.StartObject, MetadataName);
        while (NextName(ref reader) is { } key)
        {
            Expect(ref reader, JsonTokenType.String, $"{MetadataName} {ForeignFile.Shown(key)}");
            if (!metadata.TryAdd(key, Text(ref reader)))
            {
                throw new BadFileException($"its {MetadataName} names {ForeignFile.Shown(key)} twice");
            }
        }
    }

    private static Entry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        string where = $"tensor {ForeignFile.Shown(name)}";
        (SafetensorsType? type, int[]? shape, long[]? offsets) = (null, null, null);
        Expect(ref reader, JsonTokenType.StartObject, where);
        while (NextName(ref reader) is { } field)
        {
            bool again;
            switch (field)
            {
                case "dtype":
                    again = type is not null;
                    Expect(ref reader, JsonTokenType.String, $"the dtype of {where}");
                    type = TypeOf(Text(ref reader), where);
                    break;
                case "shape":
                    again = shape is not null;
                    shape = [.. Numbers(ref reader, int.MaxValue, $"the shape of {where}").Select(n => (int)n)];
                    break;
                case "data_offsets":
                    again = offsets is not null;
                    offsets = [.. Numbers(ref reader, long.MaxValue, $"the data_offsets of {where}")];
                    break;
                default:
                    // Skipped, it could be something that changes what the bytes mean.
                    throw new BadFileException($"{where}: {Names.Unknown("field", ForeignFile.Short(field), Fields).TrimEnd('.')}");
            }

            if (again)
            {
                throw new BadFileException($"{where} has two fields '{field}'");
            }
        }

        if (type is not { } known || shape is null || offsets is null)
        {
            throw new BadFileException($"{where} lacks one of the fields {string.Join(", ", Fields)}");
        }

        return Checked(name, known, shape, offsets, where);
    }

    private static Entry Checked(string name, SafetensorsType type, int[] shape, long[] offsets, string where)
    {
        if (offsets is not [var begin, var end] || begin > end)
        {
            throw new BadFileException($"the data_offsets of {where} are not a begin and an end after it");
        }

        if (SafetensorsTensor.SizeOf(type, shape) is not { } size)
        {
            throw new BadFileException(FormattableString.Invariant($"the shape of {where} stands for more than {int.MaxValue} bytes"));
        }

        return size == end - begin ? new Entry(name, type, shape, begin, end) : throw new BadFileException(FormattableString.Invariant(
            $"{where} has {end - begin} bytes by its data_offsets, but {size} by its shape and dtype"));
    }

    /// <summary>The tensors in the order of their data: each begins where the one before ends, and the last ends with the file.</summary>
    private static List<Entry> InOrder(IReadOnlyList<Entry> entries, long dataLength)
    {
        // Of tensors that begin together the empty ones come first.
        List<Entry> ordered = [.. entries.OrderBy(e => e.Begin).ThenBy(e => e.End)];
        long position = 0;
        foreach (Entry entry in ordered)
        {
            if (entry.End > dataLength)
            {
                throw new BadFileException(FormattableString.Invariant(
                    $"tensor {ForeignFile.Shown(entry.Name)} ends at byte {entry.End} of the data, of which there are {dataLength}"));
            }

            if (entry.Begin != position)
            {
                throw new BadFileException(FormattableString.Invariant(entry.Begin < position
                    ? (FormattableString)$"tensor {ForeignFile.Shown(entry.Name)} begins within another one, at byte {entry.Begin} of the data"
                    : $"no tensor has the bytes {position} to {entry.Begin} of the data, before tensor {ForeignFile.Shown(entry.Name)}"));
            }

            position = entry.End;
        }

        return position == dataLength ? ordered : throw new BadFileException(FormattableString.Invariant(
            $"no tensor has the last {dataLength - position} of its {dataLength} bytes of data"));
    }

    private static SafetensorsType TypeOf(string name, string where) => SafetensorsTypes.TryParse(name, out SafetensorsType type)
        ? type
        : throw new BadFileException(
            $"{where} has a dtype that is not read. {Names.Unknown("dtype", ForeignFile.Short(name), SafetensorsTypes.Names).TrimEnd('.')}");

    private static List<long> Numbers(ref Utf8JsonReader reader, long most, string what)
    {
        Expect(ref reader, JsonTokenType.StartArray, what);
        var numbers = new List<long>();
        while (Next(ref reader) != JsonTokenType.EndArray)
        {
            bool valid = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number) && number >= 0 && number <= most;
            numbers.Add(valid ? reader.GetInt64() : throw new BadFileException(FormattableString.Invariant(
                $"{what} holds something else than whole numbers from 0 to {most}")));
        }

        return numbers;
    }

    /// <summary>The next name in an object, or null at its end.</summary>
    private static string? NextName(ref Utf8JsonReader reader) =>
        Next(ref reader) == JsonTokenType.PropertyName ? Text(ref reader) : null;

    private static JsonTokenType Next(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token, string what)
    {
        if (Next(ref reader) != token)
        {
            string kind = token switch { JsonTokenType.StartObject => "an object", JsonTokenType.StartArray => "an array", _ => "text" };
            throw new BadFileException($"{what} is not {kind}");
        }
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // An escape such as \ud800 alone.
            throw new BadFileException(FormattableString.Invariant(
                $"its header has text that is not Unicode (byte {reader.TokenStartIndex})"), e);
        }
    }
}
