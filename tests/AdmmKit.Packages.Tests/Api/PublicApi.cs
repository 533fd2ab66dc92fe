using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Generics = Microsoft.CodeAnalysis.SymbolDisplayGenericsOptions;
using Members = Microsoft.CodeAnalysis.SymbolDisplayMemberOptions;
using Other = Microsoft.CodeAnalysis.SymbolDisplayMiscellaneousOptions;
using Parameters = Microsoft.CodeAnalysis.SymbolDisplayParameterOptions;

namespace AdmmKit.Packages.Tests.Api;

/// <summary>
/// What users of an assembly can see, one line a type or member, in the words of C#: what any of them depends on is in its line, so a
/// line that is gone or changed is a change that may break them.
/// </summary>
internal static class PublicApi
{
    private const Generics AllGenerics = Generics.IncludeTypeParameters | Generics.IncludeTypeConstraints | Generics.IncludeVariance;

    // Types are named in full where they are listed, and by their own name where they are used.
    private static readonly SymbolDisplayFormat FullName = new(
        SymbolDisplayGlobalNamespaceStyle.Omitted, SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces, AllGenerics);

    private static readonly SymbolDisplayFormat Signature = new(
        SymbolDisplayGlobalNamespaceStyle.Omitted,
        SymbolDisplayTypeQualificationStyle.NameAndContainingTypes,
        AllGenerics,
        Members.IncludeParameters | Members.IncludeModifiers | Members.IncludeConstantValue | Members.IncludeRef,
        SymbolDisplayDelegateStyle.NameOnly,
        SymbolDisplayExtensionMethodStyle.StaticMethod,
        Parameters.IncludeExtensionThis | Parameters.IncludeParamsRefOut | Parameters.IncludeType | Parameters.IncludeName
            | Parameters.IncludeDefaultValue,
        SymbolDisplayPropertyStyle.ShowReadWriteDescriptor,
        miscellaneousOptions: Other.UseSpecialTypes | Other.IncludeNullableReferenceTypeModifier | Other.AllowDefaultLiteral
            | Other.EscapeKeywordIdentifiers);

    /// <summary>The lines of an assembly.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <param name="others">What it may reference.</param>
    public static IReadOnlyList<string> Lines(MetadataReference assembly, IEnumerable<MetadataReference> others)
    {
        var compilation = CSharpCompilation.Create("reader", references: others.Prepend(assembly));
        var symbol = (IAssemblySymbol)compilation.GetAssemblyOrModuleSymbol(assembly)!;
        return [.. TypesOf(symbol.GlobalNamespace).OrderBy(t => t.ToDisplayString(FullName), StringComparer.Ordinal).SelectMany(OfType)];
    }

    /// <summary>The same as the text of a file.</summary>
    public static string Text(IReadOnlyList<string> lines) => string.Concat(lines.Select(l => l + "\n"));

    /// <summary>What changed, in words; null if nothing did.</summary>
    /// <param name="name">The assembly.</param>
    /// <param name="committed">The lines of its file.</param>
    /// <param name="actual">Its lines as it is built.</param>
    /// <param name="howToAccept">What to do if the change is meant.</param>
    public static string? Difference(string name, IReadOnlyList<string> committed, IReadOnlyList<string> actual, string howToAccept)
    {
        List<(string Type, string Line)> before = Placed(committed), after = Placed(actual);
        string[] changes =
        [
            .. before.Except(after).Select(l => $"  gone, which breaks those who use it: {l.Type}: {l.Line}"),
            .. from l in after.Except(before)
               select (Owes(l, before) ? "  new, which breaks those who implement or create it: " : "  new: ") + $"{l.Type}: {l.Line}",
        ];
        return changes.Length > 0 ? string.Join('\n', [$"The public API of {name} is not the one that is listed.", .. changes, howToAccept])
            : committed.SequenceEqual(actual) ? null
            : $"{name}: the same lines in another order. {howToAccept}";
    }

    /// <summary>Each line with the type whose line it is.</summary>
    private static List<(string Type, string Line)> Placed(IReadOnlyList<string> lines)
    {
        var placed = new List<(string, string)>();
        string type = "";
        foreach (string line in lines)
        {
            type = line.StartsWith(' ') ? type : line.Split(" : ")[0];
            placed.Add((type, line.Trim()));
        }

        return placed;
    }

