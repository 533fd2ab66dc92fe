using System.Reflection;
using Microsoft.FSharp.Core;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>How the two languages write a type.</summary>
internal static class TypeNames
{
    /// <summary>The type in a language, or null where there is no way to write it: anonymous ones, private ones, those declared in a cell.</summary>
    public static string? Of(Type type, CellLanguage language)
    {
        if (type.IsArray)
        {
            return Of(type.GetElementType()!, language) is { } element ? $"{element}[{new string(',', type.GetArrayRank() - 1)}]" : null;
        }

        if (type.IsPointer || type.IsByRef || !type.IsVisible || type.Assembly.IsDynamic || type.Assembly.Location.Length == 0)
        {
            return null;
        }

        // Arguments of the outer types come first among those of a nested one.
        Type[] arguments = type.GetGenericArguments();
        string root = language == CellLanguage.CSharp ? "global::" : "global.";
        string name = type.Namespace is null ? root : $"{root}{type.Namespace}.";
        int used = 0;
        foreach (Type part in Outward(type).Reverse())
        {
            string own = SourceName(part, language);
            int tick = own.IndexOf('`', StringComparison.Ordinal);
            name += tick < 0 ? own : own[..tick];
            int count = part.GetGenericArguments().Length - used;
            if (count > 0)
            {
                string?[] names = [.. arguments.Skip(used).Take(count).Select(a => Of(a, language))];
                if (names.Contains(null))
                {
                    return null;
                }

                name += $"<{string.Join(", ", names)}>";
                used += count;
            }

            name += ".";
        }

        return name.TrimEnd('.');
    }

    // FSharpList is written List in F#, and FSharpList elsewhere.
    private static string SourceName(Type type, CellLanguage language) =>
        language == CellLanguage.FSharp && type.GetCustomAttribute<CompilationSourceNameAttribute>() is { } attribute ? attribute.SourceName : type.Name;

    private static IEnumerable<Type> Outward(Type type)
    {
        for (Type? t = type; t is not null; t = t.DeclaringType)
        {
            yield return t;
        }
    }
}
