using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using AdmmKit.Hardware.Search;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Search;

/// <summary>What <c>search.json</c> keeps of a search: the way that it went and what it came to.</summary>
/// <param name="Objective">What was made small: "survivors", "delay on admm-nn-40nm".</param>
/// <param name="Unit">The unit of its costs.</param>
/// <param name="Dense">The dense network on the validation images.</param>
/// <param name="Result">Which shares were tried, and the best.</param>
/// <param name="Bits">Which bits were tried; empty where nothing is quantized.</param>
public sealed record SearchRecord(
    string Objective, string Unit, Evaluation Dense, SearchResult Result, IReadOnlyList<ProbedBits> Bits)
{
    /// <summary>The file's name in a folder of results.</summary>
    public const string FileName = "search.json";

    // Some hundred probes of deep networks are a megabyte.
    private const long MaximumBytes = 16 << 20;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>What is kept of a search.</summary>
    /// <param name="search">The search.</param>
    public static SearchRecord Of(FinishedSearch search)
    {
        ArgumentNullException.ThrowIfNull(search);
        return new(search.Objective.Name, search.Objective.Unit, search.Dense, search.Result, search.Bits);
    }

    /// <summary>Writes the records of several searches.</summary>
    /// <param name="path">The file.</param>
    /// <param name="searches">The records.</param>
    /// <exception cref="AdmmKitException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<SearchRecord> searches)
    {
        ArgumentNullException.ThrowIfNull(searches);
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, searches, Options));
    }

    /// <summary>Reads the records of several searches.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadFileException">It is damaged, or not of searches.</exception>
    /// <exception cref="AdmmKitException">It cannot be read at all.</exception>
    public static IReadOnlyList<SearchRecord> Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return new FileInfo(path).Length <= MaximumBytes && JsonSerializer.Deserialize<SearchRecord[]>(File.ReadAllBytes(path), Options) is { } all
                && all.All(IsWhole) ? all : throw Bad(path, "it does not say what was searched and what came of it", null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not read '{path}': {e.Message.TrimEnd('.')}. Check the name and that you may read it.", e);
        }
        catch (JsonException e)
        {
            throw Bad(path, e.Message.TrimEnd('.'), e);
        }
    }

    private static bool IsWhole(SearchRecord? search) =>
        search is { Objective: not null, Unit: not null, Dense: not null, Bits: not null, Result: { Path.Count: > 0, Restored: not null } result }
        && IsCandidate(result.Best)
        && result.Path.All(p => p?.Validation is not null && IsCandidate(p.Candidate) && p.Candidate.KeepFraction.Count == result.Best.KeepFraction.Count);

    private static bool IsCandidate(Candidate? candidate) => candidate is { Step: not null, KeepFraction: not null };

    private static BadFileException Bad(string path, string what, Exception? inner)
    {
        string text = $"'{path}' is not the record of searches that 'admmkit search' writes: {what}. Search again, or take the file from the repository.";
        return inner is null ? new BadFileException(text) : new BadFileException(text, inner);
    }
}
