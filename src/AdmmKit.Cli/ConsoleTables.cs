using Spectre.Console;

namespace AdmmKit.Cli;

/// <summary>Tables on the console, whole also where the output is a file or pipe.</summary>
internal static class ConsoleTables
{
    private const int WidthOfFiles = 140;

    public static void Write(Table table)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = WidthOfFiles;
            AnsiConsole.Profile.Capabilities.Ansi = false;
            AnsiConsole.Profile.Capabilities.ColorSystem = ColorSystem.NoColors;
        }

        AnsiConsole.Write(table);
    }
}
