using System.Globalization;
using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Fitting;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Tests.Hardware;

public class FigureFourTests
{
    private static readonly AccountingTable Figure = AccountingTables.Create("figure4");
    private static readonly AccountingTable Fit = AccountingTables.Create("hardware-fit");

    [Fact]
    public void The_curve_is_the_preset_from_10_to_90_percent_pruned()
    {
        var preset = (LawPlatform)PlatformLibrary.Find("admm-nn-40nm");
        for (int percent = 10; percent <= 90; percent += 10)
        {
            double ours = Value(Figure, string.Create(CultureInfo.InvariantCulture, $"{percent} % pruned"), "speedup");
            Assert.Equal(1, ours * preset.Law.RelativeDelay(1 - (percent / 100.0)), 1e-4);
        }

        double pruned = Value(Figure, "break-even", "breakEvenPruneFraction");
        double times = Value(Figure, "break-even", "breakEvenCompressionRatio");
        Assert.InRange(times, 2.17, 2.27);
        Assert.Equal(1, (1 - (pruned / 100)) * times, 1e-5);
    }

    [Fact]
    public void The_picture_has_the_curve_and_only_points_that_are_printed()
    {
        var chart = Assert.IsType<LineChart>(Figure.Pictures["figure4.svg"]);
        IReadOnlyList<ChartSeries> series = Assert.Single(chart.Panels).Series;
        ChartSeries[] markers = [.. series.Where(s => s.Style == SeriesStyle.Markers)];
        var drawn = markers.SelectMany(s => s.X.Zip(s.Y)).ToHashSet();
        Assert.Equal(PublishedSpeedup.All.Select(p => (100 * (1 - p.Density), p.Speedup)).ToHashSet(), drawn);
        Assert.Equal(["as fast as dense", "fitted law"], series.Except(markers).Select(s => s.Name));
        ChartSeries curve = series[1];
        Assert.Equal((0, 100), (curve.X[0], curve.X[^1]));
        Assert.Equal(curve.Y.Order(), curve.Y);
        // Above 1 from the break-even on, below it before.
        Assert.All(curve.X.Zip(curve.Y), p => Assert.Equal(p.First > Value(Figure, "break-even", "breakEvenPruneFraction"), p.Second > 1));
        Assert.Contains(">break-even of Fig. 4<", chart.ToSvg(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_fit_is_as_good_as_it_says_and_both_laws_are_there()
    {
        Assert.InRange(Value(Fit, "logarithmic law", "meanError"), 0, 2);
        Assert.InRange(Value(Fit, "logarithmic law", "worstError"), 0, 5);
        Assert.All(PublishedSpeedup.Methods, m => Assert.InRange(Value(Fit, "logarithmic law, predicts " + m, "meanError"), 0, 5));
        Assert.InRange(Value(Fit, "logarithmic law, predicts Ours1 and Ours2", "meanError"), 10, 40);
        Assert.True(Value(Fit, "linear-area law", "meanError") > Value(Fit, "logarithmic law", "meanError"));
        foreach (string parameter in new[] { "a", "b", "t", "q" })
        {
            string row = "logarithmic law, " + parameter;
            Assert.InRange(Value(Fit, row, "value"), Value(Fit, row, "low95"), Value(Fit, row, "high95"));
        }

        double unseen = Value(Fit, "logarithmic law, fitted without Fig. 4", "breakEvenCompressionRatio");
        Assert.Equal(2.178, unseen, 0.0005);
        Assert.NotEqual(unseen, Value(Fit, "logarithmic law", "breakEvenCompressionRatio"));
        Assert.Contains(Fit.Rows, r => r is { Row: "logarithmic law, Fig. 4 a DNN layer", Quantity: "speedup", Paper: 1 });
        // The errors are those of the rows above them.
        ResultRow[] speedups = [.. Fit.Rows.Where(r => r.Quantity == "speedup" && r.Row.StartsWith("log", StringComparison.Ordinal))];
        Assert.Equal(21, speedups.Length);
        double mean = speedups.Average(r => Math.Abs((r.Ours!.Value / r.Paper!.Value) - 1));
        Assert.Equal(100 * mean, Value(Fit, "logarithmic law", "meanError"), 1e-3);
    }

    [Fact]
    public void Both_tables_say_that_they_are_fits() => Assert.All([Figure, Fit], table =>
    {
        using var folder = new Data.TemporaryFolder();
        string notes = File.ReadAllText(table.Write(folder.Path)[1]);
        Assert.Contains("no parameter of the silicon is claimed", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("Recomputed from layer tables", notes, StringComparison.Ordinal);
    });

    private static double Value(AccountingTable table, string row, string quantity) =>
        Assert.Single(table.Rows, r => r.Row == row && r.Quantity == quantity).Ours!.Value;
}
