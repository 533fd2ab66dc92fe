using System.Text.Json.Nodes;
using AdmmKit.Cli;
using AdmmKit.Jupyter.Files;
using AdmmKit.Jupyter.Tests.Sessions;

namespace AdmmKit.Jupyter.Tests.Running;

/// <summary><c>admmkit notebook run</c> as a person uses it: with processes that die, and files that must not be half written.</summary>
[Collection(CellCollection.Name)]
public sealed class NotebookRunTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("admmkit-notebooks").FullName;

    private string Write(string name, string kernel, params (string Source, string Tag)[] cells)
    {
        var array = new JsonArray([.. cells.Select(c => new JsonObject
        {
            ["cell_type"] = "code",
            ["metadata"] = new JsonObject { ["tags"] = c.Tag.Length > 0 ? new JsonArray(c.Tag) : [] },
            ["source"] = c.Source,
            ["outputs"] = new JsonArray(),
            ["execution_count"] = null,
        })]);
        var notebook = new JsonObject
        {
            ["cells"] = array,
            ["metadata"] = new JsonObject { ["kernelspec"] = new JsonObject { ["name"] = kernel } },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, notebook.ToJsonString());
        return path;
    }

    private string CSharp(params string[] cells) => Write("test.ipynb", ".net-csharp", [.. cells.Select(c => (c, ""))]);

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        (TextWriter usualOut, TextWriter usualError) = (Console.Out, Console.Error);
        using var output = new StringWriter();
        using var error = new StringWriter();
        Console.SetOut(output);
        Console.SetError(error);
        try
        {
            return (CommandLineTool.Run(["notebook", "run", .. arguments]), output.ToString(), error.ToString());
        }
        finally
        {
            Console.SetOut(usualOut);
            Console.SetError(usualError);
        }
    }

    private static string Output(NotebookCell cell) => string.Concat(cell.Outputs.Select(o => o!.ToJsonString()));

    [Fact]
    public void A_notebook_is_run_changed_and_checked()
    {
        string path = Write(
            "all.ipynb", ".net-csharp",
            ("int n = 3;\ndouble x = 0.5;\nvar s = \"a\";", "parameters"),
            ("Console.WriteLine(\"<i>\" + n + s + x);\nvar d = display(1);\nn * 2", ""),
            ("#!fsharp\n#!share n --from csharp\nprintfn \"%d\" (n + 1)", ""),
            ("d.Update(\"later\");\nHTML(\"<b>1</b>\")", ""),
            ("DateTime.Now.Ticks", "volatile"));
        (int code, string output, string error) = Run(path);
        Assert.True(code == 0, output + error);
        Assert.Contains("done", output, StringComparison.Ordinal);
        var notebook = NotebookFile.Read(path);
        Assert.Equal([1, 2, 3, 4, 5], notebook.Cells.Select(c => (int)c.Json["execution_count"]!));
        Assert.Contains("later", Output(notebook.Cells[1]), StringComparison.Ordinal);
        Assert.DoesNotContain("<i>", string.Concat(notebook.Cells[1].Outputs.Where(o => o!["data"]?["text/html"] is not null)), StringComparison.Ordinal);
        Assert.Contains("4", Output(notebook.Cells[2]), StringComparison.Ordinal);
        Assert.Contains("text/html", Output(notebook.Cells[3]), StringComparison.Ordinal);

        string before = File.ReadAllText(path);
        (code, output, error) = Run(path, "--check");
        Assert.True(code == 0, output + error);
        Assert.Equal(before, File.ReadAllText(path));

        string target = Path.Combine(folder, "out");
        (code, output, error) = Run(path, "--output", target, "--set", "n=7", "--set", "s=x \"y\"", "--set", "x=2");
        Assert.True(code == 0, output + error);
        notebook = NotebookFile.Read(Path.Combine(target, "all.ipynb"));
        Assert.Equal("n = 7;\ns = \"x \\\"y\\\"\";\nx = 2.0;", notebook.Cells[1].Source);
        Assert.Contains("14", Output(notebook.Cells[2]), StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(path));

        File.WriteAllText(path, before.Replace("\"later\"\n", "\"sooner\"\n", StringComparison.Ordinal));
        (code, _, error) = Run(path, "--check");
        Assert.Equal(1, code);
        Assert.Contains("cell 2", error, StringComparison.Ordinal);
        Assert.Contains("'later' in place of 'sooner'", error, StringComparison.Ordinal);

        foreach ((string set, string expected) in new[] { ("m=1", "Did you mean 'n'?"), ("n=1.5", "a whole number") })
        {
            (code, _, error) = Run(path, "--set", set);
            Assert.Equal(1, code);
            Assert.Contains(expected, error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_cell_that_throws_ends_the_run_and_is_in_the_file()
    {
        string path = CSharp("1 + 1", "Console.Error.Write(\"warned\");\nthrow new InvalidOperationException(\"<broken>\");", "3");
        (int code, string output, string error) = Run(path);
        Assert.Equal(1, code);
        Assert.Contains("FAILED", output, StringComparison.Ordinal);
        Assert.Contains("cell 2 [2] failed", error, StringComparison.Ordinal);
        Assert.Contains("cell [2], line 2", error, StringComparison.Ordinal);
        Assert.Contains("warned", error, StringComparison.Ordinal);
        Assert.Contains("not run: 1", error, StringComparison.Ordinal);
        var notebook = NotebookFile.Read(path);
        Assert.Contains("\"output_type\":\"error\"", Output(notebook.Cells[1]), StringComparison.Ordinal);
        Assert.Contains("not run: 1", Output(notebook.Cells[1]), StringComparison.Ordinal);
        Assert.Empty(notebook.Cells[2].Outputs);
        Assert.Null(notebook.Cells[2].Json["execution_count"]);
    }

    [Fact]
    public void What_a_program_of_a_cell_writes_to_the_real_console_hides_nothing()
    {
        string path = CSharp("System.Diagnostics.Process.Start(\"/bin/sh\", [\"-c\", \"printf raw\"]).WaitForExit();");
        (int code, string output, string error) = Run(path);
        Assert.True(code == 0, output + error);
    }

    [Fact]
    public void Outputs_that_are_none_are_refused_in_words()
    {
        string path = CSharp("1");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"outputs\":[]", "\"outputs\":[3]", StringComparison.Ordinal));
        (int code, _, string error) = Run(path, "--check");
        Assert.Equal(1, code);
        Assert.Contains("the 'outputs' of cell 1 are no list of objects", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".net-csharp", "float x = 1;", "0.5", "x = 0.5f;", "x.GetType().Name + x", "Single0.5")]
    [InlineData(".net-csharp", "decimal? x = 1;", "0.5", "x = 0.5m;", "x * 2", "1.0")]
    [InlineData(".net-csharp", "string? x = null;", "a b", "x = \"a b\";", "x + x", "a ba b")]
    [InlineData(".net-csharp", "var x = 1.5f;", "2", "x = 2.0f;", "x", "2")]
    [InlineData(".net-fsharp", "let x : float = 1.0", "2", "let x = 2.0", "x / 4.0", "0.5")]
    [InlineData(".net-fsharp", "let x = 1.0f", "0.5", "let x = 0.5f", "x / 2.0f", "0.25")]
    [InlineData(".net-fsharp", "let mutable x = 3 // steps", "4", "x <- 4", "x <- x + 1\nx", "5")]
    public void A_new_value_is_written_as_its_type_asks(string kernel, string declared, string value, string injected, string used, string expected)
    {
        string path = Write("set.ipynb", kernel, (declared, "parameters"), (used, ""));
        (int code, string output, string error) = Run(path, "--set", "x=" + value);
        Assert.True(code == 0, output + error);
        var notebook = NotebookFile.Read(path);
        Assert.Equal(injected, notebook.Cells[1].Source);
        Assert.Contains($"[\"{expected}\"]", Output(notebook.Cells[2]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_constant_is_not_set()
    {
        (int code, _, string error) = Run(Write("const.ipynb", ".net-csharp", ("const int n = 3;", "parameters")), "--set", "n=4");
        Assert.Equal(1, code);
        Assert.Contains("'n' is a constant", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cell_that_may_throw_does_not_end_the_run()
    {
        string path = Write("may.ipynb", ".net-csharp", ("throw new Exception(\"wanted\");", "raises-exception"), ("1 + 1", ""));
        (int code, string output, string error) = Run(path);
        Assert.True(code == 0, output + error);
        var notebook = NotebookFile.Read(path);
        Assert.Contains("wanted", Output(notebook.Cells[0]), StringComparison.Ordinal);
        Assert.Contains("2", Output(notebook.Cells[1]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".net-csharp", "while (true) { }")]
    [InlineData(".net-csharp", "System.Threading.Thread.Sleep(-1);")]
    [InlineData(".net-csharp", "while (true) { try { while (true) { } } catch { while (true) { } } }")]
    [InlineData(".net-fsharp", "while true do ()")]
    public void An_endless_cell_is_stopped_and_named(string kernel, string endless)
    {
        string path = Write("endless.ipynb", kernel, ("1 + 1", ""), (endless, ""), ("3", ""));
        (int code, _, string error) = Run(path, "--timeout", "1.5");
        Assert.Equal(1, code);
        Assert.Contains("did not end within 1.5 s", error, StringComparison.Ordinal);
        Assert.Contains("cell 2 [2]", error, StringComparison.Ordinal);
        Assert.Equal("Timeout", (string)NotebookFile.Read(path).Cells[1].Outputs[0]!["ename"]!);
    }

    [Theory]
    [InlineData("Environment.Exit(0);", "exit code 0")]
    [InlineData("int F(int x) => x > 0 ? F(x + 1) + 1 : 0;\nF(1)", "overflow")]
    public void A_cell_that_ends_its_process_is_named_and_nothing_is_written(string fatal, string expected)
    {
        string path = CSharp("1 + 1", fatal);
        string before = File.ReadAllText(path);
        (int code, _, string error) = Run(path);
        Assert.Equal(1, code);
        Assert.Contains("cell [2] of 2", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(path));
    }

    [Fact]
    public void Files_that_cannot_be_run_are_named_and_the_others_are_run()
    {
        string good = CSharp("1 + 1");
        string python = Write("python.ipynb", "python3", ("1", ""));
        string damaged = Path.Combine(folder, "damaged.ipynb");
        File.WriteAllText(damaged, "{\"cells\": [");
        string missing = Write("missing.ipynb", ".net-csharp", ("\n#r \"../bin/My.dll\"", ""));
        (int code, string output, string error) = Run(python, damaged, missing, good);
        Assert.Equal(1, code);
        Assert.Contains("'python3'", error, StringComparison.Ordinal);
        Assert.Contains("no valid JSON", error, StringComparison.Ordinal);
        Assert.Contains("dotnet build -c Release", error, StringComparison.Ordinal);
        Assert.Contains("4 notebooks, 3 failed", output, StringComparison.Ordinal);
        Assert.Equal("{\"cells\": [", File.ReadAllText(damaged));
        Assert.Contains("2", Output(NotebookFile.Read(good).Cells[0]), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(folder, "*.tmp"));
    }

    [Fact]
    public void Cells_on_another_data_set_are_executed_and_not_compared()
    {
        string path = CSharp("1", "AppContext.SetData(\"AdmmKit.DataSet\", Environment.GetEnvironmentVariable(\"TEST_DATA\"));", "Environment.GetEnvironmentVariable(\"TEST_DATA\")");
        try
        {
            Environment.SetEnvironmentVariable("TEST_DATA", "digits");
            Assert.Equal(0, Run(path).Code);
            Assert.Contains("\"data\": \"digits\"", File.ReadAllText(path), StringComparison.Ordinal);
            Environment.SetEnvironmentVariable("TEST_DATA", "others");
            (int code, string output, string error) = Run(path, "--check");
            Assert.True(code == 0, error);
            Assert.Contains("cell 2 on were made with the data set 'digits', here it is 'others'", output, StringComparison.Ordinal);
            Assert.Contains("same outputs (cells compared: 1, volatile: 0, made otherwise: 2)", output, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("TEST_DATA", null);
        }
    }

    [Theory]
    [InlineData("x.ipynb --check --output d", "leave out --output")]
    [InlineData("x.ipynb --set n", "name=value")]
    [InlineData("x.ipynb --timeout -1", "--timeout must be")]
    [InlineData("x.ipynb --chekc", "Did you mean '--check'")]
    [InlineData("--check", "file")]
    public void Wrong_usage_exits_with_2(string arguments, string expected)
    {
        (int code, _, string error) = Run(arguments.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_notebooks_of_one_name_do_not_go_into_one_folder()
    {
        (int code, _, string error) = Run("a/x.ipynb", "b/x.ipynb", "--output", folder);
        Assert.Equal(1, code);
        Assert.Contains("'x.ipynb'", error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
