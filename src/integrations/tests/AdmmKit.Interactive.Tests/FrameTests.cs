using System.Reflection;
using AdmmKit.Experiments.Dense;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Search;
using AdmmKit.Notebooks;
using AdmmKit.Storage;
using AdmmKit.Tests;
using Deedle;

namespace AdmmKit.Interactive.Tests;

public class FrameTests
{
    public static TheoryData<string> RowTypeNames => [.. RowTypes.All.Keys];

    private static ResultRow[] Rows =>
    [
        new("85x", "top1", "%", 99.2, 99.29, 0.05, 3, ResultStatus.Beaten, "table1"),
        new("85x", "survivors", "", 5060, null, null, 0, ResultStatus.None, "a, \"b\""),
    ];

    [Fact]
    public void The_row_types_are_found()
    {
        Assert.InRange(RowTypes.All.Count, 100, 1000);
        Type[] some = [typeof(ResultRow), typeof(HistoryPoint), typeof(EpochPoint), typeof(LayerSizes), typeof(SearchRecord)];
        Assert.Subset(RowTypes.All.Values.ToHashSet(), some.ToHashSet());
    }

    [Theory]
    [MemberData(nameof(RowTypeNames))]
    public void Every_row_type_becomes_a_frame_and_comes_back(string name) =>
        typeof(FrameTests).GetMethod(nameof(Returns), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(RowTypes.All[name]).Invoke(null, null);

    private static void Returns<T>()
    {
        T[] rows = [.. Enumerable.Range(0, 3).Select(n => (T)RowTypes.Sample(typeof(T), n))];
        Frame<int, string> frame = rows.ToFrame();
        Assert.Equal(Table.Of(rows).Headers, frame.ColumnKeys);
        Assert.Equal([0, 1, 2], frame.RowKeys);
        Assert.Equal(rows, frame.ToRecords<T>());
        Assert.Empty(Array.Empty<T>().ToFrame().ToRecords<T>());
    }

    [Fact]
    public void Columns_have_the_types_of_their_properties_and_null_is_missing()
    {
        Frame<int, string> frame = Rows.ToFrame();
        Assert.Equal(["Row", "Quantity", "Unit", "Paper", "Ours", "Spread", "Seeds", "Status", "Source"], frame.ColumnKeys);
        Type text = typeof(string), real = typeof(double);
        Assert.Equal([text, text, text, real, real, real, typeof(int), text, text], frame.ColumnTypes);
        Assert.Equal(1, frame.GetColumn<double>("Ours").ValueCount);
        Assert.Equal(5060, frame.GetColumn<double>("Paper")[1]);
    }

    [Fact]
    public void A_frame_that_was_filtered_and_keyed_anew_comes_back()
    {
        Frame<int, string> frame = Rows.ToFrame();
        Assert.Equal(Rows[1], Assert.Single(frame.Where(r => r.Value.GetAs<string>("Quantity") == "survivors").ToRecords<ResultRow>()));
        Assert.Equal(Rows, frame.IndexRows<string>("Quantity", keepColumn: true).ToRecords<ResultRow>());
        Assert.Equal(Rows.Reverse(), frame.SortRows("Paper").ToRecords<ResultRow>().OrderBy(r => r.Paper is 5060 ? 0 : 1));
    }

    [Fact]
    public void A_frame_comes_back_from_a_file_of_comma_separated_values_in_any_culture()
    {
        string file = Path.GetTempFileName();
        try
        {
            using (new CommaCulture())
            {
                Rows.ToFrame().SaveCsv(file, includeRowKeys: false);
                Assert.Equal(Rows, Frame.ReadCsv(file).ToRecords<ResultRow>());
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    private enum Kind
    {
        Dense,
        Sparse,
    }

    private sealed record Small(int Count, double Share, Kind Kind, float? Part = 0.5f)
    {
        public string? Note { get; init; }

        public int Twice => 2 * Count;
    }

    private sealed record Strict(int Count)
    {
        public int Count { get; } = Count >= 0 ? Count : throw new AdmmKitException("less than nothing");
    }

    [Fact]
    public void Values_are_converted_where_nothing_is_lost()
    {
        Frame<int, string> frame = new[] { new { count = 3L, Share = 7, Kind = "Sparse", Further = 1 } }.ToFrame();
        Assert.Equal(new Small(3, 7, Kind.Sparse), Assert.Single(frame.ToRecords<Small>()));
        Frame<int, string> text = new[] { new { Count = "3", Share = "0.25", Kind = 1, Note = "n", Part = 0.1 } }.ToFrame();
        Assert.Equal(new Small(3, 0.25, Kind.Sparse, 0.1f) { Note = "n" }, Assert.Single(text.ToRecords<Small>()));
        Assert.Equal((5, 0.5), Assert.Single(new[] { (Bits: 5, Q: 0.5) }.ToFrame().ToRecords<(int Bits, double Q)>()));
    }

    [Fact]
    public void A_missing_value_is_null_or_NaN()
    {
        Frame<int, string> frame = new[] { new Small(1, double.NaN, Kind.Dense, null) }.ToFrame();
        Assert.Equal(0, frame.GetColumn<double>("Share").ValueCount);
        Assert.Equal(new Small(1, double.NaN, Kind.Dense, null), Assert.Single(frame.ToRecords<Small>()));
    }

    [Fact]
    public void What_does_not_fit_is_named_with_its_row_and_column()
    {
        void Refused<T>(Frame<int, string> frame, string message) =>
            Assert.Contains(message, Assert.Throws<AdmmKitException>(() => frame.ToRecords<T>()).Message, StringComparison.Ordinal);
        var good = new { Count = 1.0, Share = 1.0, Kind = "Dense" };
        Refused<Small>(new[] { good, good with { Count = 2.5 } }.ToFrame(),
            "Row 1 (from 0) of the frame has '2.5' (Double) in column 'Count', where Int32 is needed");
        Refused<Small>(new[] { good with { Count = double.NaN } }.ToFrame(), "has no value in column 'Count'");
        Refused<Small>(new[] { good with { Count = 1e300 } }.ToFrame(), "'1E+300'");
        Refused<Small>(new[] { good with { Kind = "None" } }.ToFrame(), "'None' (String) in column 'Kind', where Kind is needed");
        Refused<Small>(new[] { new { Counts = 1, Share = 1, Kind = 1 } }.ToFrame(),
            "Small needs it: There is no column 'Count'. Did you mean 'Counts'?");
        Refused<Strict>(new[] { new { Count = -1 } }.ToFrame(), "Row 0 (from 0) makes no Strict: less than nothing");
        Refused<Uri>(new[] { good }.ToFrame(), "Uri is no record");
    }

    [Fact]
    public void A_table_becomes_a_frame_and_a_frame_a_table()
    {
        var table = new Table("T", ["", "n", "n", "mixed"], [["a", 1, 1.5, "x"], ["b", new TableCell(2, CellStyle.Good), null, 3]]);
        Frame<int, string> frame = table.ToFrame();
        Assert.Equal(["", "n", "n (2)", "mixed"], frame.ColumnKeys);
        Assert.Equal([typeof(string), typeof(int), typeof(double), typeof(object)], frame.ColumnTypes);
        Assert.Equal("T\n   n  n (2)  mixed\n-  -  -----  -----\na  1  1.500  x\nb  2         3\n", frame.ToTable("T").ToText());
        Assert.Equal("The first 1 of 2 rows.", frame.ToTable(rows: 1).Note);
        Assert.Equal(["", "n", "n (2)", "mixed"], frame.IndexRows<string>("").ToTable().Headers);
        Assert.Equal("a", frame.IndexRows<string>("").ToTable().Rows[0][0].Value);
    }
}
