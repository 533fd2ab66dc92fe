using System.Text.Json;
using AdmmKit.Experiments.Runs;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Dense;

/// <summary>One epoch of training.</summary>
/// <param name="Epoch">Passes over the training images so far.</param>
/// <param name="Loss">Mean training loss of the epoch.</param>
/// <param name="Validation">Accuracy on the validation images after it.</param>
public sealed record EpochPoint(int Epoch, double Loss, double Validation);

/// <summary>
/// What is told of a training in its results, kept beside its checkpoints: every epoch, and the programs that worked on it, in
/// whatever number of processes.
/// </summary>
internal sealed class TrainingLog(string? file, RunOrigin origin, IRunObserver? observer) : IRunObserver
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true, NewLine = "\n" };

    private Content content = Load(file);

    public IReadOnlyList<EpochPoint> Epochs => content.Epochs;

    /// <summary>The programs that trained, in order.</summary>
    public IReadOnlyList<RunOrigin> Origins => content.Origins;

    public void Progress(RunProgress progress) => observer?.Progress(progress);

    public void Milestone(string text) => observer?.Milestone(text);

    public void Point(RunProgress progress)
    {
        // An epoch that is done once more, because its state was not saved in time, comes out the same.
        content = new Content(
            [.. content.Epochs.Where(e => e.Epoch < progress.Epoch), new EpochPoint(progress.Epoch, progress.Loss, progress.Validation ?? 0)],
            content.Origins.Contains(origin) ? content.Origins : [.. content.Origins, origin]);
        if (file is not null)
        {
            AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, content, Options));
        }

        observer?.Point(progress);
    }

    private static Content Load(string? file)
    {
        try
        {
            return file is not null && File.Exists(file)
                ? JsonSerializer.Deserialize<Content>(File.ReadAllText(file), Options) ?? new Content([], [])
                : new Content([], []);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"The log of the training so far, '{file}', cannot be read: {e.Message.TrimEnd('.')}. Give --force to train again.", e);
        }
    }

    private sealed record Content(IReadOnlyList<EpochPoint> Epochs, IReadOnlyList<RunOrigin> Origins);
}
