using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>Sees the end of the program that started a kernel, and names itself in JPY_PARENT_PID: a kernel must not outlive it.</summary>
public sealed partial class ParentWatch : IDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    private readonly int parent;
    // A child of its own sees the end at once, even where nobody takes note of the dead: it gets another parent.
    private readonly bool isDirect;
    private readonly Action gone;
    private readonly Timer timer;

    private ParentWatch(int parent, Action gone)
    {
        this.parent = parent;
        this.gone = gone;
        isDirect = !OperatingSystem.IsWindows() && ParentNumber() == parent;
        timer = new Timer(_ => Look(), null, Between, Between);
    }

    /// <summary>Watches the parent that the environment names; null where it names none.</summary>
    /// <param name="gone">Called when it is gone.</param>
    public static ParentWatch? Start(Action gone) =>
        int.TryParse(Environment.GetEnvironmentVariable("JPY_PARENT_PID"), NumberStyles.None, CultureInfo.InvariantCulture, out int parent)
        && parent > 1 && !OperatingSystem.IsWindows()
            ? new ParentWatch(parent, gone)
            : null;

    /// <inheritdoc/>
    public void Dispose() => timer.Dispose();

    private void Look()
    {
        if (isDirect ? ParentNumber() != parent : !Exists(parent))
        {
            timer.Dispose();
            gone();
        }
    }

    private static bool Exists(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int ParentNumber();
}
