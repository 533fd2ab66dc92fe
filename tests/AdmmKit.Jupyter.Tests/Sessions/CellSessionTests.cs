using AdmmKit.Jupyter.Sessions;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Tests.Sessions;

/// <summary>Tests that run cells share the console of the process, so none of them runs beside another.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public class CellCollection
{
    public const string Name = "cells";
}

/// <summary>One session for the tests of a class: compilers need a second to start.</summary>
public sealed class SessionFixture : IDisposable
{
    internal CellSession Session { get; } = new(AppContext.BaseDirectory);

    public void Dispose() => Session.Dispose();
}

[Collection(CellCollection.Name)]
public class CellSessionTests(SessionFixture fixture) : IClassFixture<SessionFixture>
{
    private readonly CellSession session = fixture.Session;

    private Recorder Run(string source, CellLanguage language = CellLanguage.CSharp, CellEnd expected = CellEnd.Succeeded)
    {
        var output = new Recorder();
        CellEnd end = session.Execute(source, language, output, CancellationToken.None);
        Assert.True(end == expected, string.Join('\n', output.Failure?.Traceback ?? [end.ToString()]));
        return output;
    }

    private Recorder FSharp(string source, CellEnd expected = CellEnd.Succeeded) => Run(source, CellLanguage.FSharp, expected);

    [Fact]
    public void Variables_live_on_in_the_next_cell_in_both_languages()
    {
        Run("var first = 20;\nint Twice(int x) => 2 * x;");
        Assert.Equal("42", Run("Twice(first) + 2").Text);
        FSharp("let first = 20\nlet twice x = 2 * x");
        Assert.Equal("42", FSharp("twice first + 2").Text);
    }

    [Fact]
    public void Only_the_last_expression_without_a_semicolon_is_a_result()
    {
        Assert.Null(Run("Math.Abs(1);").Value);
        Assert.Null(Run("Console.Write(1)").Value);
        Assert.Null(FSharp("let x = 1").Value);
        Assert.Null(FSharp("printf \"%d\" 1").Value);
        Assert.Null(FSharp("display 5").Value);
        Assert.Equal("0.5", Run("1 / 2.0").Text);
    }

    [Fact]
    public void Console_and_displays_come_in_the_order_of_the_cell()
    {
        string[] expected = ["out:a", "display:1", "err:b", "display:2", "update:3", "result:4"];
        Assert.Equal(expected, Run("Console.WriteLine(\"a\"); 1.Display(); Console.Error.WriteLine(\"b\"); var d = display(2); d.Update(3);\n4").Log);
        Assert.Equal(expected, FSharp("printfn \"a\"\n(1).Display() |> ignore\neprintfn \"b\"\nlet d = display 2\nd.Update 3\n4").Log);
    }

    [Fact]
    public void Html_is_shown_as_it_is_and_text_is_not()
    {
        Assert.Equal("<b>1</b>", Run("HTML(\"<b>1</b>\")").Value!.Data[MimeTypes.Html]);
        Assert.Equal("<b>1</b>", FSharp("HTML \"<b>1</b>\"").Value!.Data[MimeTypes.Html]);
        MimeBundle text = Run("\"<b>1</b>\"").Value!;
        Assert.False(text.Data.TryGetValue(MimeTypes.Html, out string? html) && html.Contains("<b>", StringComparison.Ordinal));
    }

    [Fact]
    public void Cells_may_await() => Assert.Equal("7", Run("await Task.Delay(10);\nvar seven = await Task.FromResult(7);\nseven").Text);

    [Fact]
    public void Errors_of_compilation_name_the_line_and_point_at_the_column()
    {
        CellError error = Run("var ok = 1;\n  var x = unknown;", expected: CellEnd.Failed).Failure!;
        Assert.Equal(2, error.Line);
        Assert.Contains("CS0103", error.Message, StringComparison.Ordinal);
        Assert.Contains("      var x = unknown;", error.Traceback);
        Assert.Contains("              ^", error.Traceback);
        error = FSharp("let ok = 1\nlet x = unknown", CellEnd.Failed).Failure!;
        Assert.Equal(2, error.Line);
        Assert.Contains("FS0039", error.Message, StringComparison.Ordinal);
        Assert.Contains("            ^", error.Traceback);
    }

