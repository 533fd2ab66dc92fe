using System.Globalization;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using Spectre.Console;

namespace AdmmKit.Cli;

/// <summary>Shows a run: one line in place on a terminal, else a plain line an epoch.</summary>
internal sealed class ConsoleObserver : IRunObserver
{
    private readonly ProgressTask? task;

    private ConsoleObserver(ProgressTask? task) => this.task = task;

    /// <summary>Runs the work with an observer that suits the console.</summary>
    public static T Watch<T>(Func<IRunObserver, T> work)
    {
        if (Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Interactive)
        {
            return work(new ConsoleObserver(null));
        }

        return AnsiConsole.Progress()
            .AutoClear(true)
            .HideCompleted(true)
            .Columns(new ProgressBarColumn { Width = 20 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context => work(new ConsoleObserver(context.AddTask("starting", maxValue: 1))));
    }

    public void Progress(RunProgress progress)
    {
        if (task is not null)
        {
            task.Value = progress.Fraction;
            task.Description = Markup.Escape(Line(progress));
        }
    }

    public void Point(RunProgress progress)
    {
        if (task is null)
        {
            Log(string.Create(CultureInfo.InvariantCulture, $"{100 * progress.Fraction,3:f0} %  {Line(progress)}"));
        }
    }

    public void Milestone(string text)
    {
        if (task is null)
        {
            Log("--> " + text);
        }
        else
        {
            AnsiConsole.MarkupLine("[bold]-->[/] " + Markup.Escape(text));
        }
    }

    private static void Log(string line)
    {
        try
        {
            Console.WriteLine(line);
        }
        catch (IOException)
        {
            // A log on a disk that is full must not end hours of training; what is printed at the end says so if it still is.
        }
    }

    private static string Line(RunProgress p)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{p.Phase}, epoch {p.Epoch}/{p.PhaseEpochs}, loss {p.Loss:f4}");
        text += p.Validation is { } v ? string.Create(CultureInfo.InvariantCulture, $", validation {100 * v:f2} %") : "";
        text += p.PrimalResidual is { } r ? string.Create(CultureInfo.InvariantCulture, $", residual {r:f3}") : "";
        return text + string.Create(CultureInfo.InvariantCulture, $", {p.ImagesPerSecond:f0} images/s, {p.TimeLeftText} left");
    }
}
