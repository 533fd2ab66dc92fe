using System.Xml.Linq;
using AdmmKit.Notebooks;

namespace AdmmKit.Tests.Notebooks;

public class TableTests
{
    private sealed record Layer(string Name, int Weights, double KeepFraction, double? Accuracy);

    private static readonly Layer[] Layers =
        [new("conv1", 500, 0.8, 0.9912), new("conv2", 25_000, 0.12, null), new("ip1", 400_000, 0.0023, double.NaN)];

    [Fact]
    public void Records_become_rows_and_their_properties_columns_in_their_order()
    {
        Table table = Table.Of(Layers, "LeNet-5");
        Assert.Equal(["Name", "Weights", "KeepFraction", "Accuracy"], table.Headers);
        Assert.Equal("conv2", table.Rows[1][0].Value);
        Assert.Equal(["Weights", "Name"], Table.Of(Layers, null, "Weights", "Name").Headers);
        string words = Assert.Throws<AdmmKitException>(() => Table.Of(Layers, null, "Weight")).Message;
        Assert.Contains("no column 'Weight'. Did you mean 'Weights'?", words, StringComparison.Ordinal);
        Assert.Equal(["Item1", "Item2"], Table.Of([(1, "a")]).Headers);
        Assert.Equal(["value"], Table.Of([3, 4]).Headers);
        Assert.Equal(["Name", "Weights", "KeepFraction", "Accuracy"], Table.Of(Array.Empty<Layer>()).Headers);
    }

    [Fact]
    public void Text_is_aligned_and_numbers_stand_to_the_right_whatever_the_culture()
    {
        using var culture = new CommaCulture();
        Assert.Equal(
            """
            LeNet-5
            Name   Weights  KeepFraction  Accuracy
            -----  -------  ------------  --------
            conv1      500        0.8000    0.9912
            conv2   25,000        0.1200
            ip1    400,000        0.0023

            """.ReplaceLineEndings("\n"), Table.Of(Layers, "LeNet-5").ToText());
    }

    [Fact]
    public void Csv_has_all_digits_and_rows_and_quotes_what_must_be()
    {
        using var culture = new CommaCulture();
        Table table = new("t", ["a,b", "c"], [["say \"x\"", 1234567.25], [null, double.NaN], [new TableCell(-0.1f, CellStyle.Bad), "two\nlines"]]);
        Assert.Equal("\"a,b\",c\n\"say \"\"x\"\"\",1234567.25\n,\n-0.1,\"two\nlines\"\n", table.ToCsv());
        Table many = Table.Of(Enumerable.Range(0, Table.ShownRows + 5));
        Assert.Equal(Table.ShownRows + 6, many.ToCsv().Count(c => c == '\n'));
        Assert.EndsWith("The first 1000 of 1005 rows.\n", many.ToText(), StringComparison.Ordinal);
        Assert.Equal(Table.ShownRows, Body(many).Count());
    }

    [Fact]
    public void Hostile_text_stays_text_in_every_form()
    {
        const string hostile = "<script>alert('1')</script> \"]]>|\n\\`*_[x](javascript:y)$ & \u0001\uD800";
        Table table = new(hostile, [hostile], [[hostile], [new string('x', 10_000)]]) { Note = hostile };
        string html = table.ToHtml();
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        XElement cell = Body(table).First().Elements().Single();
        Assert.Contains("<script>alert('1')</script> \"]]>|", cell.Value, StringComparison.Ordinal);
        Assert.InRange(html.Length, 1, 5000);
        string[] lines = table.ToMarkdown().Split('\n');
        Assert.StartsWith(@"| &lt;script>alert('1')&lt;/script> ""\]\]>\| \\\`\*\_\[x\](javascript:y)\$ &amp; ", lines[2], StringComparison.Ordinal);
        Assert.Equal("| --- |", lines[3]);
        Assert.Equal(9, lines.Length);
        Assert.Equal(6, table.ToText().Count(c => c == '\n'));
    }

    [Fact]
    public void Cells_are_set_off_and_numbers_aligned_in_html_and_markdown()
    {
        Table table = new("t", ["name", "value"], [["a", new TableCell(1.5, CellStyle.Good)], [new TableCell("b", CellStyle.Strong), "≤ 12 %"]]);
        XElement[] cells = [.. Body(table).SelectMany(r => r.Elements())];
        Assert.Equal([null, "n good", "strong", "n"], cells.Select(c => (string?)c.Attribute("class")));
        Assert.Equal("**t**\n\n| name | value |\n| --- | ---: |\n| a | 1.5 |\n| **b** | ≤ 12 % |\n".Replace("1.5", "1.500", StringComparison.Ordinal), table.ToMarkdown());
        Assert.Contains("cells for 2 columns", Assert.Throws<AdmmKitException>(() => new Table("t", ["a", "b"], [[1]])).Message, StringComparison.Ordinal);
        Assert.Equal([MimeTypes.Html, MimeTypes.Markdown, MimeTypes.Text], table.ToBundle().Data.Keys);
    }

    [Theory]
    [InlineData(new[] { 1.0, 20, 300 }, "1|20|300")]
    [InlineData(new[] { 99.23, 99.1, 5 }, "99.23|99.10|5.00")]
    [InlineData(new[] { 0.08, 1, 0 }, "0.080|1.000|0.000")]
    [InlineData(new[] { 0.00012, 250.5 }, "0.00012|250.5")]
    [InlineData(new[] { 60_954_656, 1.0 }, "60,954,656|1")]
    [InlineData(new[] { 1e-9, 2e18, double.PositiveInfinity }, "1e-9|2e18|∞")]
    [InlineData(new[] { -0.00001, 123.4 }, "-1e-5|123.4")]
    [InlineData(new[] { 36_000, 6050.0 }, "36,000|6,050")]
    [InlineData(new[] { 6050.0, 1 }, "6050|1")]
    [InlineData(new[] { 0.0 }, "0")]
    public void Numbers_of_a_column_have_the_decimals_that_all_of_them_need(double[] values, string expected)
    {
        using var culture = new CommaCulture();
        Assert.Equal(expected, string.Join('|', values.Select(NumberText.Column(values))));
    }

    private static IEnumerable<XElement> Body(Table table)
    {
        string html = table.ToHtml();
        return XDocument.Parse(html[html.IndexOf("<table", StringComparison.Ordinal)..]).Root!.Element("tbody")!.Elements("tr");
    }
}
