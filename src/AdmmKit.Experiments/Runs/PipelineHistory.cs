using System.Diagnostics;
using AdmmKit.Admm;
using AdmmKit.Pipeline;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Runs;

/// <summary>
/// Follows a <see cref="CompressionPipeline"/> whose steps are taken one by one, as the cells of a notebook do: keeps the points of
/// all steps, and tells an observer how each goes. A phase that is done again takes the place of what it did before, and what
/// came after that is forgotten, so that a cell can be changed and run again.
/// </summary>
/// <param name="stepsPerEpoch">Training steps that see every image once: <see cref="ITrainable.StepsPerEpoch"/>.</param>
/// <param name="observer">
/// Told how it goes, or null. Its fractions and times are those of the phase: nobody knows which steps will follow.
/// </param>
public sealed class PipelineHistory(int stepsPerEpoch, IRunObserver? observer = null) : IPipelineObserver
{
    private IRunObserver? observer = observer;
    private readonly List<HistoryPoint> points = [];
    private readonly Stopwatch clock = new();
    private TrainingProgress? latest;
    private double epochsBefore;
    private double? validation;
    private double? residual;

    /// <summary>Epochs and ADMM iterations in order, those alone that were evaluated.</summary>
    public IReadOnlyList<HistoryPoint> Points => points;

    /// <summary>Takes one or more steps and shows in a notebook how they go, as <see cref="NotebookObserver.Watch"/> does.</summary>
    /// <typeparam name="T">What the steps give.</typeparam>
    /// <param name="update">Shows an object where the one before was: <c>display(LiveDisplay.Start).Update</c>.</param>
    /// <param name="steps">The steps, of the pipeline that this follows.</param>
    public T Watch<T>(Action<object> update, Func<T> steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        return NotebookObserver.Watch(update, shown =>
        {
            IRunObserver? before = observer;
            observer = shown;
            try
            {
                return steps();
            }
            finally
            {
                observer = before;
            }
        });
    }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (latest is null || latest.Phase != value.Phase || value.Step < latest.Step)
        {
            Enter(value.Phase);
        }

        latest = value;
        observer?.Progress(Progress(value, value.Loss));
    }

    /// <inheritdoc/>
    public void Report(AdmmIteration value)
    {
        ArgumentNullException.ThrowIfNull(value);
        foreach (string warning in value.Warnings)
        {
            observer?.Milestone("warning: " + warning);
        }

        residual = value.Layers.Count > 0 ? value.Layers.Max(l => l.PrimalResidual) : null;
        Add(value.Loss, value.Projected, value.Layers);
    }

    /// <inheritdoc/>
    public void Epoch(EpochResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        Add(result.Loss, result.Validation, []);
    }

    private void Enter(string phase)
    {
        int again = points.FindIndex(p => p.Phase == phase);
        if (again >= 0)
        {
            points.RemoveRange(again, points.Count - again);
        }

        epochsBefore = points.Count > 0 ? points[^1].Epoch : 0;
        (validation, residual) = (null, null);
        clock.Restart();
    }

    private void Add(double loss, Evaluation? evaluation, IReadOnlyList<AdmmLayerResiduals> residuals)
    {
        // Training reports its last step, so this is the end of the epoch or iteration.
        if (latest is not { } last)
        {
            return;
        }

        validation = evaluation?.Accuracy;
        if (evaluation is not null)
        {
            points.Add(new HistoryPoint(last.Phase, epochsBefore + ((double)last.Step / stepsPerEpoch), loss, evaluation, residuals));
        }

        observer?.Point(Progress(last, loss));
    }

    private RunProgress Progress(TrainingProgress value, double loss) => new(
        value.Phase,
        (value.Step + stepsPerEpoch - 1) / stepsPerEpoch,
        (value.Steps + stepsPerEpoch - 1) / stepsPerEpoch,
        epochsBefore + ((double)value.Step / stepsPerEpoch),
        (double)value.Step / Math.Max(1, value.Steps),
        loss,
        value.ImagesPerSecond,
        validation,
        residual,
        value.Step > 0 ? clock.Elapsed * ((double)(value.Steps - value.Step) / value.Step) : TimeSpan.Zero);
}
