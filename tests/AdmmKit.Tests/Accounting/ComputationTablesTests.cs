using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Fitting;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Tests.Data;

namespace AdmmKit.Tests.Accounting;

/// <summary>Tables 8 and 9: what the paper prints, what follows from it, and what the platform decides.</summary>
public class ComputationTablesTests
{
    private static readonly AccountingTable Table8 = AccountingTables.Create("table8"), Table9 = AccountingTables.Create("table9");

    [Theory]
    [InlineData("AlexNet", "211|448|299|224|150|75|34|8|1332")]
    [InlineData("ADMM-NN", "133|31|18|16|11|7|3|2|209")]
    [InlineData("Han [24]", "177|170|105|83|56|7|3|2|591")]
    [InlineData("Mao [36]", "175|116|67|52|35|5|2|1.5|445")]
    [InlineData("Wen [53]", "180|107|44|42|36|75|34|8|409")]
    public void Every_row_of_table_8_is_there_and_comes_out(string method, string millions)
    {
        string[] quantities = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc1", "fc2", "fc3", "convolution"];
        double? Paper(string quantity) => Row(Table8, method, quantity + "Operations").Paper / 1e6;
        Assert.Equal(millions, string.Join('|', quantities.Select(q => FormattableString.Invariant($"{Paper(q)}"))));
        Assert.All(quantities, q => Assert.NotEqual(Agreement.Different, Line(Table8, method, q + "Operations").Agreement));
        Assert.Equal(Agreement.AsPrinted, Line(Table8, method, "convolutionOperations").Agreement);
    }

    [Theory]
    [InlineData("ADMM-NN", "7|5|5|5|5", "931|155|90|80|55|1311")]
    [InlineData("Han [24]", "8|8|8|8|8", "1416|1360|840|664|448|4728")]
    public void Operations_times_bits_are_the_second_metric(string method, string bits, string millions)
    {
        string[] layers = ["conv1", "conv2", "conv3", "conv4", "conv5"];
        Assert.Equal(bits, string.Join('|', layers.Select(l => Row(Table8, method, l + "Bits").Ours)));
        Assert.Equal(
            millions, string.Join('|', layers.Append("convolution").Select(l => Row(Table8, method, l + "OperationBits").Ours / 1e6)));
    }

