using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// At most alpha_i weights of the layer are not zero: S_i of weight pruning, sec. 3.1 in [Ren2019]. The projection keeps
/// the alpha_i largest magnitudes, sec. 3.3; of equal ones the lower index.
/// </summary>
/// <param name="survivors">alpha_i: how many weights may stay, 0 to the layer's number of weights.</param>
public sealed class Cardinality(int survivors) : IConstraint
{
    /// <summary>alpha_i: how many weights may stay.</summary>
    public int Survivors { get; } = survivors;

    /// <inheritdoc/>
    public string Description => FormattableString.Invariant($"keeps at most {Survivors} weights");

    /// <inheritdoc/>
    public void Validate(LayerInfo layer) => Guard.Range(layer, "the number of weights to keep", Survivors, 0, layer.WeightCount);

    /// <inheritdoc/>
    public void Project(LayerInfo layer, ReadOnlySpan<float> v, Span<float> z, float rho)
    {
        Validate(layer);
        Guard.Lengths(layer, v, z);
        if (!MagnitudeSelection.TryKeep(v, z, Survivors))
        {
            Guard.Weights(layer, v, z);
        }
    }

    /// <inheritdoc/>
    public bool Contains(LayerInfo layer, ReadOnlySpan<float> z) =>
        z.Length == layer.WeightCount && Guard.IndexOfNonFinite(z) < 0 && z.Length - z.Count(0f) <= Survivors;
}
