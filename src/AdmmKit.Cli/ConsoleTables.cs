using Spectre.Console;

namespace AdmmKit.Cli;

/// <summary>Tables on the console, whole also where the output is a file or pipe.</summary>
internal static class ConsoleTables
{
    private const int WidthOfFiles = 140;

    /// <summary>A table whose columns are names on the left and numbers on the right; no cell is broken.</summary>
    public static Table New(string title, string[] left, string[] right)
    {
        Table table = new Table().Border(TableBorder.Simple).Title(Markup.Escape(title));
        foreach (string column in left.Concat(right))
        {
            table.AddColumn(new TableColumn(column) { NoWrap = true, Alignment = left.Contains(column) ? Justify.Left : Justify.Right });
        }

        return table;
    }

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
