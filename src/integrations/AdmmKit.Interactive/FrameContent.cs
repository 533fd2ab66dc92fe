using System.Globalization;
using System.Reflection;
using AdmmKit.Notebooks;
using Deedle;

namespace AdmmKit.Interactive;

/// <summary>
/// What a frame holds, whatever its keys are of: names of the columns, and their values as objects, null where one is missing.
/// </summary>
internal sealed class FrameContent : IFrameOperation<FrameContent>
{
    private IReadOnlyList<object> keys = [];
    private IReadOnlyList<string> names = [];
    private Func<int, int, object?> valueAt = (_, _) => null;

    /// <summary>Reads a frame; its values are read when they are asked for.</summary>
    public static FrameContent Of(IFrame frame) => frame.Apply(new FrameContent());

    /// <inheritdoc/>
    public FrameContent Invoke<TRow, TColumn>(Frame<TRow, TColumn> frame)
        where TRow : notnull
        where TColumn : notnull
    {
        Series<TRow, object>[] columns = [.. frame.ColumnKeys.Select(frame.GetColumn<object>)];
        return new FrameContent
        {
            keys = [.. frame.RowKeys.Cast<object>()],
            names = [.. frame.ColumnKeys.Select(k => Convert.ToString(k, CultureInfo.InvariantCulture) ?? "")],
            valueAt = (row, column) => columns[column].TryGetAt(row) is { HasValue: true } value ? value.Value : null,
        };
    }

    /// <summary>As <see cref="FrameRecords.ToTable"/>.</summary>
    public Table ToTable(string? title, int most)
    {
        bool numbered = keys.Index().All(k => k.Item is int number && number == k.Index);
        int shown = Math.Min(most, keys.Count);
        IEnumerable<string> headers = numbered ? names : names.Prepend("");
        IEnumerable<object?> Cells(int row) => names.Select((_, c) => valueAt(row, c));
        object?[][] rows = [.. Enumerable.Range(0, shown).Select(r => (numbered ? Cells(r) : Cells(r).Prepend(keys[r])).ToArray())];
        return new Table(title, [.. headers], rows)
        {
            Note = shown == keys.Count ? null : FormattableString.Invariant($"The first {shown} of {keys.Count} rows."),
        };
    }

    /// <summary>As <see cref="FrameRecords.ToRecords{T}"/>.</summary>
    public IReadOnlyList<T> ToRecords<T>()
    {
        (ConstructorInfo constructor, IReadOnlyList<Source> parameters, IReadOnlyList<(PropertyInfo, Source)> properties) =
            SourcesOf(typeof(T));
        return [.. Enumerable.Range(0, keys.Count).Select(Record)];

        T Record(int row)
        {
            try
            {
                object record = constructor.Invoke([.. parameters.Select(p => p.Read(this, row))]);
                foreach ((PropertyInfo property, Source source) in properties)
                {
                    property.SetValue(record, source.Read(this, row));
                }

                return (T)record;
            }
            catch (TargetInvocationException e)
            {
                Exception inner = e.InnerException ?? e;
                throw new AdmmKitException(
                    FormattableString.Invariant($"Row {row} (from 0) makes no {typeof(T).Name}: {inner.Message}"), inner);
            }
        }
    }

    /// <summary>Where the value of a parameter or property comes from: a column, or a default where there is none.</summary>
    private sealed record Source(string Name, Type Type, int Column, object? Default, bool NeverNull)
    {
        public object? Read(FrameContent content, int row)
        {
            if (Column < 0)
            {
                return Default;
            }

            // Files of comma-separated values know no difference between empty text and none.
            object? value = content.valueAt(row, Column) ?? (NeverNull && Type == typeof(string) ? "" : null);
            return FrameValue.TryConvert(value, Type, out object? converted) ? converted : throw new AdmmKitException(
                FormattableString.Invariant($"Row {row} (from 0) of the frame has {FrameValue.Text(value)} in column '{Name}', ")
                + $"where {FrameValue.Name(Type)} is needed.");
        }
    }

    private (ConstructorInfo, IReadOnlyList<Source> Parameters, IReadOnlyList<(PropertyInfo, Source)> Properties) SourcesOf(Type type)
    {
        const BindingFlags Visible = BindingFlags.Public | BindingFlags.Instance;
        PropertyInfo[] properties = type.GetProperties(Visible);
        string[] members = [.. properties.Select(p => p.Name), .. type.GetFields(Visible).Select(f => f.Name)];
        ConstructorInfo constructor = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length)
            .FirstOrDefault(c => c.GetParameters().All(p => members.Contains(p.Name, StringComparer.OrdinalIgnoreCase)))
            ?? throw new AdmmKitException($"{type.Name} is no record: it has no public constructor that takes its properties.");
        ParameterInfo[] parameters = constructor.GetParameters();
        return (constructor, [.. parameters.Select(Source)],
        [
            .. from p in properties
               where p.SetMethod is { IsPublic: true } && names.Contains(p.Name) && !parameters.Any(q => q.Name == p.Name)
               select (p, new Source(p.Name, p.PropertyType, ColumnOf(p.Name), null, NeverNull(new NullabilityInfoContext().Create(p)))),
        ]);

        Source Source(ParameterInfo p)
        {
            int column = ColumnOf(p.Name!);
            return column >= 0 || p.HasDefaultValue
                ? new Source(p.Name!, p.ParameterType, column, p.DefaultValue, NeverNull(new NullabilityInfoContext().Create(p)))
                : throw new AdmmKitException($"{type.Name} needs it: {Names.Unknown("column", p.Name!, [.. names])}");
        }
    }

    private static bool NeverNull(NullabilityInfo member) => member.WriteState == NullabilityState.NotNull;

    private int ColumnOf(string name)
    {
        int exact = names.Index().Where(n => n.Item == name).Select(n => n.Index).FirstOrDefault(-1);
        return exact >= 0 ? exact : names.Index()
            .Where(n => string.Equals(n.Item, name, StringComparison.OrdinalIgnoreCase)).Select(n => n.Index).FirstOrDefault(-1);
    }
}
