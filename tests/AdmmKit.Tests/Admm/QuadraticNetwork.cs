using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Admm;

/// <summary>A "network" whose loss is h/2 ||W - A||^2; training jumps to the exact minimum of loss plus penalty.</summary>
internal sealed class QuadraticNetwork(float h, params float[][] optimum) : ITrainable
{
    private readonly float[][] w = [.. optimum.Select(a => (float[])a.Clone())];
    private readonly Penalty[] penalties = [.. optimum.Select(_ => Penalty.None)];
    private readonly bool[]?[] masks = new bool[]?[optimum.Length];

    public IReadOnlyList<LayerInfo> Layers { get; } =
        [.. optimum.Select((a, i) => new LayerInfo($"layer{i + 1}", LayerKind.FullyConnected, 2, a.Length / 2, 1, 1, a.Length))];

    public int StepsPerEpoch => 1;

    public int StepsDone { get; private set; }

    public int Phases { get; private set; }

    public IReadOnlyList<Penalty> Penalties => penalties;

    public void CopyWeights(int layer, Span<float> destination) => w[layer].CopyTo(destination);

    public void SetWeights(int layer, ReadOnlySpan<float> source) => source.CopyTo(w[layer]);

    public void CopyBiases(int layer, Span<float> destination) => destination.Clear();

    public void SetBiases(int layer, ReadOnlySpan<float> source)
    {
    }

    // The targets are copied, so that a test sees what training saw.
    public void SetPenalty(int layer, Penalty penalty) => penalties[layer] =
        penalty is Penalty.Quadratic q ? q with { Target = q.Target.ToArray() } : penalty;

    public void SetMask(int layer, ReadOnlySpan<bool> keep)
    {
        masks[layer] = keep.IsEmpty ? null : keep.ToArray();
        for (int j = 0; j < keep.Length; j++)
        {
            w[layer][j] = keep[j] ? w[layer][j] : 0;
        }
    }

    public void SetFrozen(int layer, ReadOnlySpan<bool> frozen)
    {
    }

    public void BeginPhase(TrainingPhase phase)
    {
        Phases++;
        StepsDone = 0;
    }

    public double Train(int steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        StepsDone += steps;
        for (int i = 0; i < w.Length; i++)
        {
            for (int j = 0; j < w[i].Length; j++)
            {
                (double rho, double target) = penalties[i] is Penalty.Quadratic q ? (q.Rho, q.Target.Span[j]) : (0, 0);
                double lambda = penalties[i] is Penalty.L1 l1 ? l1.Lambda : 0;
                double pull = Math.CopySign(Math.Max(0, Math.Abs(h * optimum[i][j]) - lambda), optimum[i][j]);
                w[i][j] = masks[i]?[j] == false ? 0 : (float)((pull + (rho * target)) / (h + rho));
            }
        }

        return Loss();
    }

    public Evaluation Evaluate(DataSplit split) => new(0, 1, Loss());

    public void SaveState(Stream stream) => throw new NotSupportedException();

    public void LoadState(Stream stream) => throw new NotSupportedException();

    private double Loss() => w.SelectMany((layer, i) => layer.Select((x, j) => 0.5 * h * Math.Pow(x - optimum[i][j], 2))).Sum();
}