    [Fact]
    public void Exceptions_name_the_lines_of_cells_and_what_caused_them()
    {
        Run("void Fail()\n{\n    try { int.Parse(\"x\"); }\n    catch (Exception e) { throw new InvalidOperationException(\"outer\", e); }\n}");
        CellError error = Run("\nFail();", expected: CellEnd.Failed).Failure!;
        Assert.Equal("System.InvalidOperationException", error.Name);
        Assert.Equal("outer", error.Message);
        Assert.Contains("    Fail();", error.Traceback);
        Assert.Contains(error.Traceback, l => l.StartsWith("caused by System.FormatException", StringComparison.Ordinal));
        Assert.DoesNotContain(error.Traceback, l => l.Contains("Roslyn", StringComparison.Ordinal) || l.Contains("CodeAnalysis", StringComparison.Ordinal));
    }

    [Fact]
    public void Exceptions_of_FSharp_name_the_line()
    {
        FSharp("let rec fail n : int =\n    if n > 0 then 1 + fail (n - 1) else\n    invalidOp \"broken\"");
        CellError error = FSharp("let one = 1\n\nfail 3", CellEnd.Failed).Failure!;
        Assert.Equal("broken", error.Message);
        Assert.Contains("        invalidOp \"broken\"", error.Traceback);
    }

    [Fact]
    public void Values_are_shared_as_the_very_objects()
    {
        Run("var list = new List<int> { 1, 2 };\nvar table = new Dictionary<string, double[]>();");
        FSharp("#!share list --from csharp\n#!share table --from csharp --as named\nlist.Add 3\nnamed.[\"a\"] <- [| 1.5 |]");
        Assert.Equal("3", Run("list.Count").Text);
        Assert.Equal("1.5", Run("table[\"a\"][0]").Text);
        FSharp("let numbers = [| 1.0; 2.0 |]");
        Assert.Equal("3", Run("#!share numbers --from fsharp\nnumbers.Sum()").Text);
    }

    [Fact]
    public void A_cell_may_change_its_language()
    {
        Recorder output = Run("#!fsharp\nlet inner = 5\n#!csharp\n#!share inner --from fsharp\ninner + 1");
        Assert.Equal("6", output.Text);
        output = Run("#!markdown\n# Title\n- item");
        Assert.Equal("# Title\n- item", output.Displays[0].Bundle.Data[MimeTypes.Markdown]);
    }

    [Fact]
    public void Lines_are_those_of_the_whole_cell_behind_directives()
    {
        CellError error = Run("#!time\n#!csharp\nint a = 1;\nthrow new Exception(\"here\");", expected: CellEnd.Failed).Failure!;
        Assert.Equal(4, error.Line);
        Assert.Contains("    throw new Exception(\"here\");", error.Traceback);
    }

    [Theory]
    [InlineData("#!shar x --from fsharp", "'#!share'")]
    [InlineData("#!share x", "from which language")]
    [InlineData("#!share x --from java", "csharp")]
    [InlineData("#!share x --from csharp", "the other")]
    [InlineData("#!share absent --from fsharp", "no fsharp variable 'absent'")]
    [InlineData("#!import nothing.ipynb", "no file")]
    [InlineData("#r \"nothing.dll\"", "dotnet build -c Release")]
    [InlineData("#r \"nuget:Some.Package\"", "build it")]
    [InlineData("#r \"AdmmKit.Jupyter.Tests.deps.json\"", "cannot be loaded")]
    [InlineData("#!r", "#r")]
    public void Wrong_directives_are_refused_in_words(string source, string expected)
    {
        CellError error = Run("\n" + source, expected: CellEnd.Failed).Failure!;
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(2, error.Line);
    }

    [Fact]
    public void A_referenced_assembly_of_the_tool_has_the_types_of_the_tool()
    {
        Run("#r \"AdmmKit.dll\"\n#r \"AdmmKit.Experiments.dll\"\nvar shape = AdmmKit.Networks.NetworkSpec.LeNet5(new(1, 28, 28), 10);");
        Assert.Equal("True", Run("typeof(AdmmKit.AdmmKitException).Assembly == AppDomain.CurrentDomain.GetAssemblies().Single(a => a.GetName().Name == \"AdmmKit\")").Text);
        Assert.Equal("10", FSharp("#r \"AdmmKit.dll\"\n#!share shape --from csharp\nshape.Classes").Text);
    }
}
