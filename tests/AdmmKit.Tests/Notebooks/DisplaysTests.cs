using System.Collections;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Tests.Notebooks;

public class DisplaysTests
{
    private sealed record Point(double X, string Name);

    private sealed class Plain(string text)
    {
        public string Text => text;

        public override string ToString() => text;
    }

    private sealed class Broken : IDisplayable
    {
        public MimeBundle ToBundle() => throw new InvalidOperationException("no bundle <b>");

        public override string ToString() => throw new InvalidOperationException("no text");
    }

    private sealed record BrokenRow(int A)
    {
        public int B => A > 0 ? throw new FormatException("no b") : A;
    }

    [Fact]
    public void Simple_values_are_their_invariant_text()
    {
        using var culture = new CommaCulture();
        Assert.Equal("null", Text(null));
        Assert.Equal("1.5", Text(1.5));
        Assert.Equal("-3", Text(-3));
        Assert.Equal("true", Text(true).ToLowerInvariant());
        Assert.Equal("two\nlines <b>", Text("two\nlines <b>"));
        Assert.Equal("00:01:00", Text(TimeSpan.FromMinutes(1)));
        Assert.Equal("[1.5, 2, null]", Text(new double?[] { 1.5, 2, null }));
        Assert.Equal("(1.5, a)", Text((1.5, "a")));
        Assert.Equal("InvalidOperationException: why", Text(new InvalidOperationException("why")));
        Assert.Equal("it", Text(new Plain("it")));
    }

    [Fact]
    public void Sequences_of_records_and_dictionaries_are_tables()
    {
        using var culture = new CommaCulture();
        MimeBundle bundle = Displays.BundleOf(new[] { new Point(1.5, "a"), new Point(2, "<b>") });
        Assert.Contains("<td>&lt;b&gt;</td>", bundle.Data[MimeTypes.Html], StringComparison.Ordinal);
        Assert.Equal("X      Name\n-----  ----\n1.500  a\n2.000  <b>\n".Replace("X    ", "    X", StringComparison.Ordinal), bundle.Data[MimeTypes.Text]);
        Assert.StartsWith("Key  Value\n---  -----\na        1\n", Text(new Dictionary<string, int> { ["a"] = 1 }), StringComparison.Ordinal);
        Assert.StartsWith("Key  Value\n", Text(new Hashtable { ["a"] = 1 }), StringComparison.Ordinal);
        Assert.StartsWith("property  value\n--------  -----\nX           1.5\n", Text(new Point(1.5, "2")), StringComparison.Ordinal);
        Assert.StartsWith("property  value\n", Text(new { A = 1 }), StringComparison.Ordinal);
        Assert.StartsWith("Text\n----\nit\n", Text(new[] { new Plain("it") }), StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_is_bounded()
    {
        string table = Text(Enumerable.Range(0, 5000).Select(i => new Point(i, "p")).ToArray());
        Assert.EndsWith("The first 100 of 5000 rows.\n", table, StringComparison.Ordinal);
        Assert.Equal(103, table.Count(c => c == '\n'));
        Assert.EndsWith("The first 100 rows; there are more.\n", Text(Endless().Select(i => new Point(i, "p"))), StringComparison.Ordinal);
        Assert.EndsWith(", 99, ...]", Text(Endless()), StringComparison.Ordinal);
        Assert.EndsWith(", ... 900 more]", Text(new int[1000]), StringComparison.Ordinal);
        Assert.Equal(Displays.ShownCharacters + 1, Text(new string('x', 1_000_000)).Length);
        Assert.InRange(Text(new[] { new { Many = Endless(), Text = new string('x', 1_000_000) } }).Length, 1, 3000);

        static IEnumerable<int> Endless()
        {
            for (int i = 0; ; i++)
            {
                yield return i;
            }
        }
    }

    [Fact]
    public void What_objects_throw_is_shown_in_their_place()
    {
        Assert.Equal("(Broken cannot be shown: InvalidOperationException: no bundle <b>)", Text(new Broken()));
        Assert.Contains("(Broken cannot be shown: InvalidOperationException: no text)", Text(new object[] { new Broken() }), StringComparison.Ordinal);
        Assert.Contains("(FormatException)", Text(new[] { new BrokenRow(1) }), StringComparison.Ordinal);
        Assert.Contains("cannot be shown: DivideByZeroException", Text(Enumerable.Range(0, 3).Select(i => 1 / i)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_shows_itself_and_what_is_shown_already_stay_as_they_are()
    {
        BarChart chart = new("t", "x", "y", ["a"], [new("s", [1])]);
        Assert.Equal([MimeTypes.Html, MimeTypes.Svg, MimeTypes.Plotly, MimeTypes.Text], Displays.BundleOf(chart).Data.Keys);
        MimeBundle bundle = chart.ToBundle();
        Assert.Same(bundle, Displays.BundleOf(bundle));
        // A task is of the system: to read its result would wait for it.
        Assert.StartsWith("[System.Threading", Text(new[] { new TaskCompletionSource<int>().Task }), StringComparison.Ordinal);
    }

    private static string Text(object? value)
    {
        MimeBundle bundle = Displays.BundleOf(value);
        return bundle.Data[MimeTypes.Text];
    }
}
