using AdmmKit.Hardware.Search;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Hardware;

public class BytesObjectiveTests
{
    private static readonly NetworkSpec Spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.05)]
    [InlineData(0.004)]
    public void Positions_take_their_entropy(double keep)
    {
        var objective = new BytesObjective(valueBits: 3, biasBits: 0);
        foreach (LayerInfo layer in Spec.Layers.Where(l => keep * l.WeightCount > 100))
        {
            int survivors = (int)Math.Round(keep * layer.WeightCount);
            double bound = (EntropyBound.Log2Binomial(layer.WeightCount, survivors) + (3 * survivors) + 16) / 8;
            Assert.Equal(bound, objective.Cost(layer, keep), 0.01 * bound);
        }
    }

    [Fact]
    public void Biases_count_where_a_row_has_survivors()
    {
        LayerInfo layer = Spec.Layers[2];
        double Biases(double keep) => new BytesObjective(3, 8).Cost(layer, keep) - new BytesObjective(3, 0).Cost(layer, keep);
        Assert.Equal(layer.Rows, Biases(1), 1e-9);
        Assert.Equal(layer.Rows, Biases(0.1), 0.01);
        // One weight in 8,000 is one in ten rows of 800.
        Assert.Equal(0.095 * layer.Rows, Biases(1.0 / 8_000), 0.01 * layer.Rows);
    }

    [Fact]
    public void Less_is_cheaper_below_the_break_even_and_dearer_just_above_it()
    {
        var objective = new BytesObjective(3, 0);
        foreach (LayerInfo layer in Spec.Layers)
        {
            double breakEven = objective.BreakEvenKeepFraction(layer);
            Assert.InRange(breakEven, 0.6, 0.8);
            Assert.Equal(objective.Cost(layer, 1), objective.Cost(layer, breakEven), 1e-3);
            Assert.True(objective.Cost(layer, breakEven + 0.01) > objective.Cost(layer, 1));
            double[] costs = [.. Enumerable.Range(1, 60).Select(i => objective.Cost(layer, breakEven * i / 60))];
            Assert.Equal(costs.Order(), costs);
        }
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(double.NaN, 8)]
    [InlineData(33, 8)]
    [InlineData(3, -1)]
    public void Bits_that_no_file_has_are_refused(double valueBits, double biasBits) =>
        Assert.Throws<AdmmKitException>(() => new BytesObjective(valueBits, biasBits));
}
