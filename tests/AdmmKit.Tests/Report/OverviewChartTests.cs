using AdmmKit.Experiments.Report;
using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Tests.Report;

public class OverviewChartTests
{
    private static IEnumerable<ResultRow> Line(string row, double? paperTop1, double? top1, double compressionRatio, int seeds = 3) =>
    [
        new(row, "top1", "%", paperTop1, top1, seeds > 1 ? 0.1 : null, seeds, "", ""),
        new(row, "compressionRatio", "x", paperTop1 is null ? null : compressionRatio, top1 is null ? null : compressionRatio, null, seeds, "", ""),
    ];

    private static readonly ResultRow[] Table1 =
    [
        .. Line("Original LeNet-5", 99.2, 99.5, 1), .. Line("AdmmKit 85x", 99.2, 99.3, 85), .. Line("AdmmKit 40x", null, 99.4, 40),
        .. Line("Net-Trim [3]", 98.7, null, 45.7, seeds: 0),
    ];

    private static readonly ResultRow[] Baselines =
    [
        .. Line("ADMM 85x", null, 99.3, 85), .. Line("ADMM, split by the scan, 40x", null, 99.41, 40), .. Line("ADMM, split by the scan, 85x", null, 99.35, 85),
        .. Line("L1, 40x", null, 99.5, 40, seeds: 1), .. Line("L1, 85x", null, 99.2, 85),
        .. Line("All weights at 1 bit", null, 99.3, 1),
    ];

    [Fact]
    public void Curves_are_ours_and_points_are_the_papers()
    {
        LineChart chart = OverviewChart.Create(Table1, Baselines)!;
        ChartPanel panel = Assert.Single(chart.Panels);
        Assert.Equal(["ADMM", "ADMM, split by the scan", "L1", "printed in the paper"], panel.Series.Select(s => s.Name));
        Assert.Equal([40, 85], panel.Series[0].X);
        Assert.Equal([0.6, 0.7], panel.Series[0].Y.Select(y => Math.Round(y, 6)));
        Assert.Equal([45.7, 85], panel.Series[3].X);
        Assert.Equal(["Net-Trim [3]", "ADMM-NN 85x"], panel.Series[3].Labels!);
        Assert.Equal([double.NaN, 0.1], panel.Series[2].Spread!);
        Assert.Null(panel.Series[3].Spread);
        Assert.Contains("mean of 1 to 3 seeds", chart.Title, StringComparison.Ordinal);
        Assert.Contains("mean of 3 seeds", OverviewChart.Create(Table1, [.. Baselines.Where(r => r.Seeds == 3)])!.Title, StringComparison.Ordinal);
        Assert.StartsWith("<svg", chart.ToSvg(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_of_ours_is_no_picture() => Assert.Null(OverviewChart.Create([.. Line("Net-Trim [3]", 98.7, null, 45.7)], []));
}
