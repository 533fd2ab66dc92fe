using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Fitting;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Accounting;

/// <summary>
/// Fig. 4 of [Ren2019]: speedup by the part pruned, as the fitted law has it, and where it passes 1. Of the figure's bars only
/// the baseline and the break-even are printed as numbers; the others are not read off the picture.
/// </summary>
internal static class FigureFourTable
{
    public static AccountingTable Create()
    {
        var table = new AccountingTable("figure4", "Fig. 4: speedup by the part pruned", HardwareFitTable.Basis);
        var law = LawFit.Logarithmic(PublishedSpeedup.All);
        table.Add("baseline", "speedup", "x", "1x", 1, "dense, by definition");
        for (int percent = 10; percent <= 90; percent += 10)
        {
            string row = FormattableString.Invariant($"{percent} % pruned");
            table.Add(row, "speedup", "x", null, Speedup(law, percent), "logarithmic law of hardware-fit");
        }

        HardwareFitTable.BreakEven(table, "break-even", law);
        table.Note("The curve is the logarithmic law of hardware-fit, the markers are pairs of Tables 8 and 9; neither is read off the "
            + "paper's picture, of which the paper prints two numbers: the baseline's 1 and the break-even.");
        table.Note(FormattableString.Invariant(
            $"The curve begins at {Speedup(law, 0):f3}: what the fit says of a layer with all its weights on the sparse design. ")
            + "Nothing is printed below 14.7 % pruned, so that end is extrapolated.");
        table.Picture("figure4.svg", Picture(law));
        return table;
    }

    private static double Speedup(LawFit law, double percentPruned) => 1 / law.Law.RelativeDelay(1 - (percentPruned / 100));

    private static LineChart Picture(LawFit law)
    {
        double[] pruned = [.. Enumerable.Range(0, 201).Select(i => i / 2.0)];
        // Six colours: the seventh series has that of the first, the line on which the break-even lies.
        ChartSeries[] series =
        [
            new("as fast as dense", [0, 100], [1, 1], SeriesStyle.Line),
            new("fitted law", pruned, [.. pruned.Select(p => Speedup(law, p))], SeriesStyle.Line),
            .. PublishedSpeedup.All.GroupBy(Series).Select(group => new ChartSeries(
                group.Key, [.. group.Select(p => 100 * (1 - p.Density))], [.. group.Select(p => p.Speedup)], SeriesStyle.Markers,
                [.. group.Select(Label)])),
        ];
        return new LineChart(
            "Speedup by the part pruned: a fitted law over what is printed", "pruned (%)",
            [new ChartPanel("speedup (x)", series)]);
    }

    private static string Series(PublishedSpeedup point) => point.Method switch
    {
        "Fig. 4" => "break-even of Fig. 4",
        "Ours1" or "Ours2" => "ADMM-NN (Ours1, Ours2)",
        _ => point.Method,
    };

    private static string Label(PublishedSpeedup point) => point.Method switch
    {
        "Fig. 4" => "",
        "Ours2" => "Ours2",
        _ => point.Layer,
    };
}
