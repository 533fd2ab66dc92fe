using System.Collections.Frozen;

namespace AdmmKit.Interop;

/// <summary>The type of a tensor's values, named as the format names it.</summary>
public enum SafetensorsType
{
    /// <summary>One byte, 0 or 1; the format's BOOL.</summary>
    Bool,

    /// <summary>Unsigned, 8 bits.</summary>
    U8,

    /// <summary>Signed, 8 bits.</summary>
    I8,

    /// <summary>Unsigned, 16 bits.</summary>
    U16,

    /// <summary>Signed, 16 bits.</summary>
    I16,

    /// <summary>Floating point, 16 bits: IEEE 754 binary16.</summary>
    F16,

    /// <summary>Floating point, 16 bits: the upper half of a float32.</summary>
    BF16,

    /// <summary>Unsigned, 32 bits.</summary>
    U32,

    /// <summary>Signed, 32 bits.</summary>
    I32,

    /// <summary>Floating point, 32 bits.</summary>
    F32,

    /// <summary>Unsigned, 64 bits.</summary>
    U64,

    /// <summary>Signed, 64 bits.</summary>
    I64,

    /// <summary>Floating point, 64 bits.</summary>
    F64,
}

/// <summary>Names and sizes of the types.</summary>
internal static class SafetensorsTypes
{
    private static readonly FrozenDictionary<string, SafetensorsType> ByName =
        Enum.GetValues<SafetensorsType>().ToFrozenDictionary(NameOf, StringComparer.Ordinal);

    /// <summary>The names that a file may use.</summary>
    public static IReadOnlyCollection<string> Names { get; } = [.. Enum.GetValues<SafetensorsType>().Select(NameOf)];

    public static string NameOf(SafetensorsType type) => type == SafetensorsType.Bool ? "BOOL" : type.ToString();

    public static bool TryParse(string name, out SafetensorsType type) => ByName.TryGetValue(name, out type);

    /// <summary>Bytes of one value.</summary>
    public static int SizeOf(SafetensorsType type) => type switch
    {
        SafetensorsType.Bool or SafetensorsType.U8 or SafetensorsType.I8 => 1,
        SafetensorsType.U16 or SafetensorsType.I16 or SafetensorsType.F16 or SafetensorsType.BF16 => 2,
        SafetensorsType.U32 or SafetensorsType.I32 or SafetensorsType.F32 => 4,
        _ => 8,
    };
}
