using System.Runtime.Intrinsics.X86;

namespace AdmmKit.Jupyter.Running;

/// <summary>
/// On what a notebook's outputs rest: the data set that its cells opened, and the instruction set, whose order of sums
/// decides the last bits of what is trained. Whoever opens a data set leaves its name in the application's data, so that
/// neither has to know the other.
/// </summary>
public static class DataNote
{
    /// <summary>The key under which the name of the last data set opened stands in <see cref="AppContext"/>.</summary>
    public const string Key = "AdmmKit.DataSet";

    /// <summary>The instruction set in use here.</summary>
    public static string Instructions => Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : "128 bits";

    /// <summary>The name of the data set that was opened last, or null.</summary>
    internal static string? Read() => AppContext.GetData(Key) as string;
}
