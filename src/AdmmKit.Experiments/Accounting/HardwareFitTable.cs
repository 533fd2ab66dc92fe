using AdmmKit.Hardware.Fitting;

namespace AdmmKit.Experiments.Accounting;

/// <summary>The speedups of Tables 8 and 9 of [Ren2019] beside two laws fitted to them: errors, break-even, what was left out.</summary>
internal static class HardwareFitTable
{
    /// <summary>How the tables that rest on the fit are made.</summary>
    public const string Basis = "Fitted to printed speedups, which is not the same as derived: no parameter of the silicon is claimed.";

    private const string Contradiction = "The paper does not say consistently what dense and sparse have in common: sec. 5.1 holds the "
        + "area equal, sec. 6.2 the number of processing elements. A layer at 84 % density that takes six times as long (conv1 of "
        + "[24], [36] and [53]) is not explained by either; the law reproduces it without an explanation.";

    private const string Source = "least squares of log speedup on Tables 8 and 9 and the break-even of Fig. 4";

    /// <summary>The points without the break-even of Fig. 4, so that a law fitted to them predicts it.</summary>
    public static IReadOnlyList<PublishedSpeedup> WithoutBreakEven { get; } =
        [.. PublishedSpeedup.All.Where(p => PublishedSpeedup.Methods.Contains(p.Method))];

    public static AccountingTable Create()
    {
        var table = new AccountingTable("hardware-fit", "Tables 8 and 9: speedup by density, fitted", Basis);
        IReadOnlyList<PublishedSpeedup> all = PublishedSpeedup.All;
        (string Name, Func<IReadOnlyList<PublishedSpeedup>, LawFit> Fit)[] laws =
            [("logarithmic law", LawFit.Logarithmic), ("linear-area law", LawFit.LinearArea)];
        foreach ((string name, var fit) in laws)
        {
            LawFit law = fit(all);
            Points(table, name, law, all);
            BreakEven(table, name, law);
            BreakEven(table, name + ", fitted without Fig. 4", fit(WithoutBreakEven), "least squares of log speedup on Tables 8 and 9");
            Errors(table, name, law, all);
            foreach (FittedParameter p in law.Parameters)
            {
                // "1" is the unit of a number without one; rows without any are counts.
                table.Add($"{name}, {p.Name}", "value", "1", null, p.Value, Source);
                table.Add($"{name}, {p.Name}", "low95", "1", null, p.Low, Source);
                table.Add($"{name}, {p.Name}", "high95", "1", null, p.High, Source);
            }

            foreach (string[] unseen in PublishedSpeedup.Methods.Select(m => new[] { m }).Append(["Ours1", "Ours2"]))
            {
                Errors(
                    table, $"{name}, predicts {string.Join(" and ", unseen)}", fit([.. all.Where(p => !unseen.Contains(p.Method))]),
                    [.. all.Where(p => unseen.Contains(p.Method))]);
            }
        }

        table.Note(Contradiction);
        table.Note("Both laws have four parameters: delay = ((d / g)^q + t^q)^(1/q) at the density d, dense = 1, with g = a - b ln d "
            + "(logarithmic) or g = a - b d (linear area). The preset admm-nn-40nm is the logarithmic one. The linear one falls to "
            + "g below 0, so to no speed at all, before all weights are there.");
        table.Note("A pair of a density and a speedup is what Table 8 says of a layer's operations and Table 9 of its speed. Ours2 is not "
            + "in Table 8: 25.5 times fewer weights in conv1 to conv5 with a dense conv1 leave 2.46 % of the others, paired with their "
            + "mean speedup. conv1 of Ours1 is pruned in Table 8 and dense in Table 9, so it is no pair.");
        table.Note("value, low95 and high95 are a parameter and its 95 % interval: s^2 (J'J)^-1 at the minimum, in logarithms "
            + "(of q - 1 for q).");
        table.Note("The break-even of Fig. 4 is one of the fitted points; \"fitted without Fig. 4\" is what the law says of it without "
            + "having seen it.");
        table.Note("\"predicts\" is what the law says of a method whose layers it was not fitted to. Without both Ours nothing is left "
            + "below 14.7 % density, and the floor t is a guess.");
        return table;
    }

    /// <summary>Adds the break-even of a law as the paper prints it: the part pruned, and its compressionRatio.</summary>
    public static void BreakEven(AccountingTable table, string row, LawFit law, string source = Source)
    {
        double keepFraction = law.BreakEvenKeepFraction;
        string why = FormattableString.Invariant(
            $"The fit is as fast as dense at {100 * (1 - keepFraction):f1} % pruned; ")
            + "the paper reads \"about 55%\" off Fig. 4, and 2.22 is 1 / 0.45.";
        table.Add(row, "breakEvenPruneFraction", "%", "55%", 100 * (1 - keepFraction), source, why);
        table.Add(row, "breakEvenCompressionRatio", "x", "2.22x", 1 / keepFraction, source, why);
    }

    private static void Points(AccountingTable table, string name, LawFit law, IReadOnlyList<PublishedSpeedup> points)
    {
        foreach (PublishedSpeedup p in points)
        {
            string row = $"{name}, {p.Method} {p.Layer}", printed = FormattableString.Invariant($"{p.Speedup}x");
            double speedup = 1 / law.Law.RelativeDelay(p.Density);
            string? why = Bounded.Printed(printed).Meets(speedup) ? null
                : FormattableString.Invariant($"The fit is {100 * law.Error(p):+0.0;-0.0} % off.");
            table.Add(row, "density", "%", null, 100 * p.Density, "printed operations");
            table.Add(row, "speedup", "x", printed, speedup, Source, why);
        }
    }

    private static void Errors(AccountingTable table, string row, LawFit law, IReadOnlyList<PublishedSpeedup> points)
    {
        table.Add(row, "meanError", "%", null, 100 * law.MeanError(points), Source);
        table.Add(row, "worstError", "%", null, 100 * law.WorstError(points), Source);
    }
}
