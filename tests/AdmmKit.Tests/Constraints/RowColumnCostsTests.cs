using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Constraints;

public class RowColumnCostsTests
{
    [Fact]
    public void A_full_row_and_column_are_cheap_and_dead_ones_dear()
    {
        // Row 0 has three survivors, column 1 two; row 3 and all columns from 4 on have none.
        const int Columns = 30;
        var z = new float[4 * Columns];
        foreach ((int row, int column) in new[] { (0, 0), (0, 1), (0, 2), (1, 1), (2, 3) })
        {
            z[(row * Columns) + column] = 1;
        }

        float[] bits = Bits(ProjectionLaws.FullyConnected(4, Columns), z);
        float At(int row, int column) => bits[(row * Columns) + column];
        Assert.True(At(0, 1) < At(0, 0) && At(0, 0) == At(0, 2));
        Assert.True(At(0, 0) < At(1, 0) && At(1, 0) == At(2, 0));
        Assert.True(At(1, 0) < At(3, 0) && At(1, 0) < At(1, 4));
        Assert.Equal(bits.Max(), At(3, 4));

        // By hand: p_layer = 5.5 / 121, p_row = (1 + p_layer) / 31, p_column = (1 + p_layer) / 5.
        double layer = 5.5 / 121, p = (1 + layer) / 31 * ((1 + layer) / 5) / layer;
        Assert.Equal(Math.Log2((1 - p) / p), At(1, 0), 1e-5);
    }

    [Fact]
    public void A_kernel_that_is_in_use_is_cheaper_than_an_empty_one_beside_it()
    {
        LayerInfo layer = ProjectionLaws.Convolution(2, 2, 2, 2);
        // Filter 0 reads channel 0 three times; filter 1 reads channel 1 three times. Rows and columns are alike.
        float[] bits = Bits(layer, [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0]);
        Assert.True(bits[3] < bits[7], $"{bits[3]} in the kernel in use, {bits[7]} in the empty one");
        Assert.Equal(bits[3], bits[15]);
        Assert.Equal(bits[7], bits[11]);
    }

    [Fact]
    public void Every_cost_is_finite_and_positive_whatever_survives()
    {
        LayerInfo[] shapes = [ProjectionLaws.Convolution(5, 3, 3, 2), ProjectionLaws.FullyConnected(40, 60), ProjectionLaws.FullyConnected(1, 1)];
        foreach (LayerInfo layer in shapes)
        {
            foreach (int every in new[] { 1, 2, 7, int.MaxValue })
            {
                float[] z = [.. Enumerable.Range(1, layer.WeightCount).Select(i => i % every == 0 ? -0.5f : 0)];
                Assert.All(Bits(layer, z), b => Assert.InRange(b, RowColumnCosts.MinimumBits, 64));
            }
        }
    }

    [Fact]
    public void Layers_of_other_sizes_are_refused() =>
        Assert.Throws<AdmmKitException>(() => Bits(ProjectionLaws.FullyConnected(2, 3), new float[5]));

    private static float[] Bits(LayerInfo layer, float[] z)
    {
        var bits = new float[z.Length];
        new RowColumnCosts().Bits([layer], [z], [bits]);
        return bits;
    }
}
