using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks;
using AdmmKit.Tests.Data;

namespace AdmmKit.Tests.Accounting;

public class AccountingTableTests
{
    public static TheoryData<string> Names => [.. AccountingTables.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_number_comes_out_as_printed_or_is_explained_and_no_explanation_is_idle(string name)
    {
        AccountingTable table = AccountingTables.Create(name);
        Assert.All(table.Lines, l => Assert.Equal(
            l.Agreement is Agreement.Different or Agreement.WithinInputs, !string.IsNullOrWhiteSpace(l.Explanation)));
        Assert.All(table.Lines, l => Assert.Equal(l.Explanation, table.Explanation(l.Row.Row, l.Row.Quantity)));
        Assert.All(table.Lines, l => Assert.Equal(l.Agreement == Agreement.None, l.Row.Paper is null || l.Row.Ours is null));
        Assert.Equal(table.Lines.Count, table.Lines.DistinctBy(l => (l.Row.Row, l.Row.Quantity)).Count());
        Assert.Contains(table.Lines, l => l.Agreement == Agreement.AsPrinted);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Rows_say_whether_they_were_recomputed(string name)
    {
        Assert.All(AccountingTables.Create(name).Rows, r => Assert.Equal(
            r.Ours is null ? ResultStatus.None : ResultStatus.Accounting, r.Status));
    }

    [Theory]
    [InlineData("table2", 8)]
    [InlineData("table3", 6)]
    [InlineData("table4", 5)]
    [InlineData("table6", 13)]
    [InlineData("table7", 9)]
    [InlineData("table8", 5)]
    [InlineData("table9", 7)]
    [InlineData("section4.3", 5)]
    [InlineData("figure4", 2)]
    [InlineData("hardware-fit", 46)]
    public void All_lines_of_the_paper_are_there(string name, int lines) => Assert.Equal(
        lines, AccountingTables.Create(name).Rows.Where(r => r.Paper is not null).Select(r => r.Row).Distinct().Count());

    // The capacities are those of the data sheets; the claims that do not hold are known by name.
    [Theory]
    [InlineData("XC7K325T", "fitsPrinted", 0)]
    [InlineData("XC7K355T", "fitsPrinted", 1)]
    [InlineData("XC7VX980T", "fitsPrinted", 0)]
    [InlineData("XC7VX1140T", "fitsPrinted", 1)]
    [InlineData("XC7VX1140T", "capacityBytes", 8_663_040)]
    [InlineData("DE5-Net, 5SGXEA7, M20K and all MLABs", "capacityBytes", 7_492_480)]
    [InlineData("Altera DE-5 holds VGG-16", "fitsPrinted", 0)]
    [InlineData("Xilinx Kintex-7 holds AlexNet", "fitsFile", 1)]
    public void Models_fit_or_not(string row, string quantity, double ours) =>
        Assert.Equal(ours, Assert.Single(AccountingTables.Create("section4.3").Rows, r => r.Row == row && r.Quantity == quantity).Ours);

    [Theory]
    [InlineData("XC7K", 4)]
    [InlineData("XC7V", 1)]
    [InlineData("DE5", 0)]
    public void As_many_devices_hold_the_printed_size_as_the_notes_say(string prefix, int devices)
    {
        var holding = AccountingTables.Create("section4.3").Rows.Where(r => r is { Quantity: "fitsPrinted", Ours: 1 });
        Assert.Equal(devices, holding.Count(r => r.Row.StartsWith(prefix, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_table_is_written_with_its_explanations_and_read_back()
    {
        using var folder = new TemporaryFolder();
        AccountingTable table = AccountingTables.Create("table7");
        IReadOnlyList<string> files = AccountingTables.Create("table7").Write(folder.Path);
        Assert.Equal(table.Rows, ResultRows.Read(files[0]));
        string notes = File.ReadAllText(files[1]);
        Assert.Contains("2,908,900", notes, StringComparison.Ordinal);
        Assert.All(table.Lines, l => Assert.Contains(l.Explanation ?? "", notes, StringComparison.Ordinal));
        Assert.DoesNotContain('\r', notes);
    }

    [Fact]
    public void What_differs_from_the_print_is_a_table_with_reasons()
    {
        AccountingTable table = AccountingTables.Create("table7");
        Table differences = table.Differences();
        Assert.StartsWith("21 of 27 ", differences.Title, StringComparison.Ordinal);
        Assert.Equal(table.Lines.Where(l => l.Explanation is not null).Select(l => l.Explanation), differences.Rows.Select(r => r[4].Value));
        Assert.Equal(["total", "keep fraction", "4.76%", "4.772%"], differences.Rows[^1].Take(4).Select(c => c.Value));
    }

    [Fact]
    public void An_unknown_table_is_named_with_its_nearest()
    {
        var e = Assert.Throws<AdmmKitException>(() => AccountingTables.Create("tabel2"));
        Assert.Contains("'table2'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("60.9M", 60_900_000, 60_850_000, 60_950_000)]
    [InlineData("1.47M", 1_470_000, 1_465_000, 1_475_000)]
    [InlineData("1,332M", 1_332_000_000, 1_331_500_000, 1_332_500_000)]
    [InlineData("2.45MB", 2_450_000, 2_445_000, 2_455_000)]
    [InlineData("0.89KB", 890, 885, 895)]
    [InlineData("24x", 24, 23.5, 24.5)]
    [InlineData("5b", 5, 4.5, 5.5)]
    public void A_printed_number_stands_for_all_that_round_to_it(string printed, double value, double low, double high) =>
        Assert.Equal(new Bounded(value, low, high), Bounded.Printed(printed));
}
