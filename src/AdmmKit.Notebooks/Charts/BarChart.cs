namespace AdmmKit.Notebooks.Charts;

/// <summary>How bars of several series share a category.</summary>
public enum BarLayout
{
    /// <summary>Side by side.</summary>
    Grouped,

    /// <summary>One on the other, the first series at the bottom: parts of a whole.</summary>
    Stacked,
}

/// <summary>One bar a category. A value that is not a finite number leaves the bar out.</summary>
/// <param name="Name">The name in the legend.</param>
/// <param name="Values">One value a category.</param>
public sealed record BarSeries(string Name, IReadOnlyList<double> Values);

/// <summary>A level to compare bars with, drawn across the plot.</summary>
/// <param name="Value">Where it is on the y axis.</param>
/// <param name="Name">What it is; stands in the legend.</param>
public sealed record ReferenceLine(double Value, string Name);

/// <summary>A bar chart, written as SVG that reads in light and dark and as a Plotly figure of the same content.</summary>
/// <param name="Title">The title.</param>
/// <param name="XTitle">What the categories are.</param>
/// <param name="YTitle">What the bars show, with its unit: "delay (% of dense)".</param>
/// <param name="Categories">The categories from left to right, at least one; an empty name with no bars makes a gap.</param>
/// <param name="Series">The series.</param>
[TypeFormatterSource(typeof(ChartForms))]
public sealed record BarChart(
    string Title, string XTitle, string YTitle, IReadOnlyList<string> Categories, IReadOnlyList<BarSeries> Series) : IChart
{
    /// <summary>How bars of several series share a category.</summary>
    public BarLayout Layout { get; init; }

    /// <summary>
    /// How the y axis counts. A linear one has zero in it, because the length of a bar is read as its value; a logarithmic one
    /// begins well below all values, and only grouped bars can have it.
    /// </summary>
    public AxisScale YScale { get; init; }

    /// <summary>A level to compare bars with; or none.</summary>
    public ReferenceLine? Reference { get; init; }

    /// <summary>The chart as a stand-alone SVG document.</summary>
    /// <exception cref="AdmmKitException">
    /// There is no category, a series has not a value for each, or stacked bars have negative values or a logarithmic axis.
    /// </exception>
    public string ToSvg() => new BarChartSvg(Checked()).Write();

    /// <summary>The chart as a Plotly figure: {"data": [...], "layout": {...}}.</summary>
    /// <exception cref="AdmmKitException">As for <see cref="ToSvg"/>.</exception>
    public string ToPlotlyJson() => BarChartPlotly.Write(Checked());

    /// <summary>The title and each series in a line.</summary>
    /// <exception cref="AdmmKitException">As for <see cref="ToSvg"/>.</exception>
    public string ToText()
    {
        string[] series = [.. Checked().Series.Select(s => ChartBundle.Line(s.Name, s.Values, i => ChartBundle.Name(Categories[i])))];
        return string.Join('\n', [ChartBundle.Name(Title), ChartBundle.Heading(YTitle, XTitle), .. ChartBundle.Lines(series), ""]);
    }

    /// <inheritdoc/>
    public MimeBundle ToBundle() => ChartBundle.Of(Title, ToSvg(), ToPlotlyJson(), ToText());

    /// <summary>How often the colours have come round before a series: its bars have stripes, and from the second time on a grid.</summary>
    internal static int Round(int series) => series / ChartColours.Count;

    private BarChart Checked()
    {
        if (Categories.Count == 0)
        {
            throw new AdmmKitException($"The chart '{Title}' has no category: give it at least one.");
        }

        if (Series.FirstOrDefault(s => s.Values.Count != Categories.Count) is { } bad)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Series '{bad.Name}' of the chart '{Title}' has {bad.Values.Count} values for {Categories.Count} categories: ")
                + "give one each, NaN where there is none.");
        }

        if (Layout == BarLayout.Stacked && YScale == AxisScale.Logarithmic)
        {
            throw new AdmmKitException(
                $"The chart '{Title}' stacks its bars on a logarithmic axis, where lengths do not add up: group them, or make it linear.");
        }

        BarSeries? negative = Layout == BarLayout.Stacked ? Series.FirstOrDefault(s => s.Values.Any(v => v < 0)) : null;
        return negative is null ? this : throw new AdmmKitException(
            $"Series '{negative.Name}' of the chart '{Title}' is stacked and has a negative value: group the bars.");
    }
}
