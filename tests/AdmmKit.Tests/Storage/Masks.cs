using AdmmKit.Networks;

namespace AdmmKit.Tests.Storage;

/// <summary>Positions of survivors, and a second opinion on what they take.</summary>
internal static class Masks
{
    /// <summary>Survivors drawn at random, as many as asked for, every set alike.</summary>
    public static int[] Random(LayerInfo layer, int survivors, ulong seed)
    {
        var random = new RandomStream(seed, "mask of " + layer.Name);
        var positions = new int[survivors];
        int k = 0;
        for (int i = 0; k < survivors; i++)
        {
            // Each of the weights that are left is as likely as any other to be one of the survivors - k still to come.
            if (random.NextInt(layer.WeightCount - i) < survivors - k)
            {
                positions[k++] = i;
            }
        }

        return positions;
    }

    /// <summary>Bits of a relative index with escapes at one width, gap by gap.</summary>
    public static long RelativeBits(int[] positions, int width)
    {
        long codes = 0;
        int next = 0;
        foreach (int position in positions)
        {
            for (long gap = position - next; gap >= 0; gap -= (1L << width) - 1)
            {
                codes++;
            }

            next = position + 1;
        }

        return codes * width;
    }
}
