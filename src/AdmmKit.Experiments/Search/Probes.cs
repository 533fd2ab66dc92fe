using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Search;

/// <summary>
/// Short compressions that tell how a choice would do, each kept in a file that is named by the hash of all it depends on: a
/// search that was cut off finds them there again. A probe sees validation images, never test images.
/// </summary>
/// <param name="folder">Where they are kept.</param>
/// <param name="data">What is learnt from.</param>
/// <param name="threads">Threads; 0 means all cores.</param>
/// <param name="observer">Told how it goes, or null.</param>
/// <param name="cancellation">Stops between two training steps; the probe at work is lost.</param>
internal sealed class Probes(string folder, DataSet data, int threads, IRunObserver? observer, CancellationToken cancellation)
{
    private const int MaximumBytes = 1 << 20;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Prunes the network of a run's end as the first pruning of a recipe says.</summary>
    /// <param name="start">The run. Where it has pruned already, its zeros are kept.</param>
    /// <param name="recipe">With one pruning; the network before it is that of the run, whatever it says.</param>
    public Evaluation Prune(RunResult start, Recipe recipe) => Probe(start, recipe, (flow, weights) =>
        flow.Prune(
            recipe.Prune[0], new TrainedNetwork(weights, start.Dense.Validation),
            start.Pruned.Count > 0 ? new PrunedNetwork(weights, start.Pruned[^1].Validation) : null).Validation);

    /// <summary>Quantizes the network of a run's end.</summary>
    /// <param name="start">The run.</param>
    /// <param name="recipe">With a quantization.</param>
    public Evaluation Quantize(RunResult start, Recipe recipe) => Probe(start, recipe, (flow, weights) =>
    {
        CompressedNetwork model = flow.Quantize(recipe.Quantize!, new PrunedNetwork(weights, start.Models.Last().Validation));
        using var network = new Network(model.Spec, 256, threads);
        network.SetWeights(model.Decode());
        return network.Evaluate(data.Validation);
    });

    private Evaluation Probe(RunResult start, Recipe recipe, Func<RecipeFlow, NetworkWeights, Evaluation> compress)
    {
        string key = Key(start.Recipe, recipe), file = Path.Combine(folder, key + ".json");
        if (Stored(file, key) is { } known)
        {
            return known;
        }

        var clock = Stopwatch.StartNew();
        DataSet part = CompressionRun.Part(data, recipe.TrainingImages);
        RecipeChecks.Check(recipe, start.Spec);
        using var network = new TrainableNetwork(start.Spec, part, CompressionRun.Engine(recipe, threads));
        var history = new History(observer, network.StepsPerEpoch, [], 0);
        var flow = new RecipeFlow(recipe, network, start.Spec, history, new CompressionPipeline(network, history), cancellation);
        CompressionRun.LearnFrom(start.Dense.Model, recipe, network);
        Evaluation validation;
        try
        {
            validation = compress(flow, start.Models.Last().Model.Decode());
        }
        catch (DivergedException e)
        {
            // Too bold a candidate is an answer, not the end of the search: it is one that nobody accepts.
            observer?.Milestone("warning: " + e.Message);
            validation = new Evaluation(0, data.Validation.Count, float.MaxValue);
        }

        var probe = new StoredProbe(key, recipe, validation, Math.Round(clock.Elapsed.TotalSeconds, 1));
        Directory.CreateDirectory(folder);
        AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, probe, Options));
        return validation;
    }

    private string Key(Recipe start, Recipe probe) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{RunStore.Key(start, data)} {RunStore.Key(probe, data)}")))[..16];

    private Evaluation? Stored(string file, string key)
    {
        try
        {
            if (!File.Exists(file))
            {
                return null;
            }

            StoredProbe? probe = new FileInfo(file).Length <= MaximumBytes ? JsonSerializer.Deserialize<StoredProbe>(File.ReadAllBytes(file), Options) : null;
            return probe?.Key == key && probe.Validation.Count == data.Validation.Count && probe.Validation.Correct >= 0 && probe.Validation.Correct <= probe.Validation.Count
                ? probe.Validation : throw new JsonException("it belongs to something else, or was changed");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"The probe in '{file}' cannot be read: {e.Message.TrimEnd('.')}. Delete that file, and the same command does it again.", e);
        }
    }

    private sealed record StoredProbe(string Key, Recipe Recipe, Evaluation Validation, double Seconds);
}
