using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using AdmmKit.Jupyter.Files;
using AdmmKit.Jupyter.Sessions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace AdmmKit.Jupyter.Running;

/// <summary>New values for the variables that the cell tagged <c>parameters</c> declares: a cell behind it that sets them.</summary>
internal static partial class NotebookParameters
{
    // A variable, its declared type where it has one, what it is set to, and the words that give it another value.
    private sealed record Declared(string Name, string Type, string Value, string? Assignment);

    /// <summary>Adds the cell.</summary>
    /// <exception cref="AdmmKitException">No such cell, no such variable, or a value of another type.</exception>
    public static void Inject(NotebookFile notebook, IReadOnlyList<KeyValuePair<string, string>> values)
    {
        if (values.Count == 0)
        {
            return;
        }

        NotebookCell cell = notebook.Cells.FirstOrDefault(c => c.IsCode && c.Tags.Contains(NotebookCell.ParametersTag))
            ?? throw new AdmmKitException(
                $"'{notebook.Name}' has no cell tagged '{NotebookCell.ParametersTag}', so --set has nothing to change. Tag the cell that declares the variables.");
        CellSource source = new("parameters", cell.Source);
        // The cell's own directive may choose its language.
        CellLanguage language = CellSteps.Of(source, cell.Language(notebook.Language)).OfType<CodePart>().FirstOrDefault()?.Language
            ?? cell.Language(notebook.Language);
        bool isCSharp = language == CellLanguage.CSharp;
        Dictionary<string, Declared> declared = (isCSharp ? InCSharp(cell.Source) : InFSharp(cell.Source))
            .GroupBy(d => d.Name).ToDictionary(g => g.Key, g => g.Last());
        var code = new StringBuilder(cell.Source.StartsWith("#!", StringComparison.Ordinal) ? cell.Source.Split('\n')[0] + "\n" : "");
        foreach ((string name, string value) in values)
        {
            if (!declared.TryGetValue(name, out Declared? variable))
            {
                throw new AdmmKitException($"'{notebook.Name}': " + Names.Unknown("parameter", name, declared.Keys));
            }

            string assignment = variable.Assignment
                ?? throw new AdmmKitException($"'{notebook.Name}': '{name}' is a constant, which --set cannot change. Declare it as a variable.");
            code.Append(assignment).Append(Literal(variable, value, isCSharp)).Append(isCSharp ? ";\n" : "\n");
        }

        notebook.Inject(cell, code.ToString().TrimEnd('\n'), NotebookCell.InjectedTag);
    }

    private static IEnumerable<Declared> InCSharp(string source)
    {
        // Commands are no C#; in a script, a line that begins with #! is one only at the very top.
        string code = string.Join('\n', source.Split('\n').Select(l => Directive.Parse(l, 1) is null ? l : ""));
        SyntaxNode root = CSharpSyntaxTree.ParseText(code, new CSharpParseOptions(LanguageVersion.Latest, kind: SourceCodeKind.Script)).GetRoot();
        return from declaration in root.DescendantNodes().OfType<VariableDeclarationSyntax>()
               from variable in declaration.Variables
               where variable.Initializer is not null
               let name = variable.Identifier.Text
               let isConstant = declaration.Parent!.ChildTokens().Any(t => t.IsKind(SyntaxKind.ConstKeyword) || t.IsKind(SyntaxKind.ReadOnlyKeyword))
               select new Declared(
                   name, declaration.Type.ToString().TrimEnd('?'), variable.Initializer!.Value.ToString(), isConstant ? null : $"{name} = ");
    }

    private static IEnumerable<Declared> InFSharp(string source) =>
        FSharpLet().Matches(source).Select(m => new Declared(
            m.Groups["name"].Value, m.Groups["type"].Value.Trim(), m.Groups["value"].Value.Trim(),
            m.Groups["mutable"].Success ? $"{m.Groups["name"].Value} <- " : $"let {m.Groups["name"].Value} = "));

    /// <summary>The value as its language writes one of the declared type.</summary>
    private static string Literal(Declared variable, string value, bool isCSharp)
    {
        (string type, string now) = (variable.Type, variable.Value);
        if (type is "string" or "String" || now.StartsWith('"') || now.StartsWith("@\"", StringComparison.Ordinal))
        {
            return SymbolDisplay.FormatLiteral(value, quote: true);
        }

        if (type is "bool" || now is "true" or "false")
        {
            return bool.TryParse(value, out bool flag) ? (flag ? "true" : "false") : throw Bad(variable, value, "true or false");
        }

        Match number = Number().Match(now);
        if (!number.Success)
        {
            // An expression, such as a list: what is given has to be one, too.
            return value;
        }

        // A type may ask for a suffix that a whole number in its place did not need.
        string suffix = number.Groups["suffix"].Value is { Length: > 0 } own ? own
            : type is "float32" or "single" or "Single" || (isCSharp && type is "float") ? "f"
            : type is "decimal" or "Decimal" ? "m"
            : "";
        bool isWhole = !number.Value.Contains('.', StringComparison.Ordinal) && !number.Value.Contains('e', StringComparison.OrdinalIgnoreCase)
            && suffix is not ("f" or "F" or "d" or "D" or "m" or "M") && type is not ("double" or "Double" or "float");
        if (isWhole)
        {
            return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole)
                ? whole.ToString(CultureInfo.InvariantCulture) + suffix
                : throw Bad(variable, value, "a whole number");
        }

        if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) || !double.IsFinite(real))
        {
            throw Bad(variable, value, "a number");
        }

        string text = real.ToString("R", CultureInfo.InvariantCulture);
        return (text.AsSpan().IndexOfAny('.', 'E') >= 0 ? text : text + ".0") + suffix;
    }

    private static AdmmKitException Bad(Declared variable, string value, string expected) =>
        new($"--set {variable.Name}={value}: '{variable.Name}' is {expected} (now {variable.Value}).");

    [GeneratedRegex(@"^let\s+(?<mutable>mutable\s+)?(?<name>\w+)\s*(:\s*(?<type>[^=]+))?=\s*(?<value>[^\r\n]*?)\s*(//.*)?$", RegexOptions.Multiline)]
    private static partial Regex FSharpLet();

    [GeneratedRegex(@"^-?[\d_]+(\.[\d_]*)?([eE][-+]?\d+)?(?<suffix>[a-zA-Z]{0,2})$")]
    private static partial Regex Number();
}
