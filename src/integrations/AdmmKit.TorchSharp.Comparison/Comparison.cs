using System.Diagnostics;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Tables;
using AdmmKit.Networks;
using AdmmKit.Training;
using TorchSharp;

namespace AdmmKit.TorchSharp.Comparison;

/// <summary>Runs the recipe on both, from the same weights, and measures how fast both are in turn.</summary>
internal static class Comparison
{
    private const string Ours = "AdmmKit engine", Theirs = "TorchSharp";

    public static void Run(DataSet data, string[] arguments, int replicates, int images, int rounds, int steps, string folder)
    {
        var clock = Stopwatch.StartNew();
        Directory.CreateDirectory(folder);
        Recipe recipe = Short(images);
        Manifest manifest = Manifest.Describe(
            "dotnet", ["run", "-c", "Release", "--project", "src/integrations/AdmmKit.TorchSharp.Comparison", "--", .. arguments], recipe,
            new DataOrigin(data.Name, data.Source, data.Checksums)) with
        {
            Seed = 1,
            Environment = FormattableString.Invariant(
                $"TorchSharp {typeof(torch).Assembly.GetName().Version}, on the CPU with as many threads as the engine; load average before: {Load()}"),
        };
        string command = manifest.CommandLine;
        var (rows, records, runs) = (new List<ResultRow>(), new List<ModelRecord>(), new List<RunRecord>());
        var made = new Dictionary<string, List<NetworkCompression>> { [Ours] = [], [Theirs] = [] };
        for (int seed = 1; seed <= replicates; seed++)
        {
            Recipe own = recipe with { Seed = (ulong)seed };
            foreach (string name in made.Keys)
            {
                var watch = Stopwatch.StartNew();
                NetworkCompression done = name == Ours ? Engine(data, own) : Torch(data, own);
                made[name].Add(done);
                foreach (CompressionStage stage in done.Stages)
                {
                    string file = FormattableString.Invariant($"{(name == Ours ? "engine" : "torchsharp")}-{stage.Name}-seed{seed}.admm");
                    ModelRecord record = ModelRecord.Of(file, stage.Model, Row(name, stage.Name), data.Test);
                    Console.WriteLine(FormattableString.Invariant(
                        $"{record.Row}, seed {seed}: {record.Survivors} survivors, validation {stage.Validation.Correct} of {stage.Validation.Count}, test {record.Correct} of {record.Images}, {watch.Elapsed.TotalSeconds:f0} s"));
                    records.Add(record);
                    if (stage.Name != "dense")
                    {
                        stage.Model.Save(Path.Combine(folder, file));
                    }
                }

                runs.Add(new RunRecord(
                    name, (ulong)seed, done.Result.Name, manifest.Commit, manifest.Dirty, manifest.Cpu, manifest.Threads, 0,
                    Math.Round(watch.Elapsed.TotalSeconds, 1)));
            }
        }

        foreach (string name in made.Keys)
        {
            foreach (string stage in made[name].Take(1).SelectMany(m => m.Stages).Select(s => s.Name))
            {
                rows.AddRange(Rows(
                    Row(name, stage), [.. records.Where(r => r.Row == Row(name, stage))],
                    [.. made[name].Select(m => m.Stages.Single(s => s.Name == stage).Validation)], command));
            }
        }

        rows.AddRange(rounds == 0 ? [] : Speed.Measure(data, recipe, rounds, steps, command));
        ResultRows.Write(Path.Combine(folder, "rows.csv"), rows);
        (manifest with
        {
            Environment = manifest.Environment + $", after: {Load()}",
            Models = [.. records.Where(r => File.Exists(Path.Combine(folder, r.File)))],
            Runs = runs,
            WallTimeSeconds = Math.Round(clock.Elapsed.TotalSeconds, 1),
        }).Save(Path.Combine(folder, "manifest.json"));
        Console.WriteLine(FormattableString.Invariant($"{rows.Count} rows in {folder}"));
    }

    public static TrainableNetwork NewEngine(DataSet data, Recipe recipe) => new(
        Spec(data), recipe.TrainingImages is { } count ? data with { Training = data.Training.Slice(0, count) } : data,
        new EngineOptions { BatchSize = recipe.BatchSize, MaxShift = recipe.MaxShift, Seed = recipe.Seed });

    /// <summary>A module that starts where the engine's network does.</summary>
    public static TorchNetwork NewTorch(DataSet data, Recipe recipe, LeNet5Module module)
    {
        var network = new TorchNetwork(
            module, new ImageData(data) { BatchSize = recipe.BatchSize, MaxShift = recipe.MaxShift },
            new TorchOptions { Seed = recipe.Seed, Spec = Spec(data), Threads = Environment.ProcessorCount });
        using TrainableNetwork engine = NewEngine(data, recipe);
        NetworkWeights.CopyFrom(engine).CopyTo(network);
        return network;
    }

    private static NetworkSpec Spec(DataSet data) => NetworkSpec.Create("lenet5-relu", data.Training.Shape, data.Training.Classes);

    private static NetworkCompression Engine(DataSet data, Recipe recipe)
    {
        using TrainableNetwork network = NewEngine(data, recipe);
        return NetworkCompression.Run(recipe, network, network.Spec);
    }

    private static NetworkCompression Torch(DataSet data, Recipe recipe)
    {
        using var module = new LeNet5Module();
        using TorchNetwork network = NewTorch(data, recipe, module);
        return network.Compress(recipe).Steps;
    }

    /// <summary>Pruning 42 times and quantization, in minutes.</summary>
    private static Recipe Short(int images) => new()
    {
        Architecture = "lenet5-relu",
        TrainingImages = images,
        Pretrain = new() { Epochs = 3 },
        Prune =
        [
            new PruneRecipe
            {
                Name = "pruned",
                Survivors = new Dictionary<string, int> { ["conv1"] = 250, ["conv2"] = 3000, ["fc1"] = 6000, ["fc2"] = 1000 },
                Admm = new() { Iterations = 5, RhoGrowth = 1.8f },
                Retrain = new() { Epochs = 3 },
            },
        ],
        Quantize = new() { Admm = new() { Iterations = 4, FinalLearningRate = 1e-5, RhoGrowth = 2 } },
    };

    private static string Row(string backend, string stage) => $"LeNet-5 with ReLU, {stage}, {backend}";

    private static IEnumerable<ResultRow> Rows(string row, ModelRecord[] records, Evaluation[] validation, string command)
    {
        ResultRow Of(string quantity, IEnumerable<double> values)
        {
            double[] all = [.. values];
            double? spread = Measurements.HalfWidth(all) is { } half ? Math.Round(half, 6) : null;
            return new ResultRow(
                row, quantity, Measurements.Unit(quantity), null, Math.Round(all.Average(), 6), spread, all.Length, ResultStatus.None, command);
        }

        yield return Of("top1", records.Select(r => 100.0 * r.Correct / r.Images));
        yield return Of("validationTop1", validation.Select(v => 100 * v.Accuracy));
        yield return Of("survivors", records.Select(r => (double)r.Survivors));
        yield return Of("weightDataBytes", records.Select(r => r.WeightDataBits / 8.0));
        yield return Of("fileBytes", records.Select(r => (double)r.Bytes));
    }

    private static string Load()
    {
        const string load = "/proc/loadavg";
        return File.Exists(load) ? string.Join(' ', File.ReadAllText(load).Split(' ').Take(3)) : "unknown";
    }
}
