using System.Globalization;
using System.Text;
using AdmmKit.Experiments.Tables;

namespace AdmmKit.Experiments.Report;

/// <summary>What folders of results are called and in which order they stand.</summary>
internal static class ReportTitles
{
    private static readonly Dictionary<string, string> Measured = new(StringComparer.Ordinal)
    {
        ["cpu-platform"] = "Time by density on this machine: break-even of every layer",
        ["cpu-time"] = "Speed of compressed models on this machine",
        ["figure5-lenet5"] = "Fig. 5: hardware-aware compression of LeNet-5",
        ["figure5-resnet20"] = "Fig. 5: hardware-aware compression of ResNet-20",
        ["performance"] = "Speed of the engine beside a peer",
        ["resnet20"] = "ResNet-20 on CIFAR-10, dense",
    };

    /// <summary>The title of a folder: that of its notes, or of the experiment that wrote it, or its name.</summary>
    /// <param name="folder">The folder's name.</param>
    /// <param name="notes">Its notes, in Markdown; null for none.</param>
    public static string Of(string folder, string? notes)
    {
        string? heading = notes?.Split('\n').FirstOrDefault(l => l.StartsWith("# ", StringComparison.Ordinal))?[2..].Trim();
        return heading is { Length: > 0 } ? heading
            : ExperimentCatalogue.Names.Contains(folder) ? ExperimentCatalogue.Create(folder, full: true).Title
            : Measured.GetValueOrDefault(folder, folder);
    }

    /// <summary>Tables, then figures, then sections, each by number; then the rest by name.</summary>
    /// <param name="folder">The folder's name.</param>
    public static (int Kind, string Name) Order(string folder)
    {
        string[] kinds = ["table", "figure", "section"];
        int kind = Array.FindIndex(kinds, k => folder.StartsWith(k, StringComparison.Ordinal));
        return (kind < 0 ? kinds.Length : kind, Padded(folder));
    }

    // "table10" comes after "table9".
    private static string Padded(string name)
    {
        var text = new StringBuilder();
        for (int i = 0; i < name.Length;)
        {
            int end = i;
            while (end < name.Length && char.IsAsciiDigit(name[end]))
            {
                end++;
            }

            text.Append(end > i ? name[i..end].PadLeft(9, '0') : name[i].ToString(CultureInfo.InvariantCulture));
            i = Math.Max(end, i + 1);
        }

        return text.ToString();
    }
}