    /// <summary>Whether a new member is one that types or objects must have that others have written before.</summary>
    private static bool Owes((string Type, string Line) added, List<(string Type, string Line)> before) =>
        before.Any(l => l.Type == added.Type)
        && added.Line.Split(' ') is var words
        && (words.Any(w => w is "abstract" or "required")
            || (added.Type.StartsWith("interface ", StringComparison.Ordinal)
                && words[0] is not ("default" or "static" or "const" or "interface")));

    private static IEnumerable<INamedTypeSymbol> TypesOf(INamespaceOrTypeSymbol container)
    {
        foreach (INamespaceOrTypeSymbol member in container.GetMembers().OfType<INamespaceOrTypeSymbol>())
        {
            if (member is INamedTypeSymbol type)
            {
                if (!IsVisible(type))
                {
                    continue;
                }

                yield return type;
            }

            foreach (INamedTypeSymbol inner in TypesOf(member))
            {
                yield return inner;
            }
        }
    }

    private static IEnumerable<string> OfType(INamedTypeSymbol type)
    {
        if (type.TypeKind == TypeKind.Delegate)
        {
            IMethodSymbol call = type.DelegateInvokeMethod!;
            string parameters = string.Join(", ", call.Parameters.Select(p => p.ToDisplayString(Signature)));
            return [$"delegate {type.ToDisplayString(FullName)}({parameters}) -> {call.ReturnType.ToDisplayString(Signature)}"];
        }

        INamedTypeSymbol?[] above =
        [
            type.TypeKind == TypeKind.Class && type.BaseType!.SpecialType != SpecialType.System_Object ? type.BaseType : null,
            // That a record equals others of its kind goes without saying.
            .. type.Interfaces.Where(i => IsVisible(i) && !(type.IsRecord && i.Name == "IEquatable"))
                .OrderBy(i => i.ToDisplayString(Signature), StringComparer.Ordinal),
        ];
        string list = string.Join(", ", above.OfType<INamedTypeSymbol>().Select(t => t.ToDisplayString(Signature)));
        return
        [
            $"{Kind(type)} {type.ToDisplayString(FullName)}" + (list.Length == 0 ? "" : " : " + list),
            .. type.GetMembers().Where(IsListed).Select(Member).Order(StringComparer.Ordinal),
        ];
    }

    private static string Kind(INamedTypeSymbol type)
    {
        string word = type.TypeKind switch
        {
            TypeKind.Interface => "interface",
            TypeKind.Enum => "enum",
            TypeKind.Struct => (type.IsReadOnly ? "readonly " : "") + (type.IsRefLikeType ? "ref " : "") + "struct",
            _ => (type.IsStatic ? "static " : type.IsSealed ? "sealed " : type.IsAbstract ? "abstract " : "")
                + (type.IsRecord ? "record" : "class"),
        };
        return Access(type) + word;
    }

    private static string Member(ISymbol member)
    {
        ITypeSymbol? type = member switch
        {
            IMethodSymbol { MethodKind: MethodKind.Constructor } => null,
            IMethodSymbol method => method.ReturnType,
            IPropertySymbol property => property.Type,
            IFieldSymbol { ContainingType.TypeKind: not TypeKind.Enum } field => field.Type,
            IEventSymbol e => e.Type,
            _ => null,
        };
        string body = member is { ContainingType.TypeKind: TypeKind.Interface, IsAbstract: false, IsStatic: false } ? "default " : "";
        string result = type is null ? "" : $" -> {type.ToDisplayString(Signature)}";
        return $"  {Access(member)}{body}{member.ToDisplayString(Signature)}{result}";
    }

    private static string Access(ISymbol symbol) => symbol.DeclaredAccessibility == Accessibility.Public ? "" : "protected ";

    // What the compiler writes for a record follows from its other lines; accessors are in the lines of their properties.
    private static bool IsListed(ISymbol member) =>
        IsVisible(member)
        && member is { IsImplicitlyDeclared: false } and not INamedTypeSymbol
        && member is not IMethodSymbol { AssociatedSymbol: not null }
        && !member.GetAttributes().Any(a => a.AttributeClass?.Name == "CompilerGeneratedAttribute");

    private static bool IsVisible(ISymbol symbol) => symbol.DeclaredAccessibility switch
    {
        Accessibility.Public => true,
        Accessibility.Protected or Accessibility.ProtectedOrInternal => symbol.ContainingType is { IsSealed: false },
        _ => false,
    };
}
