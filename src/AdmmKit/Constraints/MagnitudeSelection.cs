namespace AdmmKit.Constraints;

/// <summary>
/// The k largest magnitudes of an array: "keep alpha_i elements ... with largest magnitude", sec. 3.3 in [Ren2019].
/// O(n) in at most four passes over the data, that which writes counted. Exactly k are kept; of equal magnitudes the one
/// with the lower index.
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
        if (!TryKeep(v, z, k))
        {
            throw NotFinite(v);
        }
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
        if (!selection.AllFinite)
        {
            throw NotFinite(v);
        }

        long ties = selection.TiesLeft;
        for (int i = 0; i < v.Length; i++)
        {
            ulong key = BitConverter.SingleToUInt32Bits(v[i]) & 0x7FFF_FFFF;
            kept[i] = key > selection.Threshold || (key == selection.Threshold && ties-- > 0);
        }
    }

    /// <summary><see cref="Keep"/> for lengths already checked; false, and nothing written, where a value is not finite.</summary>
    internal static bool TryKeep(ReadOnlySpan<float> v, Span<float> z, int k)
    {
        RadixSelection selection = Find(v, k);
        if (selection.AllFinite)
        {
            selection.Keep(v, z);
        }

        return selection.AllFinite;
    }

    private static RadixSelection Find(ReadOnlySpan<float> v, int k)
    {
        var selection = new RadixSelection(v.Length, k);
        while (selection.NeedsPass && selection.AllFinite)
        {
            selection.Count(v);
            selection.EndPass();
        }

        return selection;
    }

    private static void Check(ReadOnlySpan<float> v, int length, int k)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(k);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(k, v.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(length, v.Length);
    }

    private static AdmmKitException NotFinite(ReadOnlySpan<float> v)
    {
        int i = Guard.IndexOfNonFinite(v);
        return new AdmmKitException(FormattableString.Invariant(
            $"The value at index {i} is {v[i]}: magnitudes can be ranked only where all values are finite."));
    }
}
