using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Tests.Notebooks;
using Deedle;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.CSharp;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.FSharp.Core;
using Plotly.NET;

namespace AdmmKit.Interactive.Tests;

/// <summary>In a C# kernel of .NET Interactive. One after the other: its formatters are the process's.</summary>
public sealed class KernelTests : IDisposable
{
    private static readonly LineChart Lines = new("Lines", "x", [new("y", [new("s", [1, 2], [3, 4])])]);

    private readonly CompositeKernel kernel;

    public KernelTests()
    {
        Formatter.ResetToDefault();
        var cells = new CSharpKernel();
        // What a reference to the package brings into a session.
        Type[] types =
            [typeof(AdmmKitException), typeof(Table), typeof(Formatters), typeof(IFrame), typeof(GenericChart), typeof(FSharpOption<>)];
        cells.AddAssemblyReferences(types.Select(t => t.Assembly.Location));
        kernel = new CompositeKernel { cells };
    }

    public void Dispose() => kernel.Dispose();

    [Fact]
    public async Task The_extension_registers_all_forms()
    {
        await RunExtension();
        foreach (IDisplayable shown in Shown.All.Values.Select(s => s()).DistinctBy(s => s.GetType()))
        {
            MimeBundle bundle = shown.ToBundle();
            string[] forms = [.. bundle.Data.Keys.Where(k => k != MimeTypes.Plotly)];
            Assert.Equal(forms, Formatter.GetPreferredMimeTypesFor(shown.GetType()));
            Assert.All(forms, f => Assert.Equal(bundle.Data[f], shown.ToDisplayString(f)));
        }

        Frame<int, string> frame = new[] { new { Layer = "conv1", Weights = 500 } }.ToFrame();
        Assert.Equal([MimeTypes.Html, MimeTypes.Markdown, MimeTypes.Text], Formatter.GetPreferredMimeTypesFor(frame.GetType()));
        Assert.Equal(frame.ToTable().ToHtml(), frame.ToDisplayString(MimeTypes.Html));
        Assert.Equal(frame.ToTable().ToText(), frame.ToDisplayString(MimeTypes.Text));
        Assert.Equal([MimeTypes.Html, MimeTypes.Text], Formatter.GetPreferredMimeTypesFor(Lines.ToPlotly().GetType()));
    }

