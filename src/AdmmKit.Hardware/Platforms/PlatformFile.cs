using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Hardware.Platforms;

/// <summary>
/// Platforms as JSON files. A field that is unknown, missing or out of range is refused by its path, with the nearest valid
/// name or the range. docs/platforms.md lists the fields.
/// </summary>
public static partial class PlatformFile
{
    private const int MaximumBytes = 1 << 20;

    // Decimal, not double: what was read is written again as it stood, 15 digits of it.
    private const decimal MicrosecondsPerSecond = 1_000_000;

    private static readonly string[] Kinds = ["law", "structural", "measured"];

    private static readonly string[] CommonKeys =
    [
        "kind", "name", "description", "source", "pesDense", "pesSparse", "sramKiB", "indexBits", "frequencyMHz", "bandwidthGBPerSecond",
        "energyPicojoules",
    ];

    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        // The file is read by people and by this reader, never pasted into a web page: "+" and "'" stay as they are.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads a platform.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="AdmmKitException">It cannot be read, or is no platform; the message says where.</exception>
    public static Platform Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using FileStream stream = File.OpenRead(path);
            return Read(stream, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException(
                $"Could not read the platform '{path}': {e.Message.TrimEnd('.')}. Check the name and that you may read it.", e);
        }
    }

    /// <summary>Writes a platform.</summary>
    /// <param name="platform">The platform.</param>
    /// <param name="path">The file; missing folders are created.</param>
    /// <exception cref="AdmmKitException">
    /// It cannot be written, or could not be read again: a value is out of range, or the file would be too large.
    /// </exception>
    public static void Save(Platform platform, string path)
    {
        string text = Write(platform);
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > MaximumBytes)
        {
            throw new AdmmKitException(
                $"The platform '{platform.Name}' takes more than 1 MiB, which no reader accepts: leave out layers or points.");
        }

        Parse(text, path);
        AtomicFile.Write(path, stream => stream.Write(bytes));
    }

    /// <summary>Reads a platform.</summary>
    /// <param name="json">The text.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="BadFileException">It is no platform; the message says which field is wrong and what it could be.</exception>
    public static Platform Parse(string json, string name)
    {
        ArgumentNullException.ThrowIfNull(json);
        var file = JsonFields.Parse(json, name);
        return file.Choice("kind", Kinds) switch
        {
            "law" => ReadLaw(file),
            "structural" => ReadStructural(file),
            _ => ReadMeasured(file),
        };
    }

    /// <summary>A platform as JSON.</summary>
    /// <param name="platform">The platform.</param>
    /// <exception cref="AdmmKitException">It has no form as a file, or a number in it is not finite.</exception>
    public static string Write(Platform platform)
    {
        ArgumentNullException.ThrowIfNull(platform);
        (string kind, string key, JsonNode body) = platform switch
        {
            LawPlatform law => ("law", "law", (JsonNode)Body(law)),
            StructuralPlatform structural => ("structural", "structure", Body(structural)),
            MeasuredPlatform measured => ("measured", "layers", Body(measured)),
            _ => throw new AdmmKitException($"Platforms of the type {platform.GetType().Name} have no form as a file."),
        };
        JsonObject file = Common(platform, kind);
        file[key] = body;
        try
        {
            return file.ToJsonString(Options) + "\n";
        }
        catch (ArgumentException e)
        {
            throw new AdmmKitException(
                $"The platform '{platform.Name}' cannot be written: a number in it is infinite or none, which JSON does not have.", e);
        }
    }

    internal static Platform Read(Stream stream, string name)
    {
        // A pipe or a device does not say how long it is: read until there is too much.
        var bytes = new byte[MaximumBytes + 1];
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length <= MaximumBytes ? Parse(new StreamReader(new MemoryStream(bytes, 0, length)).ReadToEnd(), name)
            : throw new BadFileException($"'{name}' is larger than a platform can be (1 MiB): is it the right file?");
    }

    private static JsonObject Common(Platform platform, string kind)
    {
        PlatformResources r = platform.Resources;
        var file = new JsonObject { ["kind"] = kind, ["name"] = platform.Name };
        (string Key, JsonNode? Value)[] optional =
        [
            ("description", platform.Description.Length > 0 ? platform.Description : null),
            ("source", platform.Source.Length > 0 ? platform.Source : null),
            ("pesDense", r.DensePes), ("pesSparse", r.SparsePes), ("sramKiB", r.SramKiB), ("indexBits", r.IndexBits),
            ("frequencyMHz", r.FrequencyMHz), ("bandwidthGBPerSecond", r.BandwidthGBPerSecond),
            ("energyPicojoules", platform.Energy is { } e ? Body(e) : null),
        ];
        foreach ((string key, JsonNode? value) in optional.Where(o => o.Value is not null))
        {
            file[key] = value;
        }

        return file;
    }

    private static JsonObject Body(EnergyTable energy) => new()
    {
        ["mac"] = energy.Mac,
        ["weightRead"] = energy.WeightRead,
        ["inputRead"] = energy.InputRead,
        ["partialSum"] = energy.PartialSum,
        ["bufferRead"] = energy.BufferRead,
        ["bufferWrite"] = energy.BufferWrite,
        ["dram"] = energy.Dram,
        ["wordBits"] = energy.WordBits,
    };

    private static JsonObject Body(LawPlatform platform)
    {
        (string form, double a, double b, double t, double q) = platform.Law switch
        {
            LogarithmicLaw l => ("logarithmic", l.A, l.B, l.T, l.Q),
            LinearAreaLaw l => ("linearArea", l.A, l.B, l.T, l.Q),
            _ => throw new AdmmKitException($"Laws of the type {platform.Law.GetType().Name} have no form as a file."),
        };
        return new JsonObject { ["form"] = form, ["a"] = a, ["b"] = b, ["t"] = t, ["q"] = q };
    }

    private static JsonArray Body(MeasuredPlatform platform) => [.. platform.Layers.Select(l => new JsonObject
    {
        ["name"] = l.Name,
        ["kind"] = l.Kind == LayerKind.Convolution ? "convolution" : "fullyConnected",
        ["shape"] = l.Shape,
        ["macs"] = l.Macs,
        ["denseMicroseconds"] = Microseconds(l.DenseSeconds),
        ["points"] = new JsonArray([.. l.Points.Select(p => new JsonObject
        {
            ["keepFraction"] = p.KeepFraction,
            ["microseconds"] = Microseconds(p.Seconds),
        })]),
    })];

    // What is too large for a decimal is no time either: the reader refuses it by its path.
    private static double Microseconds(double seconds) => Math.Abs(seconds) <= MostMicroseconds
        ? (double)((decimal)seconds * MicrosecondsPerSecond) : seconds * (double)MicrosecondsPerSecond;
}
