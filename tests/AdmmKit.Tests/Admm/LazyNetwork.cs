using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Admm;

/// <summary>
/// A "network" of any size that reads its targets where they stand, as the seam allows, and allocates nothing when it trains:
/// each step goes a tenth of the way to the target, and the loss counts nothing.
/// </summary>
internal sealed class LazyNetwork(params int[] weights) : ITrainable
{
    private readonly float[][] w = [.. weights.Select((n, i) => Draw(n, i))];
    private readonly Penalty[] penalties = [.. weights.Select(_ => Penalty.None)];

    public IReadOnlyList<LayerInfo> Layers { get; } =
        [.. weights.Select((n, i) => new LayerInfo($"layer{i + 1}", LayerKind.FullyConnected, 2, n / 2, 1, 1, n))];

    public int StepsPerEpoch => 1;

    public int StepsDone { get; private set; }

    public void CopyWeights(int layer, Span<float> destination) => w[layer].CopyTo(destination);

    public void SetWeights(int layer, ReadOnlySpan<float> source) => source.CopyTo(w[layer]);

    public void CopyBiases(int layer, Span<float> destination) => destination.Clear();

    public void SetBiases(int layer, ReadOnlySpan<float> source)
    {
    }

    public void SetPenalty(int layer, Penalty penalty) => penalties[layer] = penalty;

    public void SetMask(int layer, ReadOnlySpan<bool> keep)
    {
    }

    public void SetFrozen(int layer, ReadOnlySpan<bool> frozen)
    {
    }

    public void BeginPhase(TrainingPhase phase) => StepsDone = 0;

    public double Train(int steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        StepsDone += steps;
        progress?.Report(new TrainingProgress("lazy", StepsDone, StepsDone, 0, 0));
        for (int i = 0; i < w.Length; i++)
        {
            ReadOnlySpan<float> target = penalties[i] is Penalty.Quadratic q ? q.Target.Span : w[i];
            for (int j = 0; j < target.Length; j++)
            {
                w[i][j] += 0.1f * (target[j] - w[i][j]);
            }
        }

        return 0;
    }

    public Evaluation Evaluate(DataSplit split) => new(0, 1, 0);

    public void SaveState(Stream stream)
    {
    }

    public void LoadState(Stream stream)
    {
    }

    private static float[] Draw(int count, int layer)
    {
        var random = new RandomStream(1, "lazy", layer);
        var values = new float[count];
        foreach (ref float x in values.AsSpan())
        {
            x = (float)random.NextDouble(-1, 1);
        }

        return values;
    }
}
