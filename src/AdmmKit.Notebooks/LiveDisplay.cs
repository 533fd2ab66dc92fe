namespace AdmmKit.Notebooks;

/// <summary>
/// Shows progress in place: at most five times a second, and always how it ends. What is shown last is what a notebook saves.
/// </summary>
/// <remarks>
/// In a cell: <c>new LiveDisplay(display(LiveDisplay.Start).Update)</c>. It may be told from several threads; the updates come
/// one at a time, in order.
/// </remarks>
/// <param name="update">Shows a <see cref="ProgressView"/> where the one before was.</param>
/// <param name="clock">Tells the time; null: the system's.</param>
public sealed class LiveDisplay(Action<object> update, TimeProvider? clock = null)
{
    /// <summary>The most updates in any second.</summary>
    public const int UpdatesPerSecond = 5;

    // One of the five is kept for the end.
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), BetweenReports = Second / (UpdatesPerSecond - 1);

    private readonly Action<object> update = update ?? throw new ArgumentNullException(nameof(update));
    private readonly TimeProvider clock = clock ?? TimeProvider.System;
    private readonly Lock gate = new();
    private readonly Queue<long> updates = new();
    private readonly List<string> milestones = [];
    private ProgressView view = Start;
    private long? latest;

    /// <summary>What is shown before anything is known.</summary>
    public static ProgressView Start { get; } = new("starting", 0, [], []);

    /// <summary>Where the work stands. Shown now, or with a later report, a milestone or the end.</summary>
    /// <param name="phase">What is being done.</param>
    /// <param name="fraction">Share of the work that is done, 0 to 1.</param>
    /// <param name="figures">Figures of the moment.</param>
    public void Report(string phase, double fraction, params IReadOnlyList<ProgressFigure> figures)
    {
        lock (gate)
        {
            if (view.Ended)
            {
                return;
            }

            view = view with { Phase = phase, Fraction = fraction, Figures = figures };
            if ((latest is not { } then || clock.GetElapsedTime(then) >= BetweenReports) && Free())
            {
                Show();
            }
        }
    }

    /// <summary>Something was reached that is worth a line. It stays, below what else is shown.</summary>
    /// <param name="text">A sentence.</param>
    public void Milestone(string text)
    {
        lock (gate)
        {
            if (view.Ended)
            {
                return;
            }

            milestones.Add(text);
            if (Free())
            {
                Show();
            }
        }
    }

    /// <summary>The work has ended: what came of it is shown at once, with the milestones. Whatever is told later is left out.</summary>
    /// <param name="summary">One line.</param>
    public void End(string summary)
    {
        lock (gate)
        {
            if (!view.Ended)
            {
                view = view with { Phase = summary, Fraction = 1, Figures = [], Ended = true };
                Show();
            }
        }
    }

    /// <summary>Whether an update now, and the end right after it, would be among five within a second.</summary>
    private bool Free()
    {
        while (updates.TryPeek(out long oldest) && clock.GetElapsedTime(oldest) >= Second)
        {
            updates.Dequeue();
        }

        return updates.Count < UpdatesPerSecond - 1;
    }

    private void Show()
    {
        latest = clock.GetTimestamp();
        updates.Enqueue(latest.Value);
        view = view with { Milestones = [.. milestones] };
        update(view);
    }
}
