namespace AdmmKit.Constraints;

/// <summary>
/// Finds the k-th largest of non-negative integer keys by counting their digits, 16 bits at a time from the top: each pass
/// over the keys fixes one more digit of the threshold. O(n), and memory for one histogram whatever n is.
/// </summary>
/// <remarks>The bits of non-negative IEEE numbers sort like the numbers, so keys are bits of magnitudes.</remarks>
internal sealed class RadixSelection
{
    private const int DigitBits = 16;
    private readonly int[] counts = new int[1 << DigitBits];
    private int shift;
    private ulong threshold;
    private int remaining;

    /// <param name="keyBits">32 or 64; the key of all ones must not occur.</param>
    /// <param name="keep">How many keys to keep: 0 to their number.</param>
    public RadixSelection(int keyBits, int keep) => (shift, remaining) = (keyBits - DigitBits, keep);

    /// <summary>Whether another pass of <see cref="Count"/> over all keys is needed, ended by <see cref="EndPass"/>.</summary>
    public bool NeedsPass => shift >= 0;

    /// <summary>Counts a key in this pass.</summary>
    public void Count(ulong key)
    {
        // Two shifts, because one by 64 would be one by 0.
        if (key >> shift >> DigitBits == threshold)
        {
            counts[(int)(key >> shift) & (counts.Length - 1)]++;
        }
    }

    /// <summary>Fixes the next digit of the threshold.</summary>
    public void EndPass()
    {
        int digit = counts.Length - 1;
        while (counts[digit] < remaining)
        {
            remaining -= counts[digit--];
        }

        threshold = (threshold << DigitBits) | (uint)digit;
        shift -= DigitBits;
        Array.Clear(counts);
    }

    /// <summary>
    /// Whether the key is among the k largest. Asked once for each key in order of index after the last pass: keys equal
    /// to the threshold are taken until k is reached, so that ties go to the lower index and exactly k are kept.
    /// </summary>
    public bool Takes(ulong key)
    {
        if (key == threshold && remaining > 0)
        {
            remaining--;
            return true;
        }

        return key > threshold;
    }
}
