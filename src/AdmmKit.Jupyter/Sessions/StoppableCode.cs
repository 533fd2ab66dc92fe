using System.Text;
using AdmmKit.Jupyter.Cells;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>
/// C# code that can be stopped: calls of <see cref="CellStop"/> at the head of each loop and function, behind labels, and around
/// what is awaited. They stand on the lines that are there, so that lines keep their numbers.
/// </summary>
internal static class StoppableCode
{
    private static readonly string Check = $" global::{typeof(CellStop).FullName}.{nameof(CellStop.Check)}(); ";
    private static readonly string Await = $" global::{typeof(CellStop).FullName}.{nameof(CellStop.Await)}(";

    /// <summary>The same code with the calls in it.</summary>
    public static string Of(string code)
    {
        var insertions = new List<(int At, string Text)>();
        SyntaxNode root = CSharpSyntaxTree.ParseText(code, new CSharpParseOptions(LanguageVersion.Latest, kind: SourceCodeKind.Script)).GetRoot();
        foreach (SyntaxNode node in root.DescendantNodes())
        {
            StatementSyntax? body = node switch
            {
                WhileStatementSyntax loop => loop.Statement,
                DoStatementSyntax loop => loop.Statement,
                ForStatementSyntax loop => loop.Statement,
                CommonForEachStatementSyntax loop => loop.Statement,
                BaseMethodDeclarationSyntax method => method.Body,
                AccessorDeclarationSyntax accessor => accessor.Body,
                LocalFunctionStatementSyntax function => function.Body,
                AnonymousFunctionExpressionSyntax function => function.Block,
                _ => null,
            };
            if (body is BlockSyntax block)
            {
                insertions.Add((block.OpenBraceToken.Span.End, Check));
            }
            else if (body is not null)
            {
                insertions.Add((body.SpanStart, "{" + Check));
                insertions.Add((body.Span.End, " }"));
            }
            else if (node is LabeledStatementSyntax label)
            {
                insertions.Add((label.ColonToken.Span.End, Check));
            }
            else if (node is AwaitExpressionSyntax awaited)
            {
                insertions.Add((awaited.AwaitKeyword.Span.End, Await));
                insertions.Add((awaited.Expression.Span.End, ")"));
            }
        }

        var text = new StringBuilder(code.Length);
        int done = 0;
        foreach ((int at, string inserted) in insertions.OrderBy(i => i.At))
        {
            text.Append(code, done, at - done).Append(inserted);
            done = at;
        }

        return text.Append(code, done, code.Length - done).ToString();
    }
}
