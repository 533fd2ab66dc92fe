using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Results;

/// <summary>The data that a result was measured on.</summary>
/// <param name="Name">Its name, such as "mnist".</param>
/// <param name="Source">Where it comes from; of an absolute path only the last name is kept.</param>
/// <param name="Checksums">Checksum of each file, by file name.</param>
public sealed record DataOrigin(string Name, string Source, IReadOnlyDictionary<string, string> Checksums);

/// <summary>One step of training behind a result: a pretraining, a pruning or a quantization.</summary>
/// <param name="Variant">Which recipe of the experiment.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Step">The model that it made.</param>
/// <param name="Commit">The commit of the program that finished it; null outside a checkout.</param>
/// <param name="Dirty">Whether the checkout differed from that commit.</param>
/// <param name="Cpu">The processor's name.</param>
/// <param name="Threads">Threads used.</param>
/// <param name="Images">Training images seen since the pretraining began.</param>
/// <param name="Seconds">Time that the step took, in all processes that worked on it; null where it is not known.</param>
public sealed record RunRecord(
    string Variant, ulong Seed, string Step, string? Commit, bool? Dirty, string Cpu, int Threads, long Images, double? Seconds)
{
    /// <summary>The steps of a run.</summary>
    /// <param name="variant">Which recipe of the experiment.</param>
    /// <param name="run">The run.</param>
    public static IEnumerable<RunRecord> Of(string variant, RunResult run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return run.Models.Select(m => new RunRecord(
            variant, run.Recipe.Seed, m.Name, m.Origin.Commit, m.Origin.Dirty, m.Origin.Cpu, m.Origin.Threads, m.ImagesSeen,
            m.Seconds is { } seconds ? Math.Round(seconds, 1) : null));
    }
}

/// <summary>
/// Everything that a committed result rests on besides its numbers: <c>manifest.json</c>. It names no folder of the
/// machine it was made on, so that it can be published.
/// </summary>
public sealed record Manifest
{
    // Written for people, to a file and not into a web page: "+" and quotation marks stay as they are.
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The commit of the source that ran; null outside a checkout.</summary>
    public string? Commit { get; init; }

    /// <summary>Whether files of the checkout, other than results, differed from that commit; null outside a checkout.</summary>
    public bool? Dirty { get; init; }

    /// <summary>The command that was run.</summary>
    public required string CommandLine { get; init; }

    /// <summary>The first seed; <see cref="Runs"/> names all.</summary>
    public ulong Seed { get; init; }

    /// <summary>All settings of the run.</summary>
    public JsonElement? Recipe { get; init; }

    /// <summary>Version of each package and of AdmmKit's own assemblies.</summary>
    public IReadOnlyDictionary<string, string> Packages { get; init; } = new Dictionary<string, string>();

    /// <summary>The .NET version.</summary>
    public string Runtime { get; init; } = "";

    /// <summary>The operating system.</summary>
    public string OperatingSystem { get; init; } = "";

    /// <summary>The processor's name.</summary>
    public string Cpu { get; init; } = "";

    /// <summary>The vector instructions that were available.</summary>
    public IReadOnlyList<string> Instructions { get; init; } = [];

    /// <summary>Threads used.</summary>
    public int Threads { get; init; }

    /// <summary>When the run started, UTC.</summary>
    public DateTime StartedUtc { get; init; }

    /// <summary>Seconds that this command took; what it found done already took its own time, see <see cref="Runs"/>.</summary>
    public double WallTimeSeconds { get; init; }

    /// <summary>The data set.</summary>
    public DataOrigin? Data { get; init; }

    /// <summary>The models that lie beside the manifest, one entry a file.</summary>
    public IReadOnlyList<ModelRecord> Models { get; init; } = [];

    /// <summary>The training behind the rows, which may have been done by earlier programs than the one that wrote the rows.</summary>
    public IReadOnlyList<RunRecord> Runs { get; init; } = [];

    /// <summary>Anything else that bears on the numbers, such as other work on the same machine.</summary>
    public string? Environment { get; init; }

    /// <summary>Describes this process, machine and checkout; the properties of the run itself are to be added with <c>with</c>.</summary>
    /// <param name="program">The program; its folder is dropped.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="recipe">All settings of the run, as any object that JSON can hold.</param>
    /// <param name="data">The data set.</param>
    public static Manifest Describe(string program, IEnumerable<string> arguments, object? recipe = null, DataOrigin? data = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(arguments);
        (string? commit, bool? dirty) = RunEnvironment.Checkout;
        JsonNode? settings = recipe is null ? null : JsonSerializer.SerializeToNode(recipe, Options);
        return new Manifest
        {
            Commit = commit,
            Dirty = dirty,
            CommandLine = PortablePath.CommandLine(program, arguments),
            Recipe = settings is null ? null : JsonSerializer.SerializeToElement(PortablePath.Strip(settings), Options),
            Packages = RunEnvironment.Packages(),
            Runtime = RunEnvironment.Runtime,
            OperatingSystem = RunEnvironment.OperatingSystem,
            Cpu = RunEnvironment.Cpu(),
            Instructions = RunEnvironment.Instructions(),
            Threads = System.Environment.ProcessorCount,
            StartedUtc = DateTime.UtcNow,
            Data = data is null ? null : data with
            {
                Source = PortablePath.Strip(data.Source),
                Checksums = data.Checksums.OrderBy(c => c.Key, StringComparer.Ordinal)
                    .ToDictionary(c => PortablePath.Strip(c.Key), c => c.Value),
            },
        };
    }

    /// <summary>Writes the file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="AdmmKitException">It cannot be written.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream =>
    {
        JsonSerializer.Serialize(stream, this, Options);
        stream.WriteByte((byte)'\n');
    });

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadFileException">It is not a manifest.</exception>
    /// <exception cref="AdmmKitException">It cannot be read at all.</exception>
    public static Manifest Load(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            Manifest manifest = JsonSerializer.Deserialize<Manifest>(stream, Options)
                ?? throw new BadFileException($"'{path}' holds no manifest, only null. Run the experiment again.");
            return manifest.Models.All(m => m is not null) && manifest.Runs.All(r => r is not null) ? manifest
                : throw new BadFileException($"'{path}' has a model or a run that is null. Run the experiment again.");
        }
        catch (JsonException e)
        {
            throw new BadFileException($"'{path}' is not a manifest: {e.Message.TrimEnd('.')}. Run the experiment again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not read '{path}': {e.Message.TrimEnd('.')}. Check the name and that you may read it.", e);
        }
    }
}
