using System.Globalization;

namespace AdmmKit.Interactive;

/// <summary>A value of a frame as a property wants it.</summary>
internal static class FrameValue
{
    /// <summary>Converts a value where nothing is lost by it.</summary>
    /// <param name="value">The value; null where it is missing.</param>
    /// <param name="type">What the property is.</param>
    /// <param name="converted">The value as that.</param>
    /// <returns>Whether it could be.</returns>
    public static bool TryConvert(object? value, Type type, out object? converted)
    {
        Type own = Nullable.GetUnderlyingType(type) ?? type;
        converted = value;
        if (value is null)
        {
            // Deedle has no NaN beside its missing values.
            converted = type == typeof(double) ? double.NaN : type == typeof(float) ? float.NaN : null;
            return converted is not null || !type.IsValueType || own != type;
        }

        if (own.IsInstanceOfType(value))
        {
            return true;
        }

        try
        {
            converted = own.IsEnum ? Enumeration(value, own) : Simple(value, own);
            return converted is not null;
        }
        catch (Exception e) when (e is FormatException or InvalidCastException or OverflowException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>A value for a message.</summary>
    public static string Text(object? value) =>
        value is null ? "no value" : $"'{Convert.ToString(value, CultureInfo.InvariantCulture)}' ({value.GetType().Name})";

    /// <summary>A type for a message.</summary>
    public static string Name(Type type) => Nullable.GetUnderlyingType(type) is { } own ? $"{own.Name} or nothing" : type.Name;

    private static object? Enumeration(object value, Type type) => value is string name
        ? Enum.Parse(type, name)
        : Enum.ToObject(type, value) is var e && Enum.IsDefined(type, e) ? e : null;

    private static object? Simple(object value, Type type)
    {
        object converted = Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
        // 2.5 is no whole number, and rounding it would hide that.
        return value is string || converted is string or float
            || Convert.ToDouble(converted, CultureInfo.InvariantCulture) == Convert.ToDouble(value, CultureInfo.InvariantCulture)
            ? converted : null;
    }
}
