namespace AdmmKit.Engine.Layers;

/// <summary>
/// Lists of (weight, offset) pairs, one for each position of a plane. Positions that see the same taps share a list, and the
/// lists lie at a fixed address.
/// </summary>
internal sealed unsafe class Taps
{
    private readonly int[] numbers;
    private readonly int* first;
    private readonly (int Start, int Count)[] lists;
    private readonly int[] listOf;

    /// <param name="positions">Positions of the plane.</param>
    /// <param name="taps">The pairs of a position.</param>
    public Taps(int positions, Func<int, IEnumerable<(int Weight, int Offset)>> taps)
    {
        var all = new List<int>();
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var found = new List<(int, int)>();
        listOf = new int[positions];
        for (int position = 0; position < positions; position++)
        {
            (int Weight, int Offset)[] list = [.. taps(position)];
            string key = string.Join(' ', list);
            if (!known.TryGetValue(key, out listOf[position]))
            {
                known[key] = listOf[position] = found.Count;
                found.Add((all.Count, list.Length));
                foreach ((int weight, int offset) in list)
                {
                    all.Add(weight);
                    all.Add(offset);
                }
            }
        }

        lists = [.. found];
        numbers = GC.AllocateUninitializedArray<int>(Math.Max(1, all.Count), pinned: true);
        all.CopyTo(numbers);
        first = (int*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref numbers[0]);
    }

    public int* At(int position, out int count)
    {
        (int start, count) = lists[listOf[position]];
        return first + start;
    }
}
