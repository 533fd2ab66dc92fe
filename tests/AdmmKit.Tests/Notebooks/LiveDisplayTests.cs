using AdmmKit.Experiments.Runs;
using AdmmKit.Notebooks;

namespace AdmmKit.Tests.Notebooks;

public class LiveDisplayTests
{
    private sealed class Clock : TimeProvider
    {
        private long now = 1;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Interlocked.Read(ref now);

        public void Advance(int milliseconds) => Interlocked.Add(ref now, milliseconds);
    }

    private readonly Clock clock = new();
    private readonly List<(long Time, ProgressView View)> shown = [];

    private LiveDisplay Live() => new(v => shown.Add((clock.GetTimestamp(), (ProgressView)v)), clock);

    [Fact]
    public void At_most_five_updates_are_shown_in_any_second_and_always_the_last_state()
    {
        LiveDisplay live = Live();
        for (int i = 0; i < 3000; i++)
        {
            live.Report("prune", i / 3000.0, new ProgressFigure("step", $"{i}"));
            if (i % 100 == 7)
            {
                live.Milestone($"milestone {i}");
            }

            clock.Advance(1);
        }

        live.End("done");
        long[] times = [.. shown.Select(s => s.Time)];
        Assert.All(times, t => Assert.InRange(times.Count(u => u > t - 1000 && u <= t), 1, LiveDisplay.UpdatesPerSecond));
        Assert.InRange(times.Length, 12, 17);
        ProgressView last = shown[^1].View;
        Assert.True(last.Ended);
        Assert.Equal("done", last.Phase);
        Assert.Equal(30, last.Milestones.Count);
        live.Report("late", 0.5);
        live.Milestone("late");
        live.End("again");
        Assert.Equal(times.Length, shown.Count);
    }

    [Fact]
    public void The_first_report_is_shown_at_once_and_a_milestone_does_not_wait_for_the_next()
    {
        LiveDisplay live = Live();
        live.Report("pretrain", 0.1, new ProgressFigure("loss", "1"));
        live.Report("pretrain", 0.2, new ProgressFigure("loss", "2"));
        Assert.Equal(0.1, Assert.Single(shown).View.Fraction);
        live.Milestone("pretrained");
        Assert.Equal((0.2, "pretrained"), (shown[^1].View.Fraction, Assert.Single(shown[^1].View.Milestones)));
        clock.Advance(250);
        live.Report("prune", 0.3);
        Assert.Equal(3, shown.Count);
        // The first view is not changed by what comes later: who keeps it keeps what was shown.
        Assert.Empty(shown[0].View.Milestones);
    }

    [Fact]
    public async Task Updates_from_several_threads_come_one_at_a_time_and_the_end_comes_last()
    {
        int inside = 0;
        bool together = false;
        ProgressView? last = null;
        var live = new LiveDisplay(
            v =>
            {
                together |= Interlocked.Increment(ref inside) > 1;
                last = (ProgressView)v;
                Thread.Yield();
                Interlocked.Decrement(ref inside);
            },
            clock);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(t => Task.Run(() =>
        {
            for (int i = 0; i < 500; i++)
            {
                live.Report($"thread {t}", 0.5);
                live.Milestone("m");
                clock.Advance(100);
            }

            live.End("done");
        })));
        Assert.False(together);
        Assert.True(last!.Ended);
    }

    [Fact]
    public void A_progress_reads_as_text_and_as_a_bar()
    {
        ProgressView view = new("prune <fast>", 0.42, [new("epoch", "3/10"), new("loss", "0.1234")], ["pretrained, 99.1 %"]);
        Assert.Equal("[##########--------------]  42 %  prune <fast>, epoch 3/10, loss 0.1234\n--> pretrained, 99.1 %\n", Text(view));
        string html = view.ToBundle().Data[MimeTypes.Html];
        Assert.Contains("width:42%", html, StringComparison.Ordinal);
        Assert.Contains("prune &lt;fast&gt; · epoch\u00A03/10 · loss\u00A00.1234", html, StringComparison.Ordinal);
        Assert.Contains("<li>pretrained, 99.1 %</li>", html, StringComparison.Ordinal);
        Assert.Equal("Finished\n--> pretrained, 99.1 %\n", Text(view with { Phase = "Finished", Ended = true, Figures = [] }));
        string many = Text(view with { Milestones = [.. Enumerable.Range(0, 50).Select(i => $"m{i}")] });
        Assert.Contains("--> (30 earlier)\n--> m30\n", many, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_is_shown_with_what_people_look_for_and_its_end_says_nothing_of_the_clock()
    {
        using var culture = new CommaCulture();
        var views = new List<ProgressView>();
        RunProgress progress = new("admm prune", 3, 10, 13, 0.25, 0.12345, 23456.7, 0.9912, 0.01234, TimeSpan.FromSeconds(3725));
        int result = NotebookObserver.Watch(v => views.Add((ProgressView)v), observer =>
        {
            observer.Progress(progress);
            observer.Milestone("pretrained");
            observer.Point(progress with { Epoch = 10, Validation = 0.993, PrimalResidual = null });
            return 7;
        });
        Assert.Equal(7, result);
        Assert.Equal(
            "[######------------------]  25 %  admm prune, epoch 3/10, loss 0.1235, validation 99.12 %, primal residual 0.012, images/s 23,457, time left 1:02:05\n",
            Text(views[0]));
        Assert.Equal("Finished: admm prune, epoch 10/10, loss 0.1235, validation 99.30 %\n--> pretrained\n", Text(views[^1]));
        Assert.Throws<AdmmKitException>(() => NotebookObserver.Watch<int>(v => views.Add((ProgressView)v), _ => throw new AdmmKitException("no")));
        Assert.Equal("Stopped\n", Text(views[^1]));
    }

    private static string Text(ProgressView view) => view.ToBundle().Data[MimeTypes.Text];
}
