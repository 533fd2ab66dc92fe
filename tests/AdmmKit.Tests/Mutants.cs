using System.Diagnostics;
using System.Globalization;

namespace AdmmKit.Tests;

/// <summary>
/// Damaged files, the same for the same purpose, and what every reader of bytes owes them: an error in words or a valid
/// object, in bounded time, and no memory that the file's own length does not account for.
/// </summary>
internal static class Mutants
{
    // What a count can be overwritten with: 32 bits in either order, 64 bits, varints that are huge, too long or not canonical.
    private static readonly byte[][] Counts =
    [
        [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0x7F], [0x80, 0, 0, 0], [0, 0, 0, 0x80],
        [0x40, 0, 0, 0], [0, 0, 0, 0x40], [0, 0x10, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        [0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0xC0, 0x84, 0x3D], [0x80, 0x00], [0xFF],
    ];

    /// <summary>How many of them a test makes: 10,000, or what ADMMKIT_MUTANTS says if that is more.</summary>
    public static int Wanted { get; } = Math.Max(
        10_000, int.TryParse(Environment.GetEnvironmentVariable("ADMMKIT_MUTANTS"), CultureInfo.InvariantCulture, out int count) ? count : 0);

    /// <summary>How many mutants were read as valid, how many there were, and the kinds of errors of the others.</summary>
    public sealed record Outcome(int Count, int Valid, IReadOnlySet<string> Messages);

    /// <summary>Truncated, flipped, spliced and overwritten files, as many of each kind.</summary>
    public static IEnumerable<byte[]> Of(string purpose, int count, params byte[][] sources)
    {
        var random = new RandomStream(1, purpose);
        for (int i = 0; i < count; i++)
        {
            byte[] source = sources[random.NextInt(sources.Length)];
            // The first bytes say most; a uniform choice would mostly hit values.
            int end = random.NextInt(2) == 0 ? Math.Min(60, source.Length) : source.Length;
            int at = random.NextInt(end);
            switch (i % 4)
            {
                case 0:
                    yield return source[..at];
                    break;
                case 1:
                    byte[] flipped = [.. source];
                    for (int flips = 1 + random.NextInt(8); flips > 0; flips--)
                    {
                        flipped[random.NextInt(end)] ^= (byte)(1 << random.NextInt(8));
                    }

                    yield return flipped;
                    break;
                case 2:
                    byte[] other = sources[random.NextInt(sources.Length)];
                    // At the same place, or with bytes lost or doubled.
                    int from = Math.Clamp(at + (random.NextInt(2) * (random.NextInt(9) - 4)), 0, other.Length);
                    yield return [.. source[..at], .. other[(random.NextInt(4) == 0 ? random.NextInt(other.Length) : from)..]];
                    break;
                default:
                    yield return Overwritten(source, at, Counts[random.NextInt(Counts.Length)], random.NextInt(2) == 0);
                    break;
            }
        }
    }

    /// <summary>The file with each of the huge counts at each of the places.</summary>
    public static IEnumerable<byte[]> OfEveryCount(byte[] source, IEnumerable<int> places) =>
        from at in places
        from count in Counts
        from insert in new[] { false, true }
        select Overwritten(source, at, count, insert);

    /// <summary>Reads all mutants and asserts what every reader owes.</summary>
    /// <param name="mutants">The mutants.</param>
    /// <param name="read">Reads one; returns what checks the object that was read.</param>
    /// <param name="allowance">Bytes that reading may take besides 64 for each byte of the file.</param>
    public static Outcome Check(IEnumerable<byte[]> mutants, Func<byte[], Action> read, long allowance = 1_000_000)
    {
        (int count, int valid, var messages) = (0, 0, new HashSet<string>(StringComparer.Ordinal));
        byte[] current = [];
        Exception? failure = null;
        // A thread of its own: one that hangs is found, and what the thread allocates is counted for it alone.
        var thread = new Thread(() =>
        {
            try
            {
                foreach (byte[] mutant in mutants)
                {
                    current = mutant;
                    valid += Read(mutant, read, allowance, messages) ? 1 : 0;
                    count++;
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        { IsBackground = true };
        thread.Start();
        bool ended = thread.Join(TimeSpan.FromSeconds(120.0 * Wanted / 10_000));
        Assert.True(ended && failure is null, $"Mutant {count}, {current.Length} bytes, {Convert.ToHexString(current.AsSpan(0, Math.Min(200, current.Length)))}: {(ended ? failure : "the reader hangs")}");
        return new Outcome(count, valid, messages);
    }

    private static bool Read(byte[] mutant, Func<byte[], Action> read, long allowance, HashSet<string> messages)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Action? check = null;
        try
        {
            check = read(mutant);
        }
        catch (AdmmKitException e)
        {
            Assert.False(string.IsNullOrWhiteSpace(e.Message));
            messages.Add(new string([.. e.Message.Where(c => !char.IsAsciiDigit(c))]));
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (64L * mutant.Length) + allowance);
        check?.Invoke();
        return check is not null;
    }

    private static byte[] Overwritten(byte[] source, int at, byte[] count, bool insert) =>
        [.. source[..at], .. count, .. source[Math.Min(at + (insert ? 1 : count.Length), source.Length)..]];
}
