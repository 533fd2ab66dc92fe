using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// At most alpha weights of all constrained layers together are not zero: footnote 1 in [Ren2019]. The projection keeps
/// the alpha largest rho_i v^2, because zeroing v adds rho_i/2 v^2 to eq. (6); with equal rho_i that is the largest
/// magnitudes. Of equal ones the earlier layer's is kept, then the lower index.
/// </summary>
public sealed class NetworkCardinality : INetworkConstraint
{
    private readonly HashSet<string>? only;

    /// <summary>Sets the budget.</summary>
    /// <param name="survivors">alpha: how many weights of the constrained layers may stay, 0 to their number.</param>
    /// <param name="only">Names of the layers that share the budget; null for all. The others stay free.</param>
    public NetworkCardinality(int survivors, IEnumerable<string>? only = null)
    {
        Survivors = survivors;
        this.only = only?.ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>alpha: how many weights may stay.</summary>
    public int Survivors { get; }

    /// <summary>The set in a few words.</summary>
    public string Description => FormattableString.Invariant($"keeps at most {Survivors} weights of ")
        + (only is null ? "the whole network" : string.Join(", ", only.Order(StringComparer.Ordinal)) + " together");

    /// <inheritdoc/>
    public bool Applies(LayerInfo layer) => only?.Contains(layer.Name) ?? true;

    /// <inheritdoc/>
    public void Validate(IReadOnlyList<LayerInfo> layers)
    {
        string[] names = [.. layers.Select(l => l.Name)];
        foreach (string name in only ?? [])
        {
            if (!names.Contains(name))
            {
                throw new AdmmKitException(Names.Unknown("layer", name, names));
            }
        }

        int weights = layers.Where(Applies).Sum(l => l.WeightCount);
        string limited = string.Join(", ", layers.Where(Applies).Select(l => l.Name));
        if (Survivors < 0 || Survivors > weights)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The number of weights to keep is {Survivors}, but must be 0 to {weights}, the weights of {limited}."));
        }
    }

    /// <inheritdoc/>
    /// <exception cref="AdmmKitException">A value is not finite, a rho_i is not positive, or the set does not fit.</exception>
    public void Project(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> v, IReadOnlyList<float[]> z, ReadOnlySpan<float> rho)
    {
        Validate(layers);
        Guard.Network(layers, v, z, rho);
        int[] limited = [.. Enumerable.Range(0, layers.Count).Where(i => Applies(layers[i]))];
        float first = limited.Length > 0 ? rho[limited[0]] : 1;
        bool scaled = false;
        foreach (int i in limited)
        {
            scaled |= rho[i] != first;
        }

        // With equal rho_i the order is that of |v|, whose keys are shorter.
        var selection = new RadixSelection(limited.Sum(i => (long)v[i].Length), Survivors, scaled);
        for (; selection.NeedsPass; selection.EndPass())
        {
            foreach (int i in limited)
            {
                selection.Count(v[i], rho[i]);
            }
        }

        for (int i = 0; i < layers.Count; i++)
        {
            if (limited.Contains(i))
            {
                selection.Keep(v[i], z[i], rho[i]);
            }
            else
            {
                v[i].CopyTo(z[i], 0);
            }
        }
    }

    /// <inheritdoc/>
    public bool Contains(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z)
    {
        long kept = 0;
        for (int i = 0; i < layers.Count; i++)
        {
            if (z[i].Length != layers[i].WeightCount || Guard.IndexOfNonFinite(z[i]) >= 0)
            {
                return false;
            }

            kept += Applies(layers[i]) ? z[i].Length - z[i].AsSpan().Count(0f) : 0;
        }

        return kept <= Survivors;
    }
}