    [Fact]
    public async Task Cells_show_frames_and_charts()
    {
        await RunExtension();
        await Run("var rows = new[] { new { Layer = \"conv1\", Weights = 500 }, new { Layer = \"fc1\", Weights = 400_000 } };");
        ReturnValueProduced frame = Assert.Single((await Run("rows.ToFrame()")).OfType<ReturnValueProduced>());
        Assert.Contains("400,000</td>", frame.FormattedValues.Single(v => v.MimeType == MimeTypes.Html).Value, StringComparison.Ordinal);
        Assert.Equal(3, frame.FormattedValues.Count);
        ReturnValueProduced chart = Assert.Single((await Run(
            """
            double[] weights = [.. rows.Select(r => (double)r.Weights)];
            new BarChart("Weights", "", "weights", [.. rows.Select(r => r.Layer)], [new("dense", weights)]).ToPlotly()
            """))
            .OfType<ReturnValueProduced>());
        Assert.Equal([MimeTypes.Html, MimeTypes.Text], chart.FormattedValues.Select(v => v.MimeType));
        Assert.Contains("Plotly.newPlot", chart.FormattedValues.First().Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_is_shown_in_place_and_its_end_stays()
    {
        IReadOnlyList<KernelEvent> events = await Run(
            """
            using (var live = new AdmmKit.Interactive.LiveProgress())
            {
                live.Report(new AdmmKit.Training.TrainingProgress("prune", 1, 4, 0.25, 1000));
                live.Report(new AdmmKit.Admm.AdmmIteration(1, 0.125, new AdmmKit.Training.Evaluation(99, 100, 0.1), [], []));
                live.Epoch(new AdmmKit.Pipeline.EpochResult("retrain", 2, 0.5, new AdmmKit.Training.Evaluation(98, 100, 0.1)));
            }
            """);
        string id = Assert.Single(events.OfType<DisplayedValueProduced>()).ValueId;
        DisplayedValueUpdated[] updates = [.. events.OfType<DisplayedValueUpdated>()];
        Assert.All(updates, u => Assert.Equal(id, u.ValueId));
        Assert.Contains("25 %  prune, loss 0.2500, images/s 1,000", TextOf(updates[0]), StringComparison.Ordinal);
        Assert.Equal("retrain, epoch 2: loss 0.5000, validation 98.00 %\n--> ADMM iteration 1: loss 0.1250, projected 99.00 %\n"
            + "--> retrain, epoch 2: loss 0.5000, validation 98.00 %\n", TextOf(updates[^1]));
        static string TextOf(DisplayEvent e) => e.FormattedValues.Single(v => v.MimeType == MimeTypes.Text).Value;
    }

    [Fact]
    public void Without_a_cell_there_is_no_place() =>
        Assert.Contains("No cell is running", Assert.Throws<AdmmKitException>(() => new LiveProgress()).Message, StringComparison.Ordinal);

    [Fact]
    public void Front_ends_that_take_text_have_Plotlys_form()
    {
        Formatters.Register(plotly: true);
        string[] all = [MimeTypes.Html, MimeTypes.Svg, MimeTypes.Plotly, MimeTypes.Text];
        Assert.Equal(all, Formatter.GetPreferredMimeTypesFor(typeof(LineChart)));
        Assert.Equal([MimeTypes.Html, MimeTypes.Plotly, MimeTypes.Text], Formatter.GetPreferredMimeTypesFor(typeof(GenericChart)));
        Assert.Equal(GenericChart.toFigureJson(Lines.ToPlotly()), Lines.ToPlotly().ToDisplayString(MimeTypes.Plotly));
    }

    [Fact]
    public void Where_no_script_runs_the_page_has_the_picture()
    {
        Formatters.Register(plotly: false);
        GenericChart chart = Lines.ToPlotly();
        string html = chart.ToDisplayString(MimeTypes.Html);
        Assert.Contains("<style>.plot-container ~ .admmkit-still { display: none }</style>", html, StringComparison.Ordinal);
        Assert.Matches("<div id=\"[-0-9a-f]+\"><figure class=\"admmkit-still\" ", html);
        Assert.Contains("base64,", html, StringComparison.Ordinal);
        Assert.Equal(Lines.ToText(), chart.ToDisplayString(MimeTypes.Text));
        // In another size it is still that chart; beside another one it is not.
        Assert.Contains("admmkit-still\" style", chart.WithSize(900, 500).ToDisplayString(MimeTypes.Html), StringComparison.Ordinal);
        GenericChart both = GenericChart.combine([chart, new BarChart("b", "", "", ["a"], [new("s", [1])]).ToPlotly()]);
        Assert.Equal("A chart of Plotly with 2 traces.\n", both.ToDisplayString(MimeTypes.Text));
        const string Note = "<p class=\"admmkit-still\">A chart of Plotly with 2 traces. It is drawn where scripts run.</p>";
        Assert.Contains(Note, both.ToDisplayString(MimeTypes.Html), StringComparison.Ordinal);
    }

    private async Task RunExtension()
    {
        string script = Path.Combine(AppContext.BaseDirectory, "interactive-extensions", "dotnet", "extension.dib");
        await kernel.LoadAndRunInteractiveDocument(new FileInfo(script));
        await Run("using AdmmKit.Interactive; using AdmmKit.Notebooks; using AdmmKit.Notebooks.Charts;");
    }

    private async Task<IReadOnlyList<KernelEvent>> Run(string code)
    {
        KernelCommandResult result = await kernel.SendAsync(new SubmitCode(code));
        Assert.Empty(result.Events.OfType<CommandFailed>().Select(f => f.Message));
        return result.Events;
    }
}
