using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>Constrains each named layer by itself: the paper's formulation, eq. (3) in [Ren2019].</summary>
public sealed class PerLayer : INetworkConstraint
{
    private readonly IReadOnlyDictionary<string, IConstraint> constraints;

    /// <summary>Constrains layers by name; a layer that is not named stays free.</summary>
    /// <param name="constraints">Layer name to constraint.</param>
    public PerLayer(IReadOnlyDictionary<string, IConstraint> constraints)
    {
        ArgumentNullException.ThrowIfNull(constraints);
        this.constraints = constraints;
    }

    /// <inheritdoc/>
    public bool Applies(LayerInfo layer) => constraints.ContainsKey(layer.Name);

    /// <inheritdoc/>
    public void Validate(IReadOnlyList<LayerInfo> layers)
    {
        var names = layers.Select(l => l.Name).ToArray();
        foreach (string name in constraints.Keys)
        {
            if (!names.Contains(name))
            {
                throw new AdmmKitException(Names.Unknown("layer", name, names));
            }
        }

        foreach (LayerInfo layer in layers.Where(Applies))
        {
            constraints[layer.Name].Validate(layer);
        }
    }

    /// <inheritdoc/>
    public void Project(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> v, IReadOnlyList<float[]> z, ReadOnlySpan<float> rho)
    {
        for (int i = 0; i < layers.Count; i++)
        {
            if (constraints.TryGetValue(layers[i].Name, out IConstraint? constraint))
            {
                constraint.Project(layers[i], v[i], z[i], rho[i]);
            }
            else
            {
                v[i].CopyTo(z[i], 0);
            }
        }
    }

    /// <inheritdoc/>
    public void Freeze(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z)
    {
        for (int i = 0; i < layers.Count; i++)
        {
            if (constraints.TryGetValue(layers[i].Name, out IConstraint? constraint))
            {
                constraint.Freeze(layers[i], z[i]);
            }
        }
    }

    /// <inheritdoc/>
    public bool Contains(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z)
    {
        for (int i = 0; i < layers.Count; i++)
        {
            if (constraints.TryGetValue(layers[i].Name, out IConstraint? constraint) && !constraint.Contains(layers[i], z[i]))
            {
                return false;
            }
        }

        return true;
    }
}
