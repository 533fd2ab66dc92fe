using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// The matrix consists of k x k circulant blocks: each row of a block is the row above it turned right by one place, so
/// that a block has k free weights and its product is a convolution. Where k does not divide rows or columns, the blocks
/// at the edge are cropped circulant blocks. The set is a linear space; the projection is the mean of each wrapped diagonal
/// over the entries that exist.
/// </summary>
/// <param name="blockSize">k, from 1 to the larger of rows and columns.</param>
public sealed class BlockCirculant(int blockSize) : IConstraint
{
    // Entries of one diagonal may differ by rounding: a few units in the last place of a float.
    private const double Tolerance = 1e-6;

    /// <inheritdoc/>
    public string Description => FormattableString.Invariant($"circulant blocks of {blockSize}x{blockSize}");

    /// <inheritdoc/>
    public void Validate(LayerInfo layer) =>
        Guard.Range(layer, "the size of a circulant block", blockSize, 1, Math.Max(layer.Rows, layer.Columns));

    /// <inheritdoc/>
    public void Project(LayerInfo layer, ReadOnlySpan<float> v, Span<float> z, float rho)
    {
        Validate(layer);
        Guard.Weights(layer, v, z);
        double[] means = DiagonalMeans(layer, v);
        for (int i = 0; i < v.Length; i++)
        {
            z[i] = (float)means[Diagonal(layer, i)];
        }
    }

    /// <inheritdoc/>
    public bool Contains(LayerInfo layer, ReadOnlySpan<float> z)
    {
        if (z.Length != layer.WeightCount || Guard.IndexOfNonFinite(z) >= 0)
        {
            return false;
        }

        double[] means = DiagonalMeans(layer, z);
        for (int i = 0; i < z.Length; i++)
        {
            double mean = means[Diagonal(layer, i)];
            if (Math.Abs(z[i] - mean) > Tolerance * Math.Abs(mean))
            {
                return false;
            }
        }

        return true;
    }

    private double[] DiagonalMeans(LayerInfo layer, ReadOnlySpan<float> v)
    {
        int blocks = (((layer.Rows - 1) / blockSize) + 1) * (((layer.Columns - 1) / blockSize) + 1);
        var sums = new double[blocks * blockSize];
        var counts = new int[sums.Length];
        for (int i = 0; i < v.Length; i++)
        {
            int d = Diagonal(layer, i);
            sums[d] += v[i];
            counts[d]++;
        }

        for (int d = 0; d < sums.Length; d++)
        {
            // A diagonal that lies outside the matrix altogether has no entries.
            sums[d] /= Math.Max(1, counts[d]);
        }

        return sums;
    }

    private int Diagonal(LayerInfo layer, int i)
    {
        var (row, column) = Math.DivRem(i, layer.Columns);
        int block = (row / blockSize * (((layer.Columns - 1) / blockSize) + 1)) + (column / blockSize);
        int turned = (column % blockSize) - (row % blockSize);
        return (block * blockSize) + (turned < 0 ? turned + blockSize : turned);
    }
}
