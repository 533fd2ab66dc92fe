using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks;

namespace AdmmKit.Tests.Report;

public class ComparisonTableTests
{
    private static ResultRow Row(
        string row, string quantity, string unit = "", double? paper = null, double? ours = null, double? spread = null, string status = "") =>
        new(row, quantity, unit, paper, ours, spread, spread is null ? 0 : 3, status, "a test");

    private static string[][] Texts(Table table) => [.. table.Rows.Select(r => r.Select(c => (string?)c.Value ?? "nothing").ToArray())];

    public static TheoryData<string, string, double?, double?, double?, string, string> CellsOfRows => new()
    {
        { "top1", "%", 99.2, 99.29, 0.194033, "matched", "99.29 ± 0.19 (99.2) matched" },
        { "top1", "%", 98.1, null, null, "", "(98.1)" },
        { "top1", "%", null, 99.336667, 0.176254, "", "99.34 ± 0.18" },
        { "survivors", "", 430_500, 430_500, 0.0, "matched", "430,500 ± 0 (430,500) matched" },
        { "compressionRatio", "x", 1, 1, null, "matched", "1 (1) matched" },
        { "survivors", "", 60_900_000, 60_954_656, null, "accounting", "60.95 M (60.9 M) accounting" },
        { "survivors", "", null, 10_750.333333, null, "", "10,750.3" },
        { "fileBytes", "B", null, 27_654.333333, 31.062508, "", "27.65 ± 0.031 KB" },
        { "fileBytes", "B", 2_450_000, 2_463_000, null, "missed", "2.463 MB (2.45 MB) missed" },
        { "fileBytes", "B", null, 312, null, "", "312 B" },
        { "primalResidual", "", null, 0.0000123, null, "", "1.23e-5" },
        { "conv4Operations", "", 1_332_000_000, 13_329_570_000, null, "accounting", "13.33 G (1,332 M) accounting" },
        { "time", "us", null, -0.5, null, "", "-0.5" },
        { "speedup", "x", null, 0.0, 0.0, "", "0 ± 0" },
        { "top1", "%", null, null, null, "", "" },
    };

    [Theory]
    [MemberData(nameof(CellsOfRows))]
    public void A_cell_says_ours_spread_paper_and_status(
        string quantity, string unit, double? paper, double? ours, double? spread, string status, string expected)
    {
        using var comma = new CommaCulture();
        Assert.Equal(expected, QuantityText.Cell(Row("a", quantity, unit, paper, ours, spread, status)));
    }

    [Fact]
    public void A_quotient_of_printed_numbers_is_not_told_like_a_count()
    {
        ResultRow counted = Row("ADMM-NN 24x", "survivors", "", 2_500_000, 2_539_777, null, "accounting");
        Assert.Equal("2,539,777 (2,500,000) accounting", QuantityText.Cell(counted));
        Assert.Equal("2,540,000 (2,500,000) accounting", QuantityText.Cell(counted with { Source = "layer table / printed compressionRatio" }));
    }

    [Theory]
    [InlineData("top1", "%", "top-1 (%)")]
    [InlineData("validationTop1", "%", "validation top-1 (%)")]
    [InlineData("top1OfBestSeed", "%", "top-1 of best seed (%)")]
    [InlineData("weightDataCompressionRatio", "x", "weight data compression ratio (x)")]
    [InlineData("fileBytes", "B", "file bytes")]
    [InlineData("speedup on admm-nn-40nm", "x", "speedup on admm-nn-40nm (x)")]
    [InlineData("speedup of layer1.0.conv1", "x", "speedup of layer1.0.conv1 (x)")]
    [InlineData("conv2To5CompressionRatio", "x", "conv2 to 5 compression ratio (x)")]
    [InlineData("primalResidual", "", "primal residual")]
    [InlineData("low95", "1", "low95")]
    public void Quantities_are_named_in_words(string quantity, string unit, string expected) =>
        Assert.Equal(expected, QuantityText.Heading(quantity, unit));

    [Fact]
    public void A_line_a_row_and_a_column_a_quantity()
    {
        ComparisonTable table = ComparisonTable.Of(
            [Row("85x", "top1", "%", 99.2, 99.29, 0.19, "matched"), Row("85x", "survivors", ours: 5060), Row("[24]", "top1", "%", 99.2)], "Table 1");

        Assert.Equal(ComparisonLayout.Wide, table.Layout);
        Table shown = table.ToTable();
        Assert.Equal("Table 1", shown.Title);
        Assert.Equal(["row", "top-1 (%)", "survivors"], shown.Headers);
        Assert.Equal([["85x", "99.29 ± 0.19 (99.2) matched", "5,060"], ["[24]", "(99.2)", "nothing"]], Texts(shown));
        Assert.Equal([CellStyle.Plain, CellStyle.Good, CellStyle.Plain], shown.Rows[0].Select(c => c.Style));
        Assert.Equal(CellStyle.Muted, shown.Rows[1][1].Style);
        Assert.Contains("| 85x | 99.29 ± 0.19 (99.2) matched |", table.ToBundle().Data[MimeTypes.Markdown], StringComparison.Ordinal);
        Assert.Contains("99.29 ± 0.19 (99.2) matched", table.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Many_quantities_of_few_rows_are_turned()
    {
        ComparisonTable table = ComparisonTable.Of(
            from r in new[] { "a", "b" } from q in Enumerable.Range(0, 9) select Row(r, $"quantity {q}", ours: q));

        Assert.Equal(ComparisonLayout.Turned, table.Layout);
        Table shown = table.ToTable();
        Assert.Equal(["quantity", "a", "b"], shown.Headers);
        Assert.Equal(9, shown.Rows.Count);
        Assert.Equal(["quantity 3", "3", "3"], Texts(shown)[3]);
    }

    [Fact]
    public void Many_of_both_and_values_that_stand_there_twice_are_long()
    {
        Assert.Equal(ComparisonLayout.Long, ComparisonTable.Of(
            from r in Enumerable.Range(0, 9) from q in Enumerable.Range(0, 13) select Row($"{r}", $"{q}", ours: q)).Layout);
        Assert.Equal(ComparisonLayout.Wide, ComparisonTable.Of(
            from r in Enumerable.Range(0, 9) from q in Enumerable.Range(0, 12) select Row($"{r}", $"{q}", ours: q)).Layout);

        ComparisonTable twice = ComparisonTable.Of([Row("a", "top1", "%", ours: 1), Row("a", "top1", "%", ours: 2)]);
        Assert.Equal(ComparisonLayout.Long, twice.Layout);
        Assert.Equal([["a", "top-1 (%)", "1", "nothing", ""], ["a", "top-1 (%)", "2", "nothing", ""]], Texts(twice.ToTable()));
    }

    [Fact]
    public void Quantities_are_chosen_by_name()
    {
        ComparisonTable table = ComparisonTable.Of([Row("a", "top1", "%", ours: 1), Row("a", "survivors", ours: 2), Row("a", "fileBytes", "B", ours: 3)]);
        Assert.Equal(["fileBytes", "top1"], table.Only("fileBytes", "top1").Columns.Select(c => c.Quantity));
        Assert.Equal(["survivors"], table.Where(r => r.Ours == 2).Columns.Select(c => c.Quantity));

        string message = Assert.Throws<AdmmKitException>(() => table.Only("survivor")).Message;
        Assert.Contains("Did you mean 'survivors'", message, StringComparison.Ordinal);
    }
}
