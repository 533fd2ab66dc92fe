using System.Globalization;
using AdmmKit.Notebooks;

namespace AdmmKit.Experiments.Runs;

/// <summary>Shows a run in a notebook: a bar in place while it goes on, its milestones, and one line at its end.</summary>
/// <remarks>In a cell: <c>NotebookObserver.Watch(display(LiveDisplay.Start).Update, observer => ...)</c>.</remarks>
/// <param name="live">Where it is shown.</param>
public sealed class NotebookObserver(LiveDisplay live) : IRunObserver
{
    private RunProgress? latest;

    /// <summary>Runs the work with an observer, and shows how it ended; what the work throws comes through.</summary>
    /// <typeparam name="T">What the work gives.</typeparam>
    /// <param name="update">Shows an object where the one before was, such as the <c>Update</c> of what <c>display</c> gives.</param>
    /// <param name="work">The work.</param>
    public static T Watch<T>(Action<object> update, Func<IRunObserver, T> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        var observer = new NotebookObserver(new LiveDisplay(update));
        try
        {
            T result = work(observer);
            observer.End("Finished");
            return result;
        }
        catch
        {
            observer.End("Stopped");
            throw;
        }
    }

    /// <inheritdoc/>
    public void Progress(RunProgress progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        latest = progress;
        live.Report(progress.Phase, progress.Fraction, [.. Reached(progress),
            new("images/s", progress.ImagesPerSecond.ToString("#,0", CultureInfo.InvariantCulture)),
            new("time left", progress.TimeLeftText)]);
    }

    /// <inheritdoc/>
    public void Point(RunProgress progress) => Progress(progress);

    /// <inheritdoc/>
    public void Milestone(string text) => live.Milestone(text);

    /// <summary>
    /// Shows the end in one line: where the run stood last. It says nothing of speed and time, because a notebook saves it and a
    /// later run is compared with what is saved.
    /// </summary>
    /// <param name="how">How it ended: "Finished".</param>
    public void End(string how) => live.End(latest is not { } p ? how
        : $"{how}: {p.Phase}{string.Concat(Reached(p).Select(f => $", {f.Name} {f.Text}"))}");

    private static IEnumerable<ProgressFigure> Reached(RunProgress p)
    {
        yield return new("epoch", string.Create(CultureInfo.InvariantCulture, $"{p.Epoch}/{p.PhaseEpochs}"));
        yield return new("loss", p.Loss.ToString("f4", CultureInfo.InvariantCulture));
        if (p.Validation is { } validation)
        {
            yield return new("validation", string.Create(CultureInfo.InvariantCulture, $"{100 * validation:f2} %"));
        }

        if (p.PrimalResidual is { } residual)
        {
            yield return new("primal residual", residual.ToString("f3", CultureInfo.InvariantCulture));
        }
    }
}
