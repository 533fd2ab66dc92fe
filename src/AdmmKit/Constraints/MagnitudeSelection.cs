namespace AdmmKit.Constraints;

/// <summary>
/// The k largest magnitudes of an array: "keep alpha_i elements ... with largest magnitude", sec. 3.3 in [Ren2019].
/// O(n) in four passes over the data. Exactly k are kept; of equal magnitudes the one with the lower index.
/// </summary>
public static class MagnitudeSelection
{
    /// <summary>Keeps the k largest magnitudes and sets the rest to zero.</summary>
    /// <param name="v">n finite numbers.</param>
    /// <param name="z">Receives the result, length n; may be the same memory as <paramref name="v"/>.</param>
    /// <param name="k">How many to keep: alpha_i, 0 to n.</param>
    /// <exception cref="AdmmKitException">A number is not finite; the message gives its index.</exception>
    /// <exception cref="ArgumentException">k or the length of z does not fit n.</exception>
    public static void Keep(ReadOnlySpan<float> v, Span<float> z, int k)
    {
        Check(v, z.Length, k);
        KeepFinite(v, z, k);
    }

    /// <summary>Marks the k largest magnitudes. Unlike in <see cref="Keep"/>, kept zeros can be told from the rest.</summary>
    /// <param name="v">n finite numbers.</param>
    /// <param name="kept">Receives true for the k kept and false for the rest; length n.</param>
    /// <param name="k">How many to keep: alpha_i, 0 to n.</param>
    /// <exception cref="AdmmKitException">A number is not finite; the message gives its index.</exception>
    /// <exception cref="ArgumentException">k or the length of kept does not fit n.</exception>
    public static void Mark(ReadOnlySpan<float> v, Span<bool> kept, int k)
    {
        Check(v, kept.Length, k);
        RadixSelection selection = Find(v, k);
        for (int i = 0; i < v.Length; i++)
        {
            kept[i] = selection.Takes(Key(v[i]));
        }
    }

    /// <summary><see cref="Keep"/> for values already checked.</summary>
    internal static void KeepFinite(ReadOnlySpan<float> v, Span<float> z, int k)
    {
        RadixSelection selection = Find(v, k);
        for (int i = 0; i < v.Length; i++)
        {
            z[i] = selection.Takes(Key(v[i])) ? v[i] : 0;
        }
    }

    private static RadixSelection Find(ReadOnlySpan<float> v, int k)
    {
        var selection = new RadixSelection(32, k);
        while (selection.NeedsPass)
        {
            foreach (float x in v)
            {
                selection.Count(Key(x));
            }

            selection.EndPass();
        }

        return selection;
    }

    private static uint Key(float x) => BitConverter.SingleToUInt32Bits(x) & 0x7FFF_FFFF;

    private static void Check(ReadOnlySpan<float> v, int length, int k)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(k);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(k, v.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(length, v.Length);
        int i = Guard.IndexOfNonFinite(v);
        if (i >= 0)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The value at index {i} is {v[i]}: magnitudes can be ranked only where all values are finite."));
        }
    }
}
