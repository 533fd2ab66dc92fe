using AdmmKit.Constraints;
using AdmmKit.Pipeline;

namespace AdmmKit.Notebooks.Charts;

/// <summary>A value that is marked in a histogram.</summary>
/// <param name="Value">Where.</param>
/// <param name="Name">What it is, short; stands above the line.</param>
public sealed record HistogramLevel(double Value, string Name);

/// <summary>How often values occur, and where levels lie among them: the weights of a layer and its quantizer.</summary>
/// <param name="Title">The title.</param>
/// <param name="XTitle">What the values are, with their unit.</param>
/// <param name="Values">The values; those that are not finite numbers are left out and counted.</param>
[TypeFormatterSource(typeof(ChartForms))]
public sealed record Histogram(string Title, string XTitle, ReadOnlyMemory<float> Values) : IChart
{
    private const int UsualBins = 80, MostBins = 400, MostLevels = 256;

    /// <summary>Levels that are drawn as lines; bins are centred on them where they lie at equal distances.</summary>
    public IReadOnlyList<HistogramLevel> Levels { get; init; } = [];

    /// <summary>What the levels are; stands in the legend.</summary>
    public string LevelsName { get; init; } = "levels";

    /// <summary>How the axis of the counts counts.</summary>
    public AxisScale YScale { get; init; }

    /// <summary>Whether values of exactly zero are left out: pruned weights, which would hide all others.</summary>
    public bool WithoutZeros { get; init; }

    /// <summary>
    /// The survivors of a layer with the levels of its quantizer, -M/2 q ... -q, q ... M/2 q (zero is none), sec. 3.3 and 3.4.2 in
    /// [Ren2019].
    /// </summary>
    /// <param name="title">The title.</param>
    /// <param name="weights">The layer's weights; zeros are pruned ones.</param>
    /// <param name="levels">Bits and interval q of the quantizer, or null to draw no levels.</param>
    /// <exception cref="AdmmKitException">The number of bits is out of range.</exception>
    public static Histogram OfSurvivors(string title, ReadOnlyMemory<float> weights, LayerLevels? levels = null)
    {
        var histogram = new Histogram(title, "weight", weights) { WithoutZeros = true };
        if (levels is null)
        {
            return histogram;
        }

        int most = IntervalSearch.LevelsPerSign(levels.Bits);
        return histogram with
        {
            Levels = [.. Enumerable.Range(-most, (2 * most) + 1).Where(l => l != 0)
                .Select(l => new HistogramLevel(l * (double)levels.Q, Times(l)))],
            LevelsName = FormattableString.Invariant($"{2 * most} levels, {levels.Bits} bits, interval q = {NumberText.Short(levels.Q)}"),
        };

        static string Times(int l) => (l < 0 ? "−" : "") + (Math.Abs(l) == 1 ? "" : FormattableString.Invariant($"{Math.Abs(l)}")) + "q";
    }

    /// <summary>The chart as a stand-alone SVG document.</summary>
    /// <exception cref="AdmmKitException">There are more than 256 levels.</exception>
    public string ToSvg() => new HistogramWriter(this, Count()).Svg();

    /// <summary>The chart as a Plotly figure of the same bins.</summary>
    /// <exception cref="AdmmKitException">As for <see cref="ToSvg"/>.</exception>
    public string ToPlotlyJson() => new HistogramWriter(this, Count()).Plotly();

    /// <summary>The title and what can be said of the values in a few lines.</summary>
    /// <exception cref="AdmmKitException">As for <see cref="ToSvg"/>.</exception>
    public string ToText() => new HistogramWriter(this, Count()).Text();

    /// <inheritdoc/>
    public MimeBundle ToBundle() => new HistogramWriter(this, Count()).Bundle();

    private HistogramBins Count()
    {
        if (Levels.Count > MostLevels)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The histogram '{Title}' has {Levels.Count} levels, but at most {MostLevels} can be told apart."));
        }

        ReadOnlySpan<float> values = Values.Span;
        double low = double.PositiveInfinity, high = double.NegativeInfinity, sum = 0;
        int zeros = 0, strange = 0;
        foreach (float v in values)
        {
            if (!float.IsFinite(v))
            {
                strange++;
            }
            else if (v == 0 && WithoutZeros)
            {
                zeros++;
            }
            else
            {
                (low, high, sum) = (Math.Min(low, v), Math.Max(high, v), sum + v);
            }
        }

        int counted = values.Length - zeros - strange;
        (double first, double width, int bins) = Edges(low, high);
        var counts = new double[bins];
        foreach (float v in values)
        {
            if (float.IsFinite(v) && !(v == 0 && WithoutZeros))
            {
                counts[Math.Clamp((int)((v - first) / width), 0, bins - 1)]++;
            }
        }

        return new HistogramBins(first, width, counts, counted, zeros, strange, low, high, sum / counted);
    }

    private (double First, double Width, int Bins) Edges(double low, double high)
    {
        double[] levels = [.. Levels.Select(l => l.Value).Where(double.IsFinite).Order()];
        if (levels.Length > 0)
        {
            (low, high) = (Math.Min(low, levels[0]), Math.Max(high, levels[^1]));
        }

        if (low > high)
        {
            return (0, 1.0 / UsualBins, UsualBins);
        }

        if (high - low <= 1e-6 * Math.Max(Math.Abs(low), Math.Abs(high)))
        {
            double around = low == 0 ? 1 : Math.Abs(low) * 0.1;
            (low, high) = (low - around, high + around);
        }

        double width = (high - low) / (UsualBins - 1), first = low - (width / 2);
        double gap = levels.Zip(levels.Skip(1), (a, b) => b - a).Where(d => d > 0).DefaultIfEmpty(0).Min();
        if (gap > 0)
        {
            double centred = gap / Math.Max(1, Math.Round(gap / width));
            double from = levels[0] - (centred * (0.5 + Math.Ceiling(((levels[0] - low) / centred) - 0.5)));
            if ((high - from) / centred < MostBins)
            {
                (first, width) = (from, centred);
            }
        }

        return (first, width, (int)((high - first) / width) + 1);
    }
}

/// <summary>Counts of equal bins, and what was counted.</summary>
internal sealed record HistogramBins(
    double First, double Width, double[] Counts, int Counted, int Zeros, int Strange, double Low, double High, double Mean);
