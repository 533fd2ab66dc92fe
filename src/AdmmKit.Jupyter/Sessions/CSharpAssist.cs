using System.Xml;
using System.Xml.Linq;
using AdmmKit.Notebooks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>What could stand in C# code, and what a name in it means, after the cells so far.</summary>
internal static class CSharpAssist
{
    private static readonly CSharpParseOptions ScriptCode = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);

    private static readonly string[] Keywords =
        [.. SyntaxFacts.GetKeywordKinds().Select(SyntaxFacts.GetText).Where(k => k.Length > 1).Distinct()];

    /// <summary>Names that could stand where the one at a place stands.</summary>
    /// <param name="compilation">The cell as the next one.</param>
    /// <param name="start">Where the name begins.</param>
    /// <param name="prefix">What is typed of it.</param>
    public static IEnumerable<string> Names(Compilation compilation, int start, string prefix)
    {
        SyntaxTree tree = compilation.SyntaxTrees.Single();
        SemanticModel model = compilation.GetSemanticModel(tree);
        SyntaxToken before = tree.GetRoot().FindToken(Math.Max(0, start - 1));
        IEnumerable<ISymbol> symbols;
        if (before.IsKind(SyntaxKind.DotToken) && before.Span.End <= start)
        {
            symbols = Left(before) is { } left ? Members(model, left, start) : [];
        }
        else
        {
            symbols = model.LookupSymbols(start);
        }

        IEnumerable<string> keywords = before.IsKind(SyntaxKind.DotToken) ? [] : Keywords;
        return symbols.Where(s => s.CanBeReferencedByName).Select(s => s.Name).Concat(keywords)
            .Where(n => n.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).Distinct().Order(StringComparer.Ordinal);
    }

    /// <summary>Signature and documentation of the name at a place, or null.</summary>
    public static MimeBundle? Describe(Compilation compilation, int position)
    {
        SyntaxTree tree = compilation.SyntaxTrees.Single();
        SemanticModel model = compilation.GetSemanticModel(tree);
        SyntaxToken token = tree.GetRoot().FindToken(position);
        if (!token.IsKind(SyntaxKind.IdentifierToken) && position > 0)
        {
            // The cursor stands behind the name, or behind its bracket.
            token = tree.GetRoot().FindToken(position - 1);
            token = token.IsKind(SyntaxKind.OpenParenToken) ? token.GetPreviousToken() : token;
        }

        if (token.Parent is not { } node)
        {
            return null;
        }

        SymbolInfo info = model.GetSymbolInfo(node);
        ISymbol? symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault() ?? model.GetDeclaredSymbol(node);
        return symbol is null ? null : Bundle(symbol.ToDisplayString(SymbolDisplayFormat.CSharpErrorMessageFormat.WithMemberOptions(
            SymbolDisplayMemberOptions.IncludeParameters | SymbolDisplayMemberOptions.IncludeContainingType | SymbolDisplayMemberOptions.IncludeType)
            .WithParameterOptions(SymbolDisplayParameterOptions.IncludeType | SymbolDisplayParameterOptions.IncludeName
                | SymbolDisplayParameterOptions.IncludeDefaultValue | SymbolDisplayParameterOptions.IncludeParamsRefOut)), Documentation(symbol));
    }

    /// <summary>Whether code is whole.</summary>
    public static Completeness Check(string code)
    {
        SyntaxTree tree = SyntaxFactory.ParseSyntaxTree(code, ScriptCode);
        return !SyntaxFactory.IsCompleteSubmission(tree) ? Completeness.Incomplete
            : tree.GetDiagnostics().Any(d => d.Severity == DiagnosticSeverity.Error) ? Completeness.Invalid
            : Completeness.Complete;
    }

    /// <summary>A signature and what is said about it.</summary>
    public static MimeBundle Bundle(string signature, string documentation) =>
        MimeBundle.OfText(documentation.Length == 0 ? signature : signature + "\n\n" + documentation);

    private static ExpressionSyntax? Left(SyntaxToken dot) => dot.Parent switch
    {
        MemberAccessExpressionSyntax access => access.Expression,
        QualifiedNameSyntax name => name.Left,
        MemberBindingExpressionSyntax { Parent: var parent } => parent!.AncestorsAndSelf().OfType<ConditionalAccessExpressionSyntax>().FirstOrDefault()?.Expression,
        _ => null,
    };

    private static IEnumerable<ISymbol> Members(SemanticModel model, SyntaxNode left, int position)
    {
        if (model.GetSymbolInfo(left).Symbol is INamespaceOrTypeSymbol container)
        {
            return container is ITypeSymbol
                ? model.LookupStaticMembers(position, container)
                : model.LookupNamespacesAndTypes(position, container);
        }

        return model.GetTypeInfo(left).Type is { } type
            ? model.LookupSymbols(position, type, includeReducedExtensionMethods: true).Where(s => !s.IsStatic || s.Kind == SymbolKind.Method)
            : [];
    }

    private static string Documentation(ISymbol symbol)
    {
        string? xml = symbol.GetDocumentationCommentXml();
        try
        {
            return string.IsNullOrWhiteSpace(xml) ? "" : XmlDocs.Text(XElement.Parse(xml));
        }
        catch (XmlException)
        {
            return "";
        }
    }
}
