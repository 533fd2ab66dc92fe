using AdmmKit.Jupyter.Sessions;
using AdmmKit.Notebooks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

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
    public void A_deep_stack_is_told_by_its_ends()
    {
        CellError error = Run("int Deep(int n)\n{\n    if (n == 0) throw new Exception(\"deep\");\n    return Deep(n - 1) + 1;\n}\nDeep(5000)", expected: CellEnd.Failed).Failure!;
        Assert.Equal(3, error.Line);
        Assert.InRange(error.Traceback.Count, 20, 50);
        Assert.Contains("  ... 4982 more", error.Traceback);
        Assert.Contains("    Deep(5000)", error.Traceback);
    }

    [Fact]
    public void What_a_cell_left_behind_goes_on_after_it()
    {
        using (var stop = new CancellationTokenSource())
        {
            session.Execute("var left = Task.Run(async () => { await Task.Delay(300); await Task.Delay(1); return 3; });", CellLanguage.CSharp, new Recorder(), stop.Token);
        }

        Assert.Equal("3", Run("await left").Text);
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

    [Fact]
    public void Files_are_loaded_and_imported()
    {
        string folder = Directory.CreateTempSubdirectory("admmkit-cells").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "more.csx"), "int Three() => 3;");
            File.WriteAllText(Path.Combine(folder, "Util.fsx"), "let four = 4");
            File.WriteAllText(Path.Combine(folder, "self.csx"), $"#!import \"{folder}/self.csx\"");
            File.WriteAllText(Path.Combine(folder, "library.ipynb"), """
                {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "csharp"}}, "cells": [
                {"cell_type": "markdown", "metadata": {}, "source": "# Library"},
                {"cell_type": "code", "metadata": {}, "source": "int five = 5;\n"},
                {"cell_type": "code", "metadata": {"dotnet_interactive": {"language": "fsharp"}}, "source": "let six = 6"}]}
                """);
            Assert.Equal("3", Run($"#load \"{folder}/more.csx\"\nThree()").Text);
            Assert.Equal("4", FSharp($"#load \"{folder}/Util.fsx\"\nUtil.four").Text);
            Recorder imported = Run($"#!import {folder}/library.ipynb\n#!share six --from fsharp\nfive + six");
            Assert.Equal("11", imported.Text);
            Assert.Equal("# Library", imported.Displays[0].Bundle.Data[MimeTypes.Markdown]);
            Assert.Contains("import itself", Run($"#!import {folder}/self.csx", expected: CellEnd.Failed).Failure!.Message, StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(folder, "broken.csx"), "\nint x = y;");
            CellError error = Run($"#load \"{folder}/broken.csx\"", expected: CellEnd.Failed).Failure!;
            Assert.Contains("  broken.csx, line 2:", error.Traceback);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void An_assembly_of_ones_own_is_loaded_and_an_older_one_of_the_tool_is_told()
    {
        string folder = Directory.CreateTempSubdirectory("admmkit-cells").FullName;
        try
        {
            // A copy under the name of one of the tool's own differs from it.
            File.Copy(Path.Combine(AppContext.BaseDirectory, "AdmmKit.Jupyter.Tests.dll"), Path.Combine(folder, "AdmmKit.Hardware.dll"));
            Recorder output = Run($"#r \"{folder}/AdmmKit.Hardware.dll\"\ntypeof(AdmmKit.Hardware.Platforms.Platform).Name");
            Assert.Contains("differs from the AdmmKit.Hardware", output.Err.ToString(), StringComparison.Ordinal);
            Assert.Equal("Platform", output.Text);
            Assert.Empty(Run($"#r \"{folder}/AdmmKit.Hardware.dll\"").Err.ToString());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Assemblies_find_what_lies_beside_them_and_are_the_same_to_both_languages()
    {
        // Not removed: the session reads what it was given again and again.
        string folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "cells")).FullName;
        MetadataReference platform = MetadataReference.CreateFromFile(typeof(object).Assembly.Location);
        Compile("CellsInner", "namespace CellsInner; public class Inner { public int Value { get; set; } = 5; }", platform);
        string inner = Path.Combine(folder, "CellsInner.dll");
        Compile("CellsOuter", "namespace CellsOuter; public class Outer { public CellsInner.Inner Inner { get; } = new(); }", platform, MetadataReference.CreateFromFile(inner));
        Assert.Equal("5", Run($"#r \"{folder}/CellsOuter.dll\"\nvar outer = new CellsOuter.Outer();\nouter.Inner.Value").Text);
        FSharp($"#r \"{inner}\"\n#!share outer --from csharp\nouter.Inner.Value <- 6");
        Assert.Equal("6", Run("outer.Inner.Value").Text);

        void Compile(string name, string source, params MetadataReference[] references)
        {
            EmitResult result = CSharpCompilation.Create(
                name, [CSharpSyntaxTree.ParseText(source)], references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary))
                .Emit(Path.Combine(folder, name + ".dll"));
            Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        }
    }

    [Fact]
    public void Formatters_are_found_by_the_names_of_the_convention()
    {
        const string declared = """
            public class TypeFormatterSourceAttribute(Type type) : Attribute { public Type FormatterSourceType { get; } = type; }
            public class Source { public IEnumerable<object> CreateTypeFormatters() { yield return new Formatter(); } }
            public class Formatter
            {
                public string MimeType => "text/html";
                public bool Format(object instance, System.IO.TextWriter writer) { writer.Write("<i>mine</i>"); return true; }
            }
            [TypeFormatterSource(typeof(Source))]
            public class Thing { public override string ToString() => "thing"; }
            new Thing()
            """;
        MimeBundle bundle = Run(declared).Value!;
        Assert.Equal("<i>mine</i>", bundle.Data[MimeTypes.Html]);
        Assert.Equal("thing", bundle.Data[MimeTypes.Text]);
    }

    [Fact]
    public void Console_output_is_bounded_and_says_so()
    {
        Recorder output = Run("for (int i = 0; i < 300; i++) Console.Write(new string('x', 10000));");
        Assert.InRange(output.Out.Length, 1_000_000, 1_000_200);
        Assert.Contains("[cut:", output.Out.ToString(), StringComparison.Ordinal);
        Assert.InRange(Run("for (int i = 0; i < 3000; i++) display(i);").Displays.Count, 1_000, 1_000);
    }

    [Theory]
    [InlineData("while (true) { }")]
    [InlineData("for (;;) kept = 2;")]
    [InlineData("again: kept = 2; goto again;")]
    [InlineData("foreach (int i in Enumerable.Repeat(1, int.MaxValue)) foreach (int j in Enumerable.Repeat(1, int.MaxValue)) { }")]
    [InlineData("int F(int n) { return n < 2 ? n : F(n - 1) + F(n - 2); }\nF(100)")]
    [InlineData("while (true) { try { while (true) { } } catch { do ; while (true); } }")]
    [InlineData("new Thread(() => { while (true) { } }).Start();\nnew Timer(_ => Console.Write('x'), null, 0, 200);\nThread.Sleep(-1);")]
    [InlineData("Thread.Sleep(-1);")]
    [InlineData("await Task.Delay(-1);")]
    [InlineData("await Task.Run(() => { while (true) { } });")]
    [InlineData("var source = new TaskCompletionSource<int>();\nint never = await source.Task;")]
    public void A_stopped_cell_leaves_the_session_as_it_was(string endless)
    {
        Run("using System.Threading;\nvar kept = 1;");
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        var output = new Recorder();
        Assert.Equal(CellEnd.Stopped, session.Execute("kept = 2;\n" + endless, CellLanguage.CSharp, output, stop.Token));
        Assert.Equal("Interrupted", output.Failure!.Name);
        Assert.Equal("2", Run("kept").Text);
    }

    [Theory]
    [InlineData("while (true) Console.Write(\"x\");", CellLanguage.CSharp)]
    [InlineData("while (true) { var l = new List<string>(); for (int i = 0; i < 50; i++) l.Add(i.ToString()); }", CellLanguage.CSharp)]
    [InlineData("while true do System.Console.Write \"x\"", CellLanguage.FSharp)]
    public void However_often_a_loop_is_stopped_the_process_lives(string endless, CellLanguage language)
    {
        for (int i = 0; i < 20; i++)
        {
            using var stop = new CancellationTokenSource(200 + i);
            Assert.Equal(CellEnd.Stopped, session.Execute(endless, language, new Recorder(), stop.Token));
        }
    }

    [Theory]
    [InlineData("while (true) { await Task.Delay(20); Console.Write(\"tick\"); }")]
    [InlineData("await Task.Run(() => { while (true) { System.Threading.Thread.Sleep(20); Console.Write(\"tick\"); } });")]
    public void A_stopped_cell_that_awaits_says_nothing_later(string endless)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        var output = new Recorder();
        Assert.Equal(CellEnd.Stopped, session.Execute(endless, CellLanguage.CSharp, output, stop.Token));
        Assert.Contains("tick", output.Out.ToString(), StringComparison.Ordinal);
        Assert.Equal("mine", Run("System.Threading.Thread.Sleep(300); Console.Write(\"mine\");").Out.ToString());
    }

    [Fact]
    public void A_cell_whose_task_does_not_end_is_lost()
    {
        using var own = new CellSession();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        Assert.Equal(CellEnd.Lost, own.Execute(
            "await Task.Yield();\nSystem.Threading.Thread.Sleep(60_000);", CellLanguage.CSharp, new Recorder(), stop.Token));
    }

    [Fact]
    public void A_cell_that_is_stopped_before_it_begins_is_not_run()
    {
        Assert.Equal(CellEnd.Stopped, session.Execute("var begun = 1;", CellLanguage.CSharp, new Recorder(), new CancellationToken(true)));
        Run("begun", expected: CellEnd.Failed);
    }

    [Fact]
    public void Code_that_can_be_stopped_is_the_authors_in_all_else()
    {
        Assert.Equal("6", Run("int sum = 0;\nfor (int i = 0; i < 4; i++)\n    sum += i; // all\nsum").Text);
        Assert.Equal("3", Run("async Task<int> Two() { await Task.Yield(); return 2; }\nint Sync() { if (true) while (false) ; else return 0; return 1; }\nawait Two() + Sync()").Text);
        Assert.Equal("5", Run("dynamic d = Task.FromResult(5);\nint five = await d;\nfive").Text);
        CellError error = Run("while (true) { int a = 1; while (true) unknown(); }", expected: CellEnd.Failed).Failure!;
        Assert.Contains("    " + new string(' ', 39) + "^", error.Traceback);
        Assert.Equal(3, Run("while (true)\n{\n    foreach (int i in new[] { 1 }) throw new Exception(); }", expected: CellEnd.Failed).Failure!.Line);
    }

    [Theory]
    [InlineData("var typed = new List<int>();\ntyped.Ad", CellLanguage.CSharp, "Add", "Ad")]
    [InlineData("Math.Sq", CellLanguage.CSharp, "Sqrt", "Sq")]
    [InlineData("System.Text.StringB", CellLanguage.CSharp, "StringBuilder", "StringB")]
    [InlineData("earl", CellLanguage.CSharp, "earlier", "earl")]
    [InlineData("#!fsharp\nList.ma", CellLanguage.CSharp, "map", "ma")]
    [InlineData("let s = \"a\"\ns.Len", CellLanguage.FSharp, "Length", "Len")]
    [InlineData("#!sh", CellLanguage.CSharp, "#!share", "#!sh")]
    public void Names_are_completed(string source, CellLanguage language, string expected, string typed)
    {
        Run("int earlier = 1;");
        Completion found = session.Complete(source, source.Length, language);
        Assert.Contains(expected, found.Matches);
        Assert.Equal((source.Length - typed.Length, source.Length), (found.Start, found.End));
    }

    [Theory]
    [InlineData("Math.Sqrt(2)", 7, CellLanguage.CSharp, "Math.Sqrt(double d)")]
    [InlineData("#r \"AdmmKit.dll\"\nAdmmKit.Names.Nearest(\"a\", [])", 33, CellLanguage.CSharp, "edit distance")]
    [InlineData("List.map id []", 6, CellLanguage.FSharp, "mapping")]
    public void Names_are_explained(string source, int position, CellLanguage language, string expected)
    {
        Run("#r \"AdmmKit.dll\"");
        Assert.Contains(expected, session.Inspect(source, position, language)!.Data[MimeTypes.Text], StringComparison.Ordinal);
        Assert.Null(session.Inspect("   ", 1, language));
    }

    [Theory]
    [InlineData("1 + 1", CellLanguage.CSharp, Completeness.Complete)]
    [InlineData("if (true) {", CellLanguage.CSharp, Completeness.Incomplete)]
    [InlineData("1 + ) 2;", CellLanguage.CSharp, Completeness.Invalid)]
    [InlineData("#!time", CellLanguage.CSharp, Completeness.Complete)]
    [InlineData("let x = 1", CellLanguage.FSharp, Completeness.Complete)]
    [InlineData("let f x =", CellLanguage.FSharp, Completeness.Incomplete)]
    [InlineData("#!fsharp\n[ 1; 2", CellLanguage.CSharp, Completeness.Incomplete)]
    [InlineData("let = = 3\nlet x = 1\nx", CellLanguage.FSharp, Completeness.Invalid)]
    public void Whole_code_is_told_from_code_that_goes_on(string source, CellLanguage language, Completeness expected) =>
        Assert.Equal(expected, session.Check(source, language));
}
