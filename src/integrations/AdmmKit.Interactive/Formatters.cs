using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using Deedle;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Formatting;
using Plotly.NET;

namespace AdmmKit.Interactive;

/// <summary>
/// How .NET Interactive shows frames and charts. The package's <c>extension.dib</c> registers it where the package is referenced.
/// </summary>
/// <remarks>
/// Tables, charts and progress of AdmmKit show there without it. Its Jupyter kernel sends a Plotly figure as text in which
/// the figure stands, where viewers wait for the figure itself: there this takes that form away from charts, and
/// <see cref="PlotlyExtensions.ToPlotly"/> gives one that draws itself.
/// </remarks>
public static class Formatters
{
    /// <summary>Rows of a frame that are shown.</summary>
    public const int ShownRows = 100;

    /// <summary>Registers all forms for a kernel; doing so again changes nothing.</summary>
    /// <param name="kernel">Any kernel of the session.</param>
    public static void Register(Kernel kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        // Other front ends speak to a host, in commands and events, where every form is text; Jupyter's speaks to none.
        Register(plotly: kernel.RootKernel is CompositeKernel { Host: not null });
    }

    internal static void Register(bool plotly)
    {
        Show(typeof(Frame<,>), frame => ((IFrame)frame).ToTable(rows: ShownRows).ToBundle(),
            MimeTypes.Html, MimeTypes.Markdown, MimeTypes.Text);
        string[] figure = plotly ? [MimeTypes.Plotly] : [];
        Show(typeof(GenericChart), chart => PlotlyForms.BundleOf((GenericChart)chart), [MimeTypes.Html, .. figure, MimeTypes.Text]);
        foreach (Type chart in typeof(IChart).Assembly.GetExportedTypes().Where(t => t.IsClass && t.IsAssignableTo(typeof(IChart))))
        {
            Show(chart, c => ((IChart)c).ToBundle(), [MimeTypes.Html, MimeTypes.Svg, .. figure, MimeTypes.Text]);
        }
    }

    private static void Show(Type type, Func<object, MimeBundle> bundleOf, params string[] forms)
    {
        // Asked for the first time, it takes the forms that the type itself names; they would take the place of these.
        Formatter.GetPreferredMimeTypesFor(type);
        foreach (string form in forms)
        {
            Formatter.Register(type, (value, writer) => writer.Write(bundleOf(value).Data[form]), form);
        }

        Formatter.SetPreferredMimeTypesFor(type, forms);
    }
}
