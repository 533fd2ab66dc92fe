using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace AdmmKit.Jupyter.Tests.Notebooks;

/// <summary>Every committed notebook is a valid one of format 4.5: by Jupyter's own schema where that is there, and by what we ask besides.</summary>
public partial class CommittedNotebooksTests
{
    private const int MaxBytes = 5_000_000; // GitHub shows no larger ones

    private const string NoText = "an output has no text/plain, or no metadata";

    private static readonly Dictionary<string, (string Kernel, string Language)> Kernels = new(StringComparer.Ordinal)
    {
        [".net-csharp"] = ("csharp", "C#"),
        [".net-fsharp"] = ("fsharp", "F#"),
    };

    // Executed in .NET Interactive, with packages that are not needed elsewhere. Some of what it shows has a page, and no text.
    private const string Foreign = "interactive/";

    private static string[] Relative =>
    [
        .. new[] { "", Foreign }.SelectMany(folder => Directory.GetFiles(Path.Combine(Checkout.Root, "notebooks", folder), "*.ipynb")
            .Select(f => folder + Path.GetFileName(f)).Order(StringComparer.Ordinal)),
    ];

    private static string[] Files => [.. Relative.Select(n => Path.Combine(Checkout.Root, "notebooks", n))];

    public static TheoryData<string> Names => [.. Relative];

    [NbformatFact]
    public void Jupyters_schema_accepts_them()
    {
        const string Script = "import sys, nbformat\nfor f in sys.argv[1:]:\n    nb = nbformat.read(f, as_version=nbformat.NO_CONVERT)\n"
            + "    assert (nb.nbformat, nb.nbformat_minor) == (4, 5), f\n    nbformat.validate(nb)\n    print('valid', f)\n";
        (int code, string text) = Run(NbformatFactAttribute.Python, ["-W", "error", "-c", Script, .. Files]);
        Assert.True(code == 0, text);
        Assert.Equal(Files.Length, text.Split("valid /").Length - 1);
    }

