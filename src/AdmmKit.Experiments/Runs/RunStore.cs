using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Runs;

/// <summary>
/// Runs in a folder, each in a folder of its own that is named by the hash of everything it depends on. A run that is done
/// is not done again; one that was cut off goes on from its last checkpoint. Each step of a recipe is a run of its own, on
/// top of the run of the steps before it, so that recipes which begin alike share what they have in common.
/// </summary>
/// <param name="folder">Where the runs are.</param>
public sealed class RunStore(string folder)
{
    /// <summary>
    /// Counts changes of the program after which the same recipe gives other bits: to be raised with such a change, so that
    /// old runs are not taken for new ones.
    /// </summary>
    internal const int Revision = 2;

    // What the system says where another process has the lock: EWOULDBLOCK, or a sharing violation. A disk that has become
    // read-only says something else.
    private const int HeldLinux = 11, HeldMac = 35, HeldWindows = unchecked((int)0x80070020);

    private readonly HashSet<string> doneHere = [];

    /// <summary>What names a run: 16 hexadecimal digits of the SHA-256 of recipe, data and <see cref="Revision"/>.</summary>
    /// <param name="recipe">What is done.</param>
    /// <param name="data">What is learnt from; its contents count, not its place.</param>
    public static string Key(Recipe recipe, DataSet data)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(data);
        var everything = new JsonObject
        {
            ["revision"] = Revision,
            ["recipe"] = Sorted(Portable(recipe)),
            ["data"] = new JsonArray([.. data.Checksums.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => (JsonNode)(c.Key + " " + c.Value))]),
            ["split"] = $"{data.Training.Count}/{data.Validation.Count}/{data.Test.Count}",
        };
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(everything.ToJsonString())))[..16];
    }

    /// <summary>
    /// What of a recipe counts. A network in a file counts by its content, not by its place. What older recipes did not have
    /// does not change their names.
    /// </summary>
    internal static JsonObject Portable(Recipe recipe)
    {
        JsonObject json = JsonNode.Parse(RecipeJson.Write(recipe))!.AsObject();
        RemoveUnused(
            json,
            ("flip", !recipe.Flip), ("trainingImages", recipe.TrainingImages is null), ("pretrained", recipe.Pretrained is null),
            // The dense network itself learns from the labels alone.
            ("softTargets", recipe.SoftTargets is null || (recipe.Prune.Count == 0 && recipe.Quantize is null)));
        foreach ((JsonNode? stage, PruneRecipe prune) in json["prune"]!.AsArray().Zip(recipe.Prune))
        {
            RemoveUnused(
                stage!.AsObject(),
                ("networkSurvivors", prune.NetworkSurvivors is null), ("rows", prune.Rows.Count == 0), ("rate", prune.Rate is null),
                ("removeUnused", !prune.RemoveUnused), ("purify", prune.Purify is null));
        }

        if (recipe.Quantize is { } quantize)
        {
            RemoveUnused(json["quantize"]!.AsObject(), ("levelRate", quantize.LevelRate == 0), ("biasBits", quantize.BiasBits is null));
        }

        if (recipe.Pretrained is { } file)
        {
            json["pretrained"] = PretrainedModel.Hash(file);
        }

        return json;
    }

    private static void RemoveUnused(JsonObject json, params (string Key, bool Unused)[] fields)
    {
        foreach ((string key, _) in fields.Where(f => f.Unused))
        {
            json.Remove(key);
        }
    }

    /// <summary>Does a run, or what is left of it; takes it from the folder if it is done.</summary>
    /// <param name="recipe">What to do.</param>
    /// <param name="data">What to learn from.</param>
    /// <param name="threads">Threads; 0 means all cores.</param>
    /// <param name="force">Begins again, whatever there is; but nothing twice with one store.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    /// <param name="cancellation">Saves a checkpoint and stops.</param>
    /// <exception cref="AdmmKitException">The recipe does not fit, the folder cannot be used, or another process works on this run.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the same call goes on from there.</exception>
    public RunResult Execute(
        Recipe recipe, DataSet data, int threads = 0, bool force = false, IRunObserver? observer = null, CancellationToken cancellation = default) =>
        Steps(recipe, recipe, data, threads, force, observer is null ? null : new OverallProgress(observer, RecipeFlow.Epochs(recipe)), cancellation);

    /// <summary>Does the steps of a recipe, which are the first ones of the recipe asked for, or all of them.</summary>
    private RunResult Steps(
        Recipe recipe, Recipe asked, DataSet data, int threads, bool force, IRunObserver? observer, CancellationToken cancellation)
    {
        var run = new CompressionRun(recipe, data);
        string key = Key(recipe, data);
        string home = Path.Combine(folder, key);
        using FileStream ours = Lock(home);
        RemoveTemporaries(home);
        var checkpoints = new CheckpointFolder(Path.Combine(home, "checkpoints"), key, line => observer?.Milestone(line));
        if (force && !doneHere.Contains(key))
        {
            Writing(home, () => StoredRun.Delete(home));
            Writing(home, checkpoints.Delete);
        }

        RunResult? before = StepsBefore(recipe) is { } steps ? Steps(steps, asked, data, threads, force, observer, cancellation) : null;
        if (StoredRun.Exists(home))
        {
            RunResult stored = StoredRun.Load(home, recipe, data, run.Spec, before);
            Discard(checkpoints);
            if (ReferenceEquals(recipe, asked))
            {
                observer?.Milestone($"seed {recipe.Seed}: done already, taken from '{home}' (--force, or deleting that folder, runs it again)");
            }

            return stored;
        }

        RunResult result = run.Execute(threads, observer, checkpoints, before, cancellation);
        Writing(home, () => checkpoints.MakingRoom(() => StoredRun.Save(result, home)));
        Discard(checkpoints);
        doneHere.Add(key);
        return result;

        // The run is done: what cannot be removed now is removed when it is asked for next.
        void Discard(CheckpointFolder done)
        {
            try
            {
                Writing(home, done.Delete);
            }
            catch (AdmmKitException e)
            {
                observer?.Milestone($"warning: the run is done, but its checkpoints could not be removed: {e.Message}");
            }
        }
    }

    /// <summary>The recipe without its last step; null where that is the pretraining.</summary>
    private static Recipe? StepsBefore(Recipe recipe) => recipe.Quantize is not null ? recipe with { Quantize = null }
        : recipe.Prune.Count > 0 ? recipe with { Prune = [.. recipe.Prune.SkipLast(1)] }
        : null;

    /// <summary>
    /// A process that is killed while it writes leaves a temporary file behind. The lock is ours, so nobody writes there now.
    /// </summary>
    private static void RemoveTemporaries(string home) => Writing(home, () =>
    {
        foreach (string file in Directory.EnumerateFiles(home, ".*.tmp", SearchOption.AllDirectories))
        {
            File.Delete(file);
        }
    });

    private static void Writing(string home, Action change)
    {
        try
        {
            change();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(home, e);
        }
    }

    private static AdmmKitException CannotWrite(string home, Exception e) => new(
        $"Cannot write to the folder '{home}': {e.Message.TrimEnd('.')}. Free space, change its rights or choose another with --out.", e);

    /// <summary>
    /// Two processes on one run would each undo what the other saves. The lock is the system's, so it ends with its process,
    /// however that ends.
    /// </summary>
    internal static FileStream Lock(string home)
    {
        string path = Path.Combine(home, ".lock");
        try
        {
            Directory.CreateDirectory(home);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult is HeldLinux or HeldMac or HeldWindows)
        {
            throw new AdmmKitException(
                $"Another process is working on this very run, in '{home}'. Wait until it is done and give the same command again, which then takes its results; or choose another folder with --out.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(home, e);
        }
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.OrderBy(m => m.Key, StringComparer.Ordinal)
            .Select(m => KeyValuePair.Create(m.Key, Sorted(m.Value)))),
        JsonArray entries => new JsonArray([.. entries.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}

/// <summary>A run that is done, as files: the model that it adds to the run before it, and run.json, which is written last.</summary>
internal static class StoredRun
{
    /// <summary>The file that says that a folder holds a finished run.</summary>
    public const string Name = "run.json";

    private const long MaximumBytes = 64 << 20;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 32,
    };

    public static bool Exists(string home) => File.Exists(Path.Combine(home, Name));

    public static void Delete(string home) => File.Delete(Path.Combine(home, Name));

    /// <summary>Writes what the run adds to the one before it.</summary>
    public static void Save(RunResult run, string home)
    {
        // Names come from recipes, which may hold anything; a file's name must not.
        ModelResult model = run.Models.Last();
        string file = PortablePath.FileName(model.Name) + ".admm";
        model.Model.Save(Path.Combine(home, file));
        var stored = new Stored(
            run.Recipe, run.Data, new StoredModel(model.Name, file, model.Validation, model.Test, model.ImagesSeen, model.Seconds),
            run.History, run.ImagesSeen, model.Origin);
        AtomicFile.Write(Path.Combine(home, Name), stream => JsonSerializer.Serialize(stream, stored, Options));
    }

    public static RunResult Load(string home, Recipe recipe, DataSet data, NetworkSpec spec, RunResult? before)
    {
        string path = Path.Combine(home, Name);
        try
        {
            using FileStream stream = File.OpenRead(path);
            if (stream.Length > MaximumBytes)
            {
                throw new JsonException("it is too long");
            }

            Stored stored = JsonSerializer.Deserialize<Stored>(stream, Options) ?? throw new JsonException("it holds null");
            Check(stored, recipe, data);
            StoredModel last = stored.Model;
            var model = new ModelResult(
                last.Name, CompressedNetwork.Load(Path.Combine(home, Path.GetFileName(last.File))), last.Validation, last.Test, last.ImagesSeen,
                last.Seconds, stored.Origin);
            if (model.Model.Spec.Name != spec.Name || !model.Model.Spec.Layers.SequenceEqual(spec.Layers))
            {
                throw new JsonException("its model has another architecture");
            }

            bool quantized = recipe.Quantize is not null;
            return new RunResult(
                recipe, stored.Data, before?.Dense ?? model,
                before is null ? [] : quantized ? before.Pruned : [.. before.Pruned, model], quantized ? model : null,
                stored.History, stored.ImagesSeen);
        }
        catch (Exception e) when (e is JsonException or AdmmKitException or IOException or UnauthorizedAccessException or OverflowException or ArgumentException)
        {
            throw new AdmmKitException($"The finished run in '{home}' cannot be read: {e.Message.TrimEnd('.')}. Delete that folder, and the same command does it again.", e);
        }
    }

    // Only that the parts fit together: a digit changed by hand is not found here, but by 'verify'.
    private static void Check(Stored stored, Recipe recipe, DataSet data)
    {
        string name = recipe.Quantize is not null ? "quantized" : recipe.Prune.Count > 0 ? recipe.Prune[^1].Name : "dense";
        bool Counts(Training.Evaluation e, int images) => e.Count == images && e.Correct >= 0 && e.Correct <= images;
        // A network in a file may lie elsewhere by now; that it is the same one is in the folder's name.
        Recipe told = stored.Recipe.Pretrained is null ? stored.Recipe : stored.Recipe with { Pretrained = recipe.Pretrained };
        bool fits = RunStore.Key(told, data) == RunStore.Key(recipe, data)
            && stored.Data.Checksums.OrderBy(c => c.Key, StringComparer.Ordinal).SequenceEqual(data.Checksums.OrderBy(c => c.Key, StringComparer.Ordinal))
            && stored.Model.Name == name && stored.Model.ImagesSeen >= 0
            && Counts(stored.Model.Validation, data.Validation.Count) && Counts(stored.Model.Test, data.Test.Count)
            && stored.History.All(p => p is not null && Counts(p.Validation, data.Validation.Count) && !p.Residuals.Contains(null!))
            && stored.ImagesSeen >= 0;
        if (!fits)
        {
            throw new JsonException("it belongs to another run or was changed");
        }
    }

    private sealed record StoredModel(
        string Name, string File, Training.Evaluation Validation, Training.Evaluation Test, long ImagesSeen, double? Seconds = null);

    private sealed record Stored(
        Recipe Recipe, DataOrigin Data, StoredModel Model, IReadOnlyList<HistoryPoint> History,
        long ImagesSeen, RunOrigin Origin);
}