    [Theory]
    [InlineData("conv1", 1.416)]
    [InlineData("conv2", 1.360)]
    [InlineData("convolution", 4.728)]
    public void Misprinted_decimal_points_are_named(string layer, double printed)
    {
        AccountedRow line = Line(Table8, "Han [24]", layer + "OperationBits");
        Assert.Equal((printed * 1e6, printed * 1e9), (line.Row.Paper!.Value, line.Row.Ours!.Value));
        Assert.Contains("Misprint", line.Explanation, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ADMM-NN", 9.87, Agreement.Different)]
    [InlineData("Han [24]", 8.97, Agreement.AsPrinted)]
    [InlineData("Mao [36]", 12.66, Agreement.WithinInputs)]
    [InlineData("Wen [53]", 1.03, Agreement.AsPrinted)]
    public void Overall_pruning_follows_from_its_columns_but_for_the_papers_own(string method, double compressionRatio, Agreement agreement)
    {
        AccountedRow line = Line(Table8, method, "compressionRatio");
        Assert.Equal((compressionRatio, agreement), (Math.Round(line.Row.Ours!.Value, 2), line.Agreement));
        if (agreement == Agreement.Different)
        {
            Assert.Contains("9.9x, and 11.2x at most", line.Explanation, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Sec_6_1_speaks_of_3_6_times_fewer_operations_times_bits() =>
        Assert.Equal(Agreement.AsPrinted, Line(Table8, "Han [24]", "operationBitsOverOurs").Agreement);

    [Theory]
    [InlineData("ADMM-NN 1", 3.63, 12.3)]
    [InlineData("ADMM-NN 2", 3.93, 25.5)]
    [InlineData("Han [24]", 0.64, 2.7)]
    [InlineData("Mao [36]", 0.81, 4.1)]
    [InlineData("Wen [53]", 0.77, 5.0)]
    public void The_overall_column_is_the_operations_weighted_time_of_its_layers(
        string method, double speedup, double compressionRatioRestored)
    {
        AccountedRow line = Line(Table9, method, "overallSpeedup");
        Assert.Equal((Agreement.AsPrinted, speedup), (line.Agreement, Math.Round(line.Row.Ours!.Value, 2)));
        Assert.NotEqual(Agreement.Different, Line(Table9, method, "compressionRatio").Agreement);
        Assert.Equal(compressionRatioRestored, Row(Table9, method, "compressionRatioRestored").Ours!.Value, 0.051);
    }

    // Where the law was fitted: a few per cent in each layer, and hence overall.
    [Theory]
    [InlineData("ADMM-NN 1", 3.65)]
    [InlineData("ADMM-NN 2", 3.91)]
    [InlineData("Han [24]", 0.647)]
    [InlineData("Mao [36]", 0.817)]
    [InlineData("Wen [53]", 0.756)]
    public void The_law_predicts_the_table_within_a_few_per_cent(string method, double overall)
    {
        Assert.Equal(overall, Row(Table9, method, "predictedOverallSpeedup").Ours!.Value, 0.01 * overall);
        Assert.All(Enumerable.Range(1, 5), l => Assert.InRange(Row(Table9, method, $"conv{l}SpeedupError").Ours!.Value, -4.5, 4.5));
    }

    [Fact]
    public void That_conv1_and_nothing_else_stays_dense_comes_out_of_the_platform_for_every_method()
    {
        foreach (string method in new[] { "ADMM-NN 1", "ADMM-NN 2", "Han [24]", "Mao [36]", "Wen [53]" })
        {
            Assert.Equal([1.0, 0, 0, 0, 0], Enumerable.Range(1, 5).Select(l => Row(Table9, method, $"conv{l}StaysDense").Ours!.Value));
            // It is a decision by density alone: each conv1 keeps more than break-even, each other layer less.
            double even = 100 / Row(Table9, "Sec. 5.1", "breakEvenCompressionRatio").Ours!.Value;
            Assert.All(Enumerable.Range(1, 5), l => Assert.Equal(l == 1, Row(Table9, method, $"conv{l}KeepFraction").Ours!.Value > even));
            double? Predicted(string how) => Row(Table9, method, "predictedOverallSpeedup" + how).Ours;
            Assert.True(Predicted("Restored") > Predicted("Unrestored"));
            // Nor does it rest on the break-even of Fig. 4, which the law was fitted to among others.
            double unseen = 100 * LawFit.Logarithmic(
                [.. PublishedSpeedup.All.Where(p => p.Method != "Fig. 4")]).BreakEvenKeepFraction;
            Assert.Equal(2.178, 100 / unseen, 0.0005);
            Assert.All(Enumerable.Range(1, 5), l => Assert.Equal(l == 1, Row(Table9, method, $"conv{l}KeepFraction").Ours!.Value > unseen));
        }

        Assert.Contains(Table9.Notes, n => n.Contains("Fitted without it, it has its break-even at 45.9 %", StringComparison.Ordinal));

        Assert.Equal(2.19, Row(Table9, "ADMM-NN 1", "predictedOverallSpeedupUnrestored").Ours!.Value, 0.01);
    }

    [Theory]
    [InlineData("Han [24]", 1.38, 1.38)]
    [InlineData("Mao [36]", 2.19, 2.19)]
    [InlineData("Wen [53]", 2.46, 2.45)]
    public void Baselines_would_gain_too_if_they_left_conv1_unchanged(string method, double byPrint, double byLaw)
    {
        Assert.Equal(byPrint, Row(Table9, method, "overallSpeedupRestored").Ours!.Value, 0.006);
        Assert.Equal(byLaw, Row(Table9, method, "predictedOverallSpeedupRestored").Ours!.Value, 0.006);
        string printed = FormattableString.Invariant($"{method} {byPrint:0.0}x by the print");
        Assert.Contains(Table9.Notes, n => n.Contains(printed, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("5.65x as fast as Han [24] and 2.64x if that leaves conv1 dense (44 % of the lead)")]
    [InlineData("4.46x as fast as Mao [36] and 1.66x if that leaves conv1 dense (66 % of the lead)")]
    [InlineData("4.73x as fast as Wen [53] and 1.47x if that leaves conv1 dense (75 % of the lead)")]
    public void How_much_of_the_lead_is_conv1_is_said_in_numbers(string lead) =>
        Assert.Contains(Table9.Notes, n => n.Contains(lead, StringComparison.Ordinal));

    [Fact]
    public void The_compressionRatio_of_ours_1_has_conv1_pruned()
    {
        AccountedRow line = Line(Table9, "ADMM-NN 1", "compressionRatio");
        Assert.Equal(13.2, line.Row.Ours!.Value, 0.051);
        Assert.Contains("63 %", line.Explanation, StringComparison.Ordinal);
        Assert.Contains("12.3x", line.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public void The_picture_shows_the_delay_of_every_row_printed_and_predicted()
    {
        var chart = Assert.IsType<BarChart>(Table9.Pictures["delay.svg"]);
        Assert.Equal(["conv1", "conv2", "conv3", "conv4", "conv5"], chart.Series.Select(s => s.Name));
        Assert.Equal(14, chart.Categories.Count(c => c.Length > 0));
        double Total(string category) => chart.Series.Sum(s => s.Values[chart.Categories.ToList().IndexOf(category)]);
        Assert.Equal(100, Total("AlexNet, dense"), 9);
        Assert.Equal(100 / 0.6421, Total("Han [24], printed"), 0.05);
        Assert.Equal(100 / Row(Table9, "Wen [53]", "predictedOverallSpeedupRestored").Ours!.Value, Total("Wen [53], restored"), 1e-4);
        using var folder = new TemporaryFolder();
        Assert.Contains(Path.Combine(folder.Path, "delay.svg"), Table9.Write(folder.Path));
        Assert.True(File.Exists(Path.Combine(folder.Path, "delay.plotly.json")));
    }

    private static AccountedRow Line(AccountingTable table, string row, string quantity) =>
        Assert.Single(table.Lines, l => l.Row.Row == row && l.Row.Quantity == quantity);

    private static ResultRow Row(AccountingTable table, string row, string quantity) => Line(table, row, quantity).Row;
}