    [NbformatFact]
    public void Jupyters_schema_refuses_a_wrong_one()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, """{"cells": [{"cell_type": "code", "source": ""}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}""");
            (int code, _) = Run(NbformatFactAttribute.Python, "-c", "import sys, nbformat; nbformat.validate(nbformat.read(sys.argv[1], 4))", file);
            Assert.NotEqual(0, code);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void They_are_what_viewers_expect(string name)
    {
        string path = Path.Combine(Checkout.Root, "notebooks", name), text = File.ReadAllText(path);
        string[] problems = [.. Problems(JsonNode.Parse(text)!.AsObject())];
        Assert.Empty(name.StartsWith(Foreign, StringComparison.Ordinal) ? problems.Where(p => !p.EndsWith(NoText, StringComparison.Ordinal)) : problems);
        Assert.InRange(new FileInfo(path).Length, 1, MaxBytes);
        Assert.DoesNotMatch(MachinePath(), text);
        Assert.EndsWith("}\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$.nbformat_minor", "4", "format")]
    [InlineData("$.metadata.kernelspec.name", "\"python3\"", "kernel 'python3'")]
    [InlineData("$.metadata.language_info.name", "\"python\"", "language")]
    [InlineData("$.cells[0].cell_type", "\"heading\"", "cell_type")]
    [InlineData("$.cells[0].source", "\"Text without a title\"", "title")]
    [InlineData("$.cells[1].id", "\"a b\"", "id 'a b'")]
    [InlineData("$.cells[1].id", "\"one\"", "twice")]
    [InlineData("$.cells[1].source", "7", "source")]
    [InlineData("$.cells[1].extra", "1", "extra")]
    [InlineData("$.cells[1].execution_count", "\"1\"", "execution_count")]
    [InlineData("$.cells[1].metadata.polyglot_notebook.kernelName", "\"python\"", "polyglot")]
    [InlineData("$.cells[1].outputs[0].output_type", "\"pyout\"", "output_type")]
    [InlineData("$.cells[1].outputs[0].output_type", "\"error\"", "failed")]
    [InlineData("$.cells[1].outputs[0].data", "{}", "text/plain")]
    [InlineData("$.cells[1].outputs[0].data['text/plain']", "1", "text/plain")]
    public void Each_of_these_is_found_out(string place, string value, string problem)
    {
        JsonObject notebook = Sound();
        Assert.Empty(Problems(notebook));
        Set(notebook, place, JsonNode.Parse(value)!);
        Assert.Contains(Problems(notebook), p => p.Contains(problem, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Problems(JsonObject notebook)
    {
        if ((int?)notebook["nbformat"] != 4 || (int?)notebook["nbformat_minor"] != 5)
        {
            yield return "its format is not 4.5";
        }

        string? kernel = (string?)notebook["metadata"]?["kernelspec"]?["name"];
        if (!Kernels.TryGetValue(kernel ?? "", out var own) || (string?)notebook["metadata"]!["kernelspec"]!["display_name"] is not { Length: > 0 })
        {
            yield return $"its kernel '{kernel}' is none of ours, or has no name to display";
        }

        if ((string?)notebook["metadata"]?["language_info"]?["name"] is var language && language != own.Kernel && language != own.Language)
        {
            yield return $"its language '{language}' is not that of its kernel";
        }

        JsonObject[] cells = [.. notebook["cells"]!.AsArray().Select(c => c!.AsObject())];
        if (cells.Length == 0 || (string?)cells[0]["cell_type"] != "markdown" || !Text(cells[0]["source"])!.StartsWith("# ", StringComparison.Ordinal))
        {
            yield return "it does not begin with a title";
        }

        foreach (JsonObject cell in cells)
        {
            foreach (string problem in CellProblems(cell))
            {
                yield return $"cell '{cell["id"]}': {problem}";
            }
        }

        foreach (var group in cells.GroupBy(c => (string?)c["id"]).Where(g => g.Count() > 1))
        {
            yield return $"id '{group.Key}' stands there twice";
        }
    }

    private static IEnumerable<string> CellProblems(JsonObject cell)
    {
        string? type = (string?)cell["cell_type"];
        string[] keys = type switch
        {
            "markdown" => ["id", "cell_type", "metadata", "source", "attachments"],
            "code" => ["id", "cell_type", "metadata", "source", "outputs", "execution_count"],
            _ => [],
        };
        if (keys.Length == 0)
        {
            yield return $"its cell_type is '{type}'";
            yield break;
        }

        foreach (string key in cell.Select(p => p.Key).Except(keys))
        {
            yield return $"'{key}' does not belong there";
        }

        if (!CellId().IsMatch((string?)cell["id"] ?? ""))
        {
            yield return $"its id '{cell["id"]}' is not of 1 to 64 letters, digits, hyphens and underscores";
        }

        if (Text(cell["source"]) is null || cell["metadata"] is not JsonObject metadata)
        {
            yield return "its source is no text, or it has no metadata";
            yield break;
        }

        if (type != "code")
        {
            yield break;
        }

        string? name = (string?)metadata["polyglot_notebook"]?["kernelName"];
        if (!Kernels.Values.Any(k => k.Kernel == name) || (string?)metadata["dotnet_interactive"]?["language"] != name)
        {
            yield return $"its polyglot metadata name '{name}', and '{metadata["dotnet_interactive"]?["language"]}' for older viewers";
        }

        if (!cell.ContainsKey("execution_count") || cell["execution_count"] is not (null or JsonValue) || !IsCount(cell["execution_count"]))
        {
            yield return "its execution_count is neither a number nor null";
        }

        foreach (JsonNode? output in cell["outputs"]!.AsArray())
        {
            foreach (string problem in OutputProblems(output!.AsObject()))
            {
                yield return problem;
            }
        }
    }

    private static IEnumerable<string> OutputProblems(JsonObject output)
    {
        switch ((string?)output["output_type"])
        {
            case "stream" when (string?)output["name"] is not ("stdout" or "stderr") || Text(output["text"]) is null:
                yield return "an output stream has no name or no text";
                break;
            case "stream":
                break;
            case "display_data" or "execute_result":
                if (output["data"] is not JsonObject data || Text(data["text/plain"]) is null || output["metadata"] is not JsonObject)
                {
                    yield return NoText;
                }

                break;
            case "error":
                yield return "it failed when it was run";
                break;
            case { } other:
                yield return $"output_type '{other}' is not known";
                break;
        }
    }

    private static bool IsCount(JsonNode? count) => count is null || (count is JsonValue value && value.TryGetValue(out int _));

    private static string? Text(JsonNode? text) => text switch
    {
        JsonValue value when value.TryGetValue(out string? line) => line,
        JsonArray lines when lines.All(l => l is JsonValue value && value.TryGetValue(out string? _)) => string.Concat(lines.Select(l => (string?)l)),
        _ => null,
    };

    private static JsonObject Sound() => JsonNode.Parse(
        """
        {
          "cells": [
            {"cell_type": "markdown", "id": "one", "metadata": {}, "source": ["# A title\n", "Text."]},
            {"cell_type": "code", "id": "two", "execution_count": 1, "source": "1",
             "metadata": {"polyglot_notebook": {"kernelName": "csharp"}, "dotnet_interactive": {"language": "csharp"}},
             "outputs": [{"output_type": "display_data", "data": {"text/plain": ["1"]}, "metadata": {}}]}
          ],
          "metadata": {"kernelspec": {"name": ".net-csharp", "display_name": ".NET (C#)", "language": "C#"}, "language_info": {"name": "csharp"}},
          "nbformat": 4,
          "nbformat_minor": 5
        }
        """)!.AsObject();

    private static void Set(JsonNode node, string place, JsonNode value)
    {
        string[] steps = [.. PathStep().Matches(place).Select(m => m.Value.Trim('.', '[', ']', '\''))];
        foreach (string step in steps[..^1])
        {
            node = int.TryParse(step, out int index) ? node[index]! : node[step]!;
        }

        node[steps[^1]] = value;
    }

    private static (int Code, string Text) Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
            return process.WaitForExit(60_000) ? (process.ExitCode, output.Result + errors.Result) : throw new TimeoutException($"{program} does not end.");
        }
        finally
        {
            process.Kill();
        }
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,64}$")]
    private static partial Regex CellId();

    [GeneratedRegex(@"\.[a-z_A-Z]+|\[\d+\]|\['[^']+'\]")]
    private static partial Regex PathStep();

    // Whose machine it was run on is nobody's business, and of no use.
    [GeneratedRegex(@"(?<![\w.:/])/(home|root|tmp|work|Users)/\w|[A-Z]:\\\\Users")]
    private static partial Regex MachinePath();
}

/// <summary>A test that needs Python's nbformat; skipped, with what to install, where it is not there.</summary>
public sealed class NbformatFactAttribute : FactAttribute
{
    /// <summary>Debian's Python, for which its packages are.</summary>
    public const string Python = "/usr/bin/python3";

    private static readonly bool Found = Imports();

    public NbformatFactAttribute()
    {
        if (!Found)
        {
            Skip = Checkout.SkipFor($"{Python} has no nbformat: apt install python3-nbformat.");
        }
    }

    private static bool Imports()
    {
        if (!File.Exists(Python))
        {
            return false;
        }

        using Process process = Process.Start(new ProcessStartInfo(Python, ["-c", "import nbformat"]) { RedirectStandardError = true })!;
        process.WaitForExit(30_000);
        return process.HasExited && process.ExitCode == 0;
    }
}
