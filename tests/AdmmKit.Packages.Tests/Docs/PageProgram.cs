using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using AdmmKit.Jupyter.Sessions;
using AdmmKit.Jupyter.Tests.Sessions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace AdmmKit.Packages.Tests.Docs;

/// <summary>
/// The program that the code blocks of a page are together: its reader may copy all of them, in order, into one file. In C# a file
/// begins with its usings and ends with its types, wherever on the page they stand.
/// </summary>
internal static class PageProgram
{
    // As the SDK gives a console program.
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; "
        + "global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;";

    /// <summary>Compiles and runs the blocks in C#.</summary>
    /// <param name="page">The page's name, for errors.</param>
    /// <param name="blocks">Its blocks.</param>
    /// <returns>What the program wrote.</returns>
    /// <exception cref="InvalidOperationException">They do not compile without a warning.</exception>
    public static string RunCSharp(string page, IEnumerable<CodeBlock> blocks)
    {
        SyntaxTree program = CSharpSyntaxTree.ParseText(Compose(page, blocks), path: page, encoding: Encoding.UTF8);
        var compilation = CSharpCompilation.Create(
            Path.GetFileNameWithoutExtension(page),
            [program, CSharpSyntaxTree.ParseText(ImplicitUsings)],
            Loaded.All,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        using var image = new MemoryStream();
        Diagnostic[] problems = [.. compilation.Emit(image).Diagnostics.Where(d => d.Severity >= DiagnosticSeverity.Warning)];
        if (problems.Length > 0)
        {
            throw new InvalidOperationException(string.Join('\n', problems.Select(p => p.GetMappedText())));
        }

        image.Position = 0;
        var context = new AssemblyLoadContext(page, isCollectible: true);
        MethodInfo main = context.LoadFromStream(image).EntryPoint!;
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        TextWriter usual = Console.Out;
        Console.SetOut(output);
        try
        {
            main.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [Array.Empty<string>()], CultureInfo.InvariantCulture);
        }
        finally
        {
            Console.SetOut(usual);
            context.Unload();
        }

        return output.ToString();
    }

    /// <summary>Compiles and runs the blocks in F#.</summary>
    /// <param name="page">The page's name, for errors.</param>
    /// <param name="blocks">Its blocks.</param>
    /// <param name="references">The names of the assemblies that it uses.</param>
    /// <returns>What the program wrote.</returns>
    /// <exception cref="InvalidOperationException">They do not compile, or fail.</exception>
    public static string RunFSharp(string page, IEnumerable<CodeBlock> blocks, IEnumerable<string> references)
    {
        using var session = new CellSession();
        var output = new Recorder();
        void Run(string code)
        {
            CellEnd end = session.Execute(code, CellLanguage.FSharp, output, CancellationToken.None);
            if (end != CellEnd.Succeeded)
            {
                throw new InvalidOperationException(FormattableString.Invariant(
                    $"{page}({output.Failure?.Line}): {string.Join('\n', output.Failure?.Traceback ?? [end.ToString()])}"));
            }
        }

        Run(string.Concat(references.Select(r => $"#r \"{r}.dll\"\n")));
        var program = new StringBuilder();
        int line = 1;
        foreach (CodeBlock block in blocks)
        {
            // Each at its line of the page.
            program.Append('\n', block.Line - line).Append(block.Text);
            line = block.Line + block.Text.Count(c => c == '\n');
        }

        Run(program.ToString());
        return output.Out.ToString();
    }

    /// <summary>Usings, then statements, then types, each under its line of the page.</summary>
    private static string Compose(string page, IEnumerable<CodeBlock> blocks)
    {
        StringBuilder usings = new(), statements = new(), types = new();
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (CodeBlock block in blocks)
        {
            CompilationUnitSyntax unit = CSharpSyntaxTree.ParseText(block.Text).GetCompilationUnitRoot();
            foreach (SyntaxNode node in unit.ChildNodes())
            {
                // A page may say again where a name comes from.
                if (node is UsingDirectiveSyntax && !used.Add(node.ToString()))
                {
                    continue;
                }

                StringBuilder part = node is UsingDirectiveSyntax ? usings : node is GlobalStatementSyntax ? statements : types;
                int line = block.Line + node.GetLocation().GetLineSpan().StartLinePosition.Line;
                part.Append(CultureInfo.InvariantCulture, $"#line {line} \"{page}\"\n{node}\n");
            }
        }

        return usings.Append(statements).Append(types).ToString();
    }

    private static string GetMappedText(this Diagnostic problem)
    {
        FileLinePositionSpan place = problem.Location.GetMappedLineSpan();
        return FormattableString.Invariant(
            $"{place.Path}({place.StartLinePosition.Line + 1}): {problem.Id}: {problem.GetMessage(CultureInfo.InvariantCulture)}");
    }
}
