using System.Globalization;
using AdmmKit.Admm;
using AdmmKit.Notebooks;
using AdmmKit.Pipeline;
using AdmmKit.Training;
using Microsoft.DotNet.Interactive;

namespace AdmmKit.Interactive;

/// <summary>
/// Training as it goes on, in the output of a cell: a bar in place, and a line for each epoch and each iteration of ADMM.
/// </summary>
/// <remarks>
/// In a cell: <c>using var live = new LiveProgress();</c>, then <c>new CompressionPipeline(network, live)</c>, or
/// <c>live</c> wherever a progress is asked for.
/// </remarks>
public sealed class LiveProgress : IPipelineObserver, IDisposable
{
    private readonly LiveDisplay live;
    private string last = "Nothing was trained";

    /// <summary>Shows it in the cell that is running.</summary>
    /// <exception cref="AdmmKitException">No cell is running.</exception>
    public LiveProgress()
        : this(InPlace())
    {
    }

    /// <summary>Shows it elsewhere.</summary>
    /// <param name="update">Shows a <see cref="ProgressView"/> where the one before was.</param>
    public LiveProgress(Action<object> update) => live = new LiveDisplay(update);

    /// <summary>
    /// A place in the output of the cell that is running, for whatever asks where to show progress:
    /// <c>NotebookObserver.Watch(LiveProgress.InPlace(), observer => ...)</c>.
    /// </summary>
    /// <remarks>
    /// In .NET Interactive since June 2025 what <c>display</c> gives does not know under which name its value was shown, so its
    /// updates arrive nowhere; the cell's context gives one that does.
    /// </remarks>
    /// <returns>Shows an object where the one before was.</returns>
    /// <exception cref="AdmmKitException">No cell is running.</exception>
    public static Action<object> InPlace() => KernelInvocationContext.Current is { } cell
        ? cell.Display(LiveDisplay.Start).Update
        : throw new AdmmKitException(
            "No cell is running: live progress needs a place in the output of one. Elsewhere give it an action that shows it.");

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        live.Report(value.Phase, (double)value.Step / Math.Max(1, value.Steps),
            new("loss", value.Loss.ToString("f4", CultureInfo.InvariantCulture)),
            new("images/s", value.ImagesPerSecond.ToString("#,0", CultureInfo.InvariantCulture)));
    }

    /// <inheritdoc/>
    public void Report(AdmmIteration value)
    {
        ArgumentNullException.ThrowIfNull(value);
        string projected = value.Projected is { } v ? FormattableString.Invariant($", projected {100 * v.Accuracy:f2} %") : "";
        Milestone(FormattableString.Invariant($"ADMM iteration {value.Number}: loss {value.Loss:f4}{projected}"));
    }

    /// <inheritdoc/>
    public void Epoch(EpochResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        Milestone(FormattableString.Invariant(
            $"{result.Phase}, epoch {result.Number}: loss {result.Loss:f4}, validation {100 * result.Validation.Accuracy:f2} %"));
    }

    /// <summary>The work has ended: the line that was reached last stands above the others.</summary>
    public void Dispose() => live.End(last);

    private void Milestone(string text)
    {
        last = text;
        live.Milestone(text);
    }
}
