using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace AdmmKit.Notebooks;

/// <summary>Shows any object, whatever it is: bounded, in the invariant culture, and without letting its faults out.</summary>
public static class Displays
{
    /// <summary>Rows of a sequence that are shown; a table made by hand is shown whole.</summary>
    public const int ShownRows = 100;

    /// <summary>The most characters of text that are shown of one object.</summary>
    public const int ShownCharacters = 100_000;

    private const int ShownInCell = 300, ShownItems = 100;

    /// <summary>
    /// All forms of an object: of an <see cref="IDisplayable"/> its own, of a sequence of records or a dictionary a table of its
    /// first rows, of a record a table of its properties, of anything else its text.
    /// </summary>
    /// <param name="value">The object, or null.</param>
    public static MimeBundle BundleOf(object? value)
    {
        try
        {
            return value switch
            {
                MimeBundle bundle => bundle,
                IDisplayable displayable => displayable.ToBundle(),
                string text => MimeBundle.OfText(Bounded(text, ShownCharacters)),
                IEnumerable sequence => OfSequence(sequence),
                _ when IsRecord(value) => OfRecord(value!),
                _ => MimeBundle.OfText(TextOf(value, ShownCharacters)),
            };
        }
        catch (Exception e)
        {
            // It is other people's code that runs here; what it throws is shown where its value would be.
            return MimeBundle.OfText(Bounded(Fault(value, e), ShownCharacters));
        }
    }

    /// <summary>A value as text, invariant and bounded.</summary>
    internal static string TextOf(object? value, int most = ShownInCell)
    {
        try
        {
            return Bounded(value switch
            {
                null => "null",
                string s => s,
                Exception e => $"{e.GetType().Name}: {e.Message}",
                IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
                IEnumerable sequence and not IDisplayable => List(sequence, most),
                _ => Invariant(value),
            }, most);
        }
        catch (Exception e)
        {
            return Bounded(Fault(value, e), most);
        }
    }

    /// <summary>Whether an object is a row of a table: made of properties, and not a value or a part of the system.</summary>
    internal static bool IsRow(object? value)
    {
        Type? type = value?.GetType();
        return type is not null && !type.IsPrimitive && !type.IsEnum && value is not (string or IEnumerable or IDisplayable or IFormattable)
            && (value is DictionaryEntry or ITuple || IsPair(type) || !OfSystem(type)) && TableColumns.Of(type).Count > 0;
    }

    private static MimeBundle OfSequence(IEnumerable sequence)
    {
        var items = new List<object?>();
        bool more = false;
        foreach (object? item in sequence)
        {
            if (items.Count == ShownRows)
            {
                more = true;
                break;
            }

            items.Add(item);
        }

        if (items.Count == 0 || !items.TrueForAll(IsRow))
        {
            return MimeBundle.OfText(Bounded(Bracketed(items, more, sequence), ShownCharacters));
        }

        string? note = !more ? null : Count(sequence) is { } count
            ? FormattableString.Invariant($"The first {ShownRows} of {count} rows.")
            : FormattableString.Invariant($"The first {ShownRows} rows; there are more.");
        return (TableColumns.Table(items, null, [], typeof(object)) with { Note = note }).ToBundle();
    }

    private static MimeBundle OfRecord(object value)
    {
        object?[][] rows = [.. TableColumns.Of(value.GetType()).Select(c => new object?[] { c.Name, TextOf(c.Of(value)) })];
        return new Table(null, ["property", "value"], rows).ToBundle();
    }

    // Records and anonymous types are nothing but their properties; of other types reading them may do anything.
    private static bool IsRecord(object? value) => value?.GetType() is { } type
        && (type.GetMethod("<Clone>$") is not null || type.Name.StartsWith("<>f__AnonymousType", StringComparison.Ordinal))
        && TableColumns.Of(type).Count > 0;

    private static bool IsPair(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>);

    private static bool OfSystem(Type type) => type.Namespace?.Split('.')[0] is "System" or "Microsoft";

    private static int? Count(IEnumerable sequence) => sequence is ICollection c ? c.Count : sequence.GetType().GetInterfaces()
        .FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IReadOnlyCollection<>))
        ?.GetProperty("Count")?.GetValue(sequence) as int?;

    private static string List(IEnumerable sequence, int most)
    {
        // Each item takes some characters: no more of them are looked at than could be shown.
        int room = Math.Min(ShownItems, most);
        object?[] items = [.. sequence.Cast<object?>().Take(room + 1)];
        return Bracketed(items.Take(room), items.Length > room, sequence);
    }

    private static string Bracketed(IEnumerable<object?> items, bool more, IEnumerable sequence)
    {
        string[] texts = [.. items.Select(i => i is IEnumerable and not string ? $"{i.GetType().Name}" : TextOf(i))];
        string rest = !more ? "" : Count(sequence) is { } count ? FormattableString.Invariant($", ... {count - texts.Length} more")
            : ", ...";
        return $"[{string.Join(", ", texts)}{rest}]";
    }

    // The text of a record is put together in the culture of the moment.
    private static string Invariant(object value)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            return value.ToString() ?? "";
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static string Fault(object? value, Exception e)
    {
        Exception inner = e is TargetInvocationException { InnerException: { } i } ? i : e;
        return $"({value?.GetType().Name} cannot be shown: {inner.GetType().Name}: {inner.Message})";
    }

    /// <summary>Text in one line, of at most so many characters.</summary>
    internal static string OneLine(string text, int most = ShownInCell) =>
        Bounded(string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), most);

    internal static string Bounded(string text, int most)
    {
        if (text.Length <= most)
        {
            return text;
        }

        int end = char.IsHighSurrogate(text[most - 1]) ? most - 1 : most;
        return new StringBuilder(text, 0, end, end + 1).Append('…').ToString();
    }
}
