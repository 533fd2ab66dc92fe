using System.Collections.Concurrent;
using System.Reflection;

namespace AdmmKit.Notebooks;

/// <summary>One column of a table of records: a property, or a field of a tuple.</summary>
internal sealed record TableColumn(string Name, Func<object, object?> Read)
{
    /// <summary>The value; what reading it throws stands in its place.</summary>
    public object? Of(object record)
    {
        try
        {
            return Read(record);
        }
        catch (TargetInvocationException e)
        {
            return $"({e.InnerException?.GetType().Name})";
        }
    }
}

/// <summary>Which columns records have.</summary>
internal static class TableColumns
{
    private const BindingFlags Visible = BindingFlags.Public | BindingFlags.Instance;

    private static readonly ConcurrentDictionary<Type, IReadOnlyList<TableColumn>> Known = new();

    /// <summary>The readable public properties in the order of their declaration, those of base types first.</summary>
    public static IReadOnlyList<TableColumn> Of(Type type) => Known.GetOrAdd(type, Find);

    /// <summary>A table of records, null among them allowed.</summary>
    public static Table Table(IReadOnlyList<object?> records, string? title, IReadOnlyList<string> names, Type declared)
    {
        Type[] types = [.. records.OfType<object>().Select(r => r.GetType()).DefaultIfEmpty(declared).Distinct()];
        // Without a record their declared type says what there would be.
        IReadOnlyList<TableColumn> all = !records.All(r => r is null || Displays.IsRow(r)) ? [new("value", r => r)]
            : types.Length == 1 ? Of(types[0])
            : [.. types.SelectMany(Of).Select(c => c.Name).Distinct().Select(Mixed)];
        TableColumn[] columns = names.Count == 0 ? [.. all] : [.. names.Select(n => all.FirstOrDefault(c => c.Name == n)
            ?? throw new AdmmKitException(Names.Unknown("column", n, [.. all.Select(c => c.Name)])))];
        object?[][] rows = [.. records.Select(r => columns.Select(c => r is null ? null : c.Of(r)).ToArray())];
        return new Table(title, [.. columns.Select(c => c.Name)], rows);
    }

    private static TableColumn Mixed(string name) => new(name, r => Of(r.GetType()).FirstOrDefault(c => c.Name == name)?.Of(r));

    private static List<TableColumn> Find(Type type)
    {
        IEnumerable<PropertyInfo> properties = type.GetProperties(Visible)
            .Where(p => p.CanRead && p.GetMethod!.IsPublic && p.GetIndexParameters().Length == 0 && !p.PropertyType.IsByRefLike)
            .OrderBy(p => Depth(p.DeclaringType)).ThenBy(p => p.MetadataToken);
        bool tuple = type.IsGenericType && type.FullName!.StartsWith("System.ValueTuple`", StringComparison.Ordinal);
        return tuple
            ? [.. type.GetFields(Visible).Select(f => new TableColumn(f.Name, f.GetValue))]
            : [.. properties.DistinctBy(p => p.Name).Select(p => new TableColumn(p.Name, p.GetValue))];
    }

    private static int Depth(Type? type) => type is null ? 0 : 1 + Depth(type.BaseType);
}
