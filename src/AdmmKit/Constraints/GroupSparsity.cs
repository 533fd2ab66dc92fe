using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// Structured sparsity: the weights of a layer form groups, the groups lie in buckets, and in each bucket at most a given
/// number of groups is not zero. The projection keeps those of largest l2 norm in each bucket, of equal ones the lower
/// group: zeroing a group costs its squared norm, so nothing else is nearer. Any such set fits S_i of eq. (3) in [Ren2019].
/// </summary>
public abstract class GroupSparsity : IConstraint
{
    /// <summary>Sets how much is kept.</summary>
    /// <param name="keep">Groups that may stay in each bucket, 0 to the size of a bucket.</param>
    protected GroupSparsity(int keep) => Keep = keep;

    /// <summary>Groups that may stay in each bucket.</summary>
    public int Keep { get; }

    /// <inheritdoc/>
    public abstract string Description { get; }

    /// <summary>What a group is called where it is counted, such as "filters".</summary>
    protected abstract string GroupName { get; }

    /// <inheritdoc/>
    public virtual void Validate(LayerInfo layer) =>
        Guard.Range(layer, $"the number of {GroupName} to keep", Keep, 0, Groups(layer).InBucket);

    /// <inheritdoc/>
    public void Project(LayerInfo layer, ReadOnlySpan<float> v, Span<float> z, float rho)
    {
        Validate(layer);
        Guard.Weights(layer, v, z);
        var (buckets, inBucket) = Groups(layer);
        var norms = new double[buckets * inBucket];
        for (int i = 0; i < v.Length; i++)
        {
            norms[GroupOf(layer, i / layer.Columns, i % layer.Columns)] += (double)v[i] * v[i];
        }

        bool[] kept = Largest(norms, inBucket);
        for (int i = 0; i < v.Length; i++)
        {
            z[i] = kept[GroupOf(layer, i / layer.Columns, i % layer.Columns)] ? v[i] : 0;
        }
    }

    /// <inheritdoc/>
    public bool Contains(LayerInfo layer, ReadOnlySpan<float> z)
    {
        if (z.Length != layer.WeightCount || Guard.IndexOfNonFinite(z) >= 0)
        {
            return false;
        }

        var (buckets, inBucket) = Groups(layer);
        var used = new bool[buckets * inBucket];
        for (int i = 0; i < z.Length; i++)
        {
            used[GroupOf(layer, i / layer.Columns, i % layer.Columns)] |= z[i] != 0;
        }

        for (int b = 0; b < buckets; b++)
        {
            if (used.AsSpan(b * inBucket, inBucket).Count(true) > Keep)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Number of buckets and of groups in each. Where buckets at an edge hold fewer groups, the missing ones come last:
    /// they have no weights, so none is ever kept in a real one's stead.
    /// </summary>
    /// <param name="layer">The layer.</param>
    protected abstract (int Buckets, int InBucket) Groups(LayerInfo layer);

    /// <summary>The group of a weight: bucket x groups in a bucket + position in the bucket.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="row">Row of the weight: its output.</param>
    /// <param name="column">Column of the weight: its input.</param>
    protected abstract int GroupOf(LayerInfo layer, int row, int column);

    /// <summary>How many pieces of a size cover a length.</summary>
    private protected static int Pieces(int length, int size) => ((length - 1) / size) + 1;

    /// <summary>Marks the groups to keep: those above the smallest norm that stays, and of equals the first ones.</summary>
    private bool[] Largest(double[] norms, int inBucket)
    {
        var kept = new bool[norms.Length];
        var sorted = new double[inBucket];
        for (int start = 0; start < norms.Length; start += inBucket)
        {
            Array.Copy(norms, start, sorted, 0, inBucket);
            Array.Sort(sorted);
            double threshold = Keep == 0 ? double.PositiveInfinity : sorted[inBucket - Keep];
            int equals = Keep;
            for (int i = inBucket - 1; i >= 0 && sorted[i] > threshold; i--)
            {
                equals--;
            }

            for (int i = start; i < start + inBucket; i++)
            {
                kept[i] = norms[i] > threshold || (norms[i] == threshold && equals-- > 0);
            }
        }

        return kept;
    }
}
