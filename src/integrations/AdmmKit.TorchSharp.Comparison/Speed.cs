using System.Diagnostics;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Training;

namespace AdmmKit.TorchSharp.Comparison;

/// <summary>
/// Training images a second of both engines. They work in turn, a round each, and are compared by the ratio of the two halves of a
/// round: other work on the machine then hurts both. Medians over the rounds.
/// </summary>
internal static class Speed
{
    private static readonly string[] Backends = ["AdmmKit engine", "TorchSharp"];

    public static IEnumerable<ResultRow> Measure(DataSet data, Recipe recipe, int rounds, int steps, string command)
    {
        using var module = new LeNet5Module();
        using var engine = Comparison.NewEngine(data, recipe);
        using TorchNetwork torch = Comparison.NewTorch(data, recipe, module);
        foreach ((string what, Action<ITrainable> prepare) in new (string, Action<ITrainable>)[]
        {
            ("dense training", _ => { }), ("ADMM training", SetPenalties), ("masked training", SetMasks),
        })
        {
            var speeds = new double[2][] { new double[rounds], new double[rounds] };
            for (int round = -1; round < rounds; round++)
            {
                for (int backend = 0; backend < 2; backend++)
                {
                    ITrainable network = backend == 0 ? engine : torch;
                    network.BeginPhase(new TrainingPhase("speed", 1 << 20, new LearningRate.Constant(1e-4)));
                    prepare(network);
                    var clock = Stopwatch.StartNew();
                    network.Train(round < 0 ? 10 : steps, null, default); // the first round warms up
                    if (round >= 0)
                    {
                        speeds[backend][round] = steps * recipe.BatchSize / clock.Elapsed.TotalSeconds;
                    }
                }
            }

            for (int backend = 0; backend < 2; backend++)
            {
                yield return new ResultRow(
                    $"LeNet-5 with ReLU, {what}, {Backends[backend]}", "throughput", "images/s", null, Math.Round(Median(speeds[backend])), null, 0,
                    ResultStatus.None, command);
            }

            double times = Median([.. speeds[0].Zip(speeds[1], (a, b) => a / b)]);
            Console.WriteLine(FormattableString.Invariant(
                $"{what}: {Median(speeds[0]):f0} and {Median(speeds[1]):f0} images/s, engine {times:f2} times TorchSharp"));
            yield return new ResultRow(
                $"LeNet-5 with ReLU, {what}, AdmmKit engine", "timesTorchSharp", "x", null, Math.Round(times, 3), null, 0, ResultStatus.None, command);
        }
    }

    private static void SetPenalties(ITrainable network)
    {
        for (int i = 0; i < network.Layers.Count; i++)
        {
            network.SetPenalty(i, new Penalty.Quadratic(3e-3f, new float[network.Layers[i].WeightCount]));
        }
    }

    /// <summary>One weight in forty stays.</summary>
    private static void SetMasks(ITrainable network)
    {
        for (int i = 0; i < network.Layers.Count; i++)
        {
            var random = new RandomStream(1, "mask", i);
            network.SetPenalty(i, Penalty.None);
            network.SetMask(i, [.. Enumerable.Range(0, network.Layers[i].WeightCount).Select(_ => random.NextInt(40) == 0)]);
        }
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
