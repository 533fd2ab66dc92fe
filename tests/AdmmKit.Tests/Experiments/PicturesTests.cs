using AdmmKit.Experiments.Pictures;
using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Fitting;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;
using AdmmKit.Tests.Storage;

namespace AdmmKit.Tests.Experiments;

public class PicturesTests
{
    private static readonly ResultRow[] Rows =
    [
        Row("dense", "survivors", 60_900_000, 60_954_656), Row("dense", "top1", 57.2, null),
        Row("24x", "survivors", 2_500_000, 2_539_777), Row("24x", "top1", 57.1, null),
        Row("others", "survivors", null, null),
    ];

    private static readonly LayerInfo Layer = NetworkLibrary.AlexNet(new ImageShape(3, 227, 227), 1000).Layers[3];

    [Fact]
    public void The_paper_stands_beside_ours_in_the_unit_of_the_axis()
    {
        BarChart chart = RowChart.PaperAndOurs("survivors", "weights (millions)", Rows, "survivors", unit: 1e6);
        Assert.Equal(["dense", "24x"], chart.Categories);
        Assert.Equal(["paper", "ours"], chart.Series.Select(s => s.Name));
        Assert.Equal([60.9, 2.5], chart.Series[0].Values);
        Assert.Equal([60.954656, 2.539777], chart.Series[1].Values);
        chart.ToSvg();
        Assert.True(double.IsNaN(RowChart.PaperAndOurs("top-1", "accuracy (%)", Rows, "top1").Series[1].Values[0]));
        Assert.Contains("Did you mean 'survivors'?", Assert.Throws<AdmmKitException>(
            () => RowChart.PaperAndOurs("", "", Rows, "survivor")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_are_stacked_of_quantities_or_grouped_by_them()
    {
        (string, string)[] lines = [("dense", "Dense"), ("24x", "ADMM")], parts = [("top1", "top-1"), ("survivors", "weights")];
        BarChart stacked = RowChart.Stacked("", "", Rows, lines, parts);
        Assert.Equal((BarLayout.Stacked, "Dense,ADMM", "top-1,weights"), (stacked.Layout, Names(stacked.Categories), Names(stacked.Series.Select(s => s.Name))));
        Assert.Equal([57.2, 57.1], stacked.Series[0].Values);
        Assert.Equal([60_954_656, 2_539_777], stacked.Series[1].Values);
        BarChart grouped = RowChart.Grouped("", "", Rows, lines, parts, reference: new(50, "chance"));
        Assert.Equal((BarLayout.Grouped, "top-1,weights", "Dense,ADMM"), (grouped.Layout, Names(grouped.Categories), Names(grouped.Series.Select(s => s.Name))));
        Assert.Equal([57.1, 2_539_777], grouped.Series[1].Values);
        Assert.Equal("chance", grouped.Reference!.Name);
        Assert.Contains("no value", Assert.Throws<AdmmKitException>(
            () => RowChart.Stacked("", "", Rows, [("others", "")], [("survivors", "")])).Message, StringComparison.Ordinal);

        static string Names(IEnumerable<string> names) => string.Join(',', names);
    }

    [Fact]
    public void Shares_add_up_to_the_whole_in_every_bar()
    {
        BarChart chart = RowChart.Shares("", ["conv", "fc"], [("weights", [10, 90]), ("operations", [300, 100])]);
        Assert.Equal([10, 75], chart.Series[0].Values);
        Assert.Equal([90, 25], chart.Series[1].Values);
    }

    [Fact]
    public void Models_are_shown_layer_by_layer()
    {
        CompressedNetwork model = RandomNetworks.Create(1);
        var platform = (LawPlatform)PlatformLibrary.Find("admm-nn-40nm");
        BarChart delay = ModelChart.Delay(platform, [("one", model), ("same", model)]), keep = ModelChart.KeepFractions([("one", model)], platform);
        Assert.Equal(model.Layers.Select(l => l.Layer.Name), delay.Series.Select(s => s.Name));
        double whole = model.Layers.Sum(l => platform.Delay(l.Layer, (double)l.Survivors / l.Layer.WeightCount));
        Assert.Equal(100 * whole / model.Spec.Layers.Sum(platform.DenseDelay), delay.Series.Sum(s => s.Values[1]), 1e-9);
        Assert.Equal(model.Layers.Select(l => 100 * ((double)l.Survivors / l.Layer.WeightCount)), keep.Series[0].Values);
        Assert.Equal(45.7, keep.Reference!.Value, 0.05);
        Assert.Null(ModelChart.KeepFractions([("one", model)]).Reference);
    }

    [Fact]
    public void Of_a_deep_network_the_layers_of_a_stage_are_one_part()
    {
        NetworkSpec spec = NetworkSpec.Create("resnet20", NetworkSpec.Cifar, 10);
        var random = new RandomStream(1, "pictures");
        var model = new CompressedNetwork(
            spec, [.. spec.Layers.Select(l => RandomNetworks.Layer(l, random, 0.1, 4))], RandomNetworks.Normalizations(spec, random));
        BarChart delay = ModelChart.Delay(PlatformLibrary.Find("admm-nn-40nm"), [("one", model)]);
        Assert.Equal(["conv1", "layer1", "layer2", "layer3", "linear"], delay.Series.Select(s => s.Name));
        Assert.InRange(delay.Series.Sum(s => s.Values[0]), 1, 100);
    }

    [Fact]
    public void A_curve_passes_one_at_its_break_even()
    {
        Platform platform = PlatformLibrary.Find("admm-nn-40nm");
        LineChart chart = SpeedupChart.Create("Fig. 4", [("law", platform, Layer)], PublishedSpeedup.All);
        Assert.Equal(["law", "printed (Tables 8 and 9, Fig. 4)", "break-even"], chart.Panels[0].Series.Select(s => s.Name));
        Assert.Equal(new(1, "as fast as dense"), chart.Panels[0].Reference);
        ChartSeries curve = chart.Panels[0].Series[0];
        Assert.Equal((0, 100), (curve.X[0], curve.X[^1]));
        Assert.Equal(100 * (1 - platform.BreakEvenKeepFraction(Layer)), Assert.Single(chart.Panels[0].Series[2].X));
        Assert.All(curve.X.Zip(curve.Y), p => Assert.Equal(p.First > 54.3, p.Second > 1));
        Assert.Equal(21, chart.Panels[0].Series[1].X.Count);

        // Where a part is shown, the curve begins there, and a break-even outside it is not marked.
        LineChart part = SpeedupChart.Create("", [("law", platform, Layer)], from: 60, scale: AxisScale.Logarithmic);
        Assert.Equal(AxisScale.Logarithmic, part.Panels[0].YScale);
        Assert.Equal(["law"], part.Panels[0].Series.Select(s => s.Name));
        Assert.Equal(60, part.Panels[0].Series[0].X[0]);
    }

    private static ResultRow Row(string row, string quantity, double? paper, double? ours) => new(row, quantity, "", paper, ours, null, 0, "", "");
}
