using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>Weights and biases of one layer with everything that training keeps for them.</summary>
internal sealed class Parameters
{
    // Kept fractions at which a training step takes as long sparse as dense. "masked 2" of the benchmarks gave, on AVX-512 with
    // batch 64: convolutions 43 % (50x20x5x5), 39 % (64x64x3x3), 74 % (20x1x5x5 on images); fully connected 33 % (500x800), 39 %
    // (2048x2048). At a tenth sparse is 1.6 to 3.7 times as fast.
    private const double SparseConvolutionBelow = 0.4;
    private const double SparseFullyConnectedBelow = 0.3;

    public Parameters(LayerInfo info, bool forTraining, bool biased, bool canRunSparse)
    {
        Info = info;
        SparseBelow = !canRunSparse ? 0 : info.Kind == LayerKind.Convolution ? SparseConvolutionBelow : SparseFullyConnectedBelow;
        (Biased, CanRunSparse) = (biased, canRunSparse);
        Weights = new FloatBuffer(info.WeightCount);
        Biases = new FloatBuffer(info.Rows);
        int weights = forTraining ? info.WeightCount : 0;
        int biases = forTraining ? info.Rows : 0;
        WeightGradient = new FloatBuffer(weights);
        WeightFirst = new FloatBuffer(weights);
        WeightSecond = new FloatBuffer(weights);
        BiasGradient = new FloatBuffer(biases);
        BiasFirst = new FloatBuffer(biases);
        BiasSecond = new FloatBuffer(biases);
    }

    public LayerInfo Info { get; }

    /// <summary>Whether its biases train; else they stay zero.</summary>
    public bool Biased { get; }

    /// <summary>Whether the layer can compute with its survivors alone.</summary>
    public bool CanRunSparse { get; }

    /// <summary>All weights; while the layer runs sparse they, and their moments, are those of the last write-back.</summary>
    public FloatBuffer Weights { get; }

    public FloatBuffer Biases { get; }

    public FloatBuffer WeightGradient { get; }

    public FloatBuffer BiasGradient { get; }

    /// <summary>First moment of the optimizer (Adam's m, SGD's velocity).</summary>
    public FloatBuffer WeightFirst { get; }

    /// <summary>Second moment of the optimizer (Adam's v).</summary>
    public FloatBuffer WeightSecond { get; }

    public FloatBuffer BiasFirst { get; }

    public FloatBuffer BiasSecond { get; }

    /// <summary>False where the weight is pruned; null when nothing is.</summary>
    public bool[]? Keep { get; set; }

    /// <summary>True where the weight stays as it is; null when all train.</summary>
    public bool[]? Frozen { get; set; }

    /// <summary>1 where the weight trains, 0 where it is pruned or frozen; null when all train.</summary>
    public FloatBuffer? Mask { get; private set; }

    /// <summary>Whether no weight trains.</summary>
    public bool AllFrozen { get; private set; }

    /// <summary>The survivors, which hold the truth while the layer runs sparse; null while it runs dense.</summary>
    public SparseWeights? Sparse { get; private set; }

    /// <summary>The layer runs sparse while it has a mask that keeps less than this fraction.</summary>
    public double SparseBelow { get; set; }

    /// <summary>Inference leaves out weights that are zero; looked at when the readers are found out, not in training.</summary>
    public bool SurvivorsAlone { get; set; }

    /// <summary>Z - U of the quadratic penalty, in its owner's memory; empty while <see cref="Rho"/> is 0.</summary>
    public ReadOnlyMemory<float> Target { get; private set; }

    /// <summary>A copy of the end of <see cref="Target"/>: kernels may read past an end, which the owner's array may not stand.</summary>
    public FloatBuffer? TargetTail { get; private set; }

    public float Rho { get; set; }

    public float Lambda { get; set; }

    /// <summary>Sets the target of the quadratic penalty, or none.</summary>
    /// <param name="target">Z - U, read where it stands.</param>
    /// <param name="tail">How much of its end is copied.</param>
    public void SetTarget(ReadOnlyMemory<float> target, int tail)
    {
        Target = target;
        TargetTail = target.IsEmpty ? null : TargetTail ?? new FloatBuffer(tail);
        if (TargetTail is not null)
        {
            target.Span[^tail..].CopyTo(TargetTail.Span);
        }

        Sparse?.ReadTarget();
    }

    /// <summary>Follows a change of <see cref="Keep"/> or <see cref="Frozen"/>: what does not train has no moments either.</summary>
    public void UpdateMask()
    {
        RunDense();
        AllFrozen = Frozen is not null && !Frozen.Contains(false);
        if (Keep is null && Frozen is null)
        {
            Mask = null;
            return;
        }

        Mask ??= new FloatBuffer(Info.WeightCount);
        for (int i = 0; i < Info.WeightCount; i++)
        {
            bool trains = Keep?[i] != false && Frozen?[i] != true;
            Mask.Span[i] = trains ? 1 : 0;
            if (!trains)
            {
                // The optimizer's memory must neither revive a pruned weight nor move a frozen one.
                WeightFirst.Span[i] = 0;
                WeightSecond.Span[i] = 0;
            }
        }

        ZeroPruned();
        int survivors = Keep?.Count(k => k) ?? Info.WeightCount;
        if (Keep is not null && CanRunSparse && survivors < SparseBelow * Info.WeightCount)
        {
            Sparse = new SparseWeights(this, survivors);
        }
    }

    /// <summary>Goes back to the dense arrays, until the next <see cref="UpdateMask"/>.</summary>
    public void RunDense()
    {
        Sparse?.WriteBack();
        Sparse = null;
    }

    /// <summary>Forgets what the optimizer remembers.</summary>
    public void ClearMoments()
    {
        foreach (FloatBuffer? moment in (FloatBuffer?[])[WeightFirst, WeightSecond, BiasFirst, BiasSecond, Sparse?.First, Sparse?.Second])
        {
            moment?.Span.Clear();
        }
    }

    /// <summary>Sets pruned weights to exactly zero.</summary>
    public void ZeroPruned()
    {
        for (int i = 0; Keep is not null && i < Keep.Length; i++)
        {
            if (!Keep[i])
            {
                Weights.Span[i] = 0;
            }
        }
    }
}

/// <summary>A layer that has weights.</summary>
internal interface IParameterLayer
{
    Parameters Parameters { get; }
}
