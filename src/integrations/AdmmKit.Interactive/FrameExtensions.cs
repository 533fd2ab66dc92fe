using System.Reflection;
using AdmmKit.Notebooks;
using Deedle;

namespace AdmmKit.Interactive;

/// <summary>Rows and tables as frames of Deedle.</summary>
public static class FrameExtensions
{
    private static readonly MethodInfo TypedColumn =
        typeof(FrameExtensions).GetMethod(nameof(Column), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <summary>
    /// Rows as a frame: the columns of <see cref="Table.Of{T}"/>, one a property, each of the property's type; row keys count from 0.
    /// </summary>
    /// <remarks>
    /// Null and NaN are missing values, as everywhere in Deedle. A property that is a record or a list stays one value; Deedle's
    /// <c>ExpandColumns</c> takes it apart.
    /// </remarks>
    /// <typeparam name="T">The row: a record, an anonymous type or a tuple.</typeparam>
    /// <param name="rows">The rows; all of them are read.</param>
    public static Frame<int, string> ToFrame<T>(this IEnumerable<T> rows)
    {
        Table table = Table.Of(rows);
        return FrameOf(table, table.Headers, name => Declared(typeof(T), name));
    }

    /// <summary>A table as a frame. Columns of numbers of one kind have its type; row keys count from 0.</summary>
    /// <remarks>Of headers that stand there twice, the second has " (2)" behind it: in a frame each column has a name of its own.</remarks>
    /// <param name="table">The table; all its rows are taken, also those that it does not show.</param>
    public static Frame<int, string> ToFrame(this Table table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return FrameOf(table, Distinct(table.Headers), _ => null);
    }

    private static Frame<int, string> FrameOf(Table table, IReadOnlyList<string> names, Func<string, Type?> declared)
    {
        Frame<int, string> frame = Frame.FromRowKeys(Enumerable.Range(0, table.Rows.Count));
        foreach ((int c, string name) in names.Index())
        {
            object?[] values = [.. table.Rows.Select(r => r[c].Value)];
            frame.AddColumn(name, (ISeries<int>)TypedColumn.MakeGenericMethod(TypeOf(values, declared(name))).Invoke(null, [values])!);
        }

        return frame;
    }

    private static Series<int, T> Column<T>(object?[] values) =>
        values.Select((v, i) => KeyValuePair.Create(i, v is T t ? new OptionalValue<T>(t) : OptionalValue<T>.Missing)).ToSparseSeries();

    /// <summary>
    /// The declared type where all values are of it (what a property throws stands in place of its value), else what they have in common.
    /// </summary>
    private static Type TypeOf(object?[] values, Type? declared)
    {
        Type[] types = [.. values.OfType<object>().Select(v => v.GetType()).Distinct()];
        return declared is not null && types.All(declared.IsAssignableFrom) ? declared
            : types.Length == 1 ? types[0]
            : typeof(object);
    }

    private static Type? Declared(Type row, string name)
    {
        const BindingFlags Visible = BindingFlags.Public | BindingFlags.Instance;
        Type? type = row.GetProperties(Visible).FirstOrDefault(p => p.Name == name)?.PropertyType ?? row.GetField(name, Visible)?.FieldType;
        return type is null || type.IsByRefLike ? null : Nullable.GetUnderlyingType(type) ?? type;
    }

    private static List<string> Distinct(IReadOnlyList<string> names)
    {
        var distinct = new List<string>();
        foreach (string name in names)
        {
            string own = name;
            for (int n = 2; distinct.Contains(own); n++)
            {
                own = FormattableString.Invariant($"{name} ({n})");
            }

            distinct.Add(own);
        }

        return distinct;
    }
}
