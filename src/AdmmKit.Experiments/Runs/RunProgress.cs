using System.Diagnostics;
using System.Globalization;
using AdmmKit.Admm;
using AdmmKit.Pipeline;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Runs;

/// <summary>Where a run stands.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="Epoch">Epochs of the phase begun.</param>
/// <param name="PhaseEpochs">Epochs of the phase.</param>
/// <param name="EpochsDone">Passes over the training images since the run began.</param>
/// <param name="Fraction">Share of the whole work that is done, 0 to 1.</param>
/// <param name="Loss">Training loss, lately.</param>
/// <param name="ImagesPerSecond">Training images a second, lately.</param>
/// <param name="Validation">Accuracy on the validation images after the last epoch or iteration, or null.</param>
/// <param name="PrimalResidual">Largest primal residual of the last ADMM iteration, or null outside ADMM.</param>
/// <param name="TimeLeft">Estimate from the speed so far; zero where nothing is known yet.</param>
public sealed record RunProgress(
    string Phase, int Epoch, int PhaseEpochs, double EpochsDone, double Fraction, double Loss, double ImagesPerSecond, double? Validation,
    double? PrimalResidual, TimeSpan TimeLeft)
{
    /// <summary>The time left as people write it: 2:05, or 1:02:05 with hours.</summary>
    public string TimeLeftText => TimeLeft.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)TimeLeft.TotalHours}:{TimeLeft.Minutes:d2}:{TimeLeft.Seconds:d2}")
        : string.Create(CultureInfo.InvariantCulture, $"{TimeLeft.Minutes}:{TimeLeft.Seconds:d2}");
}

/// <summary>Is told how a run goes.</summary>
public interface IRunObserver
{
    /// <summary>Called a few times a second while training.</summary>
    /// <param name="progress">Where the run stands.</param>
    void Progress(RunProgress progress);

    /// <summary>Called after each epoch and ADMM iteration.</summary>
    /// <param name="progress">Where the run stands.</param>
    void Point(RunProgress progress);

    /// <summary>Something is done that is worth a line.</summary>
    /// <param name="text">A sentence.</param>
    void Milestone(string text);
}

/// <summary>Collects the history of a run and turns the pipeline's reports into progress.</summary>
internal sealed class History(
    IRunObserver? observer, int stepsPerEpoch, IReadOnlyList<HistoryPoint> before, int epochsDone) : IPipelineObserver
{
    private string phase = "";
    private double? validation;
    private double? residual;
    private int epochsBefore = epochsDone;
    private int phaseEpochs;
    private int epochsApart = 1;
    private RunProgress? latest;

    public List<HistoryPoint> Points { get; } = [.. before];

    /// <summary>Epochs of all phases up to and with the current one.</summary>
    public int EpochsAtEnd => epochsBefore + phaseEpochs;

    /// <summary>Enters a phase of so many epochs, whose points lie so many of them apart; returns its name.</summary>
    public string Begin(string name, int epochs, int epochsApart)
    {
        epochsBefore += phaseEpochs;
        (phase, phaseEpochs, validation, residual) = (name, epochs, null, null);
        this.epochsApart = epochsApart;
        return name;
    }

    public void Report(TrainingProgress value)
    {
        double done = epochsBefore + ((double)value.Step / stepsPerEpoch);
        int epoch = (value.Step + stepsPerEpoch - 1) / stepsPerEpoch;
        // Of which whole this is a share, and how long that takes, is for OverallProgress to say.
        latest = new RunProgress(
            phase, epoch, phaseEpochs, done, 0, value.Loss, value.ImagesPerSecond, validation, residual, TimeSpan.Zero);
        observer?.Progress(latest);
    }

    public void Report(AdmmIteration value)
    {
        residual = value.Layers.Max(l => l.PrimalResidual);
        foreach (string warning in value.Warnings)
        {
            observer?.Milestone("warning: " + warning);
        }

        Add(value.Loss, value.Projected!, value.Layers);
    }

    public void Milestone(string text) => observer?.Milestone(text);

    public void Epoch(EpochResult result) => Add(result.Loss, result.Validation, []);

    private void Add(double loss, Evaluation evaluation, IReadOnlyList<AdmmLayerResiduals> residuals)
    {
        validation = evaluation.Accuracy;
        int inPhase = Points.Count(p => p.Phase == phase) + 1;
        Points.Add(new HistoryPoint(phase, epochsBefore + (inPhase * epochsApart), loss, evaluation, residuals));
        if (latest is not null)
        {
            // Training reports its last step, so this is the end of the epoch or iteration.
            observer?.Point(latest with { Loss = loss, Validation = validation, PrimalResidual = residual });
        }
    }
}

/// <summary>Puts the progress of single runs, or of single steps of one, into that of the whole, and estimates the time left.</summary>
/// <param name="observer">Told about the whole.</param>
/// <param name="totalEpochs">Epochs of the whole.</param>
internal sealed class OverallProgress(IRunObserver observer, double totalEpochs) : IRunObserver
{
    private readonly Stopwatch clock = new();
    private double before;
    private double last;
    private double trained;

    /// <summary>A run of so many epochs is done, in whatever way.</summary>
    public void Finish(double epochs)
    {
        before += epochs;
        last = 0;
        clock.Stop();
    }

    public void Progress(RunProgress progress) => observer.Progress(Scaled(progress));

    public void Point(RunProgress progress) => observer.Point(Scaled(progress));

    public void Milestone(string text) => observer.Milestone(text);

    private RunProgress Scaled(RunProgress progress)
    {
        // Only what was trained while the clock ran says something about the speed: not what was taken from the store.
        if (clock.IsRunning && progress.EpochsDone > last)
        {
            trained += progress.EpochsDone - last;
        }

        clock.Start();
        last = progress.EpochsDone;
        double done = before + progress.EpochsDone;
        TimeSpan left = trained > 0 ? clock.Elapsed * (Math.Max(0, totalEpochs - done) / trained) : TimeSpan.Zero;
        return progress with { Fraction = Math.Min(1, done / totalEpochs), TimeLeft = left };
    }
}
