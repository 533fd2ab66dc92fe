using System.Globalization;
using System.Text;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Notebooks;

/// <summary>A figure that is shown with a progress.</summary>
/// <param name="Name">Its name: "loss".</param>
/// <param name="Text">Its value with its unit, as text.</param>
public sealed record ProgressFigure(string Name, string Text);

/// <summary>Where a long work stands, as a bar with figures and what was reached so far; or how it ended.</summary>
/// <param name="Phase">What is being done; after the end, what came of it.</param>
/// <param name="Fraction">Share of the work that is done, 0 to 1.</param>
/// <param name="Figures">Figures of the moment.</param>
/// <param name="Milestones">What was reached, oldest first.</param>
/// <param name="Ended">Whether the work has ended.</param>
[TypeFormatterSource(typeof(ProgressForms))]
public sealed record ProgressView(
    string Phase, double Fraction, IReadOnlyList<ProgressFigure> Figures, IReadOnlyList<string> Milestones, bool Ended = false)
    : IDisplayable
{
    private const int BarLength = 24, ShownMilestones = 20, LongestText = 200;

    private double Share => double.IsFinite(Fraction) ? Math.Clamp(Fraction, 0, 1) : 0;

    private string Percent => Math.Floor(100 * Share).ToString(CultureInfo.InvariantCulture);

    private string Earlier => Milestones.Count > ShownMilestones
        ? FormattableString.Invariant($"({Milestones.Count - ShownMilestones} earlier)") : "";

    /// <inheritdoc/>
    public MimeBundle ToBundle() => new(new Dictionary<string, string> { [MimeTypes.Html] = Html(), [MimeTypes.Text] = Text() });

    private static string Line(string text) => Displays.OneLine(text, LongestText);

    private string Html()
    {
        var html = new StringBuilder("<div class=\"admmkit-progress\">");
        if (!Ended)
        {
            // Colours that are seen on light and dark; where styles are stripped, the text says the same.
            const string shape = "height:.7em;border-radius:.35em", track = "max-width:36em;background:rgba(128,128,128,.3)";
            html.Append($"<div role=\"progressbar\" aria-valuenow=\"{Percent}\" style=\"{shape};{track}\">")
                .Append($"<div style=\"{shape};width:{Percent}%;background:#0072B2\"></div></div>");
        }

        html.Append($"<div>{(Ended ? "" : $"<b>{Percent} %</b> ")}{Escape(Phase)}{FiguresAfter(" · ")}</div>");
        string items = string.Concat(Items.Select(m => $"<li>{Escape(m)}</li>"));
        return html.Append(items.Length > 0 ? $"<ul style=\"margin:.3em 0\">{items}</ul>" : "").Append("</div>\n").ToString();

        static string Escape(string text) => ChartText.Escape(Line(text));
        // A name and its value stay in one line.
        string FiguresAfter(string between) => string.Concat(Figures.Select(f => between + Escape(f.Name) + "\u00A0" + Escape(f.Text)));
    }

    private string Text()
    {
        int full = (int)(BarLength * Share);
        string bar = Ended ? "" : $"[{new string('#', full)}{new string('-', BarLength - full)}] {Percent,3} %  ";
        string figures = string.Concat(Figures.Select(f => $", {Line(f.Name)} {Line(f.Text)}"));
        return bar + Line(Phase) + figures + "\n" + string.Concat(Items.Select(m => $"--> {Line(m)}\n"));
    }

    private IEnumerable<string> Items => Milestones.TakeLast(ShownMilestones).Prepend(Earlier).Where(m => m.Length > 0);
}
