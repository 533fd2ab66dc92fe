using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>Weights and biases of one layer with everything that training keeps for them.</summary>
internal sealed class Parameters
{
    public Parameters(LayerInfo info, bool forTraining)
    {
        Info = info;
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

    /// <summary>1 where the weight lives, 0 where it is pruned; null when nothing is.</summary>
    public FloatBuffer? Mask { get; set; }

    /// <summary>Z - U of the quadratic penalty; kept between phases, read only while <see cref="Rho"/> is not 0.</summary>
    public FloatBuffer? Target { get; set; }

    public float Rho { get; set; }

    public float Lambda { get; set; }

    public bool Frozen { get; set; }
}

/// <summary>A layer that has weights.</summary>
internal interface IParameterLayer
{
    Parameters Parameters { get; }
}
