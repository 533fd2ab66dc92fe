using AdmmKit.Notebooks;
using FSharp.Compiler.CodeAnalysis;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.EditorServices;
using FSharp.Compiler.Interactive;
using FSharp.Compiler.Symbols;
using FSharp.Compiler.Text;
using FSharp.Compiler.Tokenization;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>What could stand in F# code, and what a name in it means, after the cells so far.</summary>
internal static class FSharpAssist
{
    /// <summary>Names that could stand where the one at a place stands.</summary>
    public static IEnumerable<string> Names(Shell.FsiEvaluationSession session, string code, int start, string prefix)
    {
        (FSharpParseFileResults parsed, FSharpCheckFileResults results, _) = session.ParseAndCheckInteraction(code, null);
        (int line, int column, string text) = Place(code, start + prefix.Length);
        PartialLongName partial = QuickParse.GetPartialLongNameEx(text, column - 1);
        DeclarationListInfo found = results.GetDeclarationListInfo(
            parsed, line, text, partial, null, null, null);
        return found.Items.Select(i => i.NameInList).Where(n => n.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            .Distinct().Order(StringComparer.Ordinal);
    }

    /// <summary>Signature and documentation of the name at a place, or null.</summary>
    public static MimeBundle? Describe(Shell.FsiEvaluationSession session, string code, int position)
    {
        (int line, int column, string text) = Place(code, position);
        FSharpOption<Tuple<string, int, bool>>? island = QuickParse.GetCompleteIdentifierIsland(false, text, column);
        if (island is null)
        {
            return null;
        }

        FSharpCheckFileResults results = session.ParseAndCheckInteraction(code, null).Item2;
        ToolTipText tip = results.GetToolTip(line, island.Value.Item2, text, ListModule.OfSeq(island.Value.Item1.Split('.')), FSharpTokenTag.Identifier, null);
        ToolTipElementData? data = tip.Item.OfType<ToolTipElement.Group>().SelectMany(g => g.elements).FirstOrDefault();
        return data is null ? null : CSharpAssist.Bundle(data.MainDescription.Text, Documentation(data.XmlDoc));
    }

    /// <summary>Whether code is whole.</summary>
    public static Completeness Check(Shell.FsiEvaluationSession session, string code)
    {
        FSharpDiagnostic[] errors = [.. session.ParseAndCheckInteraction(code, null).Item1.Diagnostics.Where(d => d.Severity.IsError)];
        if (errors.Length == 0)
        {
            return Completeness.Complete;
        }

        // Brackets and constructs that are open at the end are told at their beginning, or at the end of the code.
        int lines = code.TrimEnd().Split('\n').Length;
        return Array.Exists(errors, e => e.EndLine >= lines || e.Message.Contains("Unmatched", StringComparison.Ordinal))
            ? Completeness.Incomplete
            : Completeness.Invalid;
    }

    private static string Documentation(FSharpXmlDoc doc) =>
        doc is FSharpXmlDoc.FromXmlFile { dllName: var file, xmlSig: var id } ? XmlDocs.Text(new XmlDocs(file).Find(id)) : "";

    // Line from 1, column from 0, and the line itself, as the compiler's services count.
    private static (int Line, int Column, string Text) Place(string code, int position)
    {
        int start = position == 0 ? 0 : code.LastIndexOf('\n', position - 1) + 1;
        int end = code.IndexOf('\n', position);
        return (code.AsSpan(0, position).Count('\n') + 1, position - start, code[start..(end < 0 ? code.Length : end)]);
    }
}
