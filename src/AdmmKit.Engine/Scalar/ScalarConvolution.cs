using System.Numerics;
using System.Runtime.InteropServices;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Scalar;

/// <summary>
/// A convolution. Its input is laid out anew, in float64 and with its border of zeros: rows and columns with the same remainder
/// by the stride come together, so that the inputs of neighbouring outputs are neighbours whatever the stride. Outputs are then
/// computed side by side, in vectors: each lane is one output with its own sum, so that a vector's width changes no bit.
/// </summary>
internal sealed class ScalarConvolution : ScalarStep
{
    // Vectors whose sums stay in registers over all survivors of a filter.
    private const int Vectors = 4;

    private readonly Node.Convolution node;
    private readonly ImageShape input;
    private readonly float[] biases;
    private readonly Survivor[][] filters;
    private readonly int height; // of one plane of the new layout
    private readonly int width;
    private readonly int[] columns; // where each column of the input lies in its row
    private readonly int[] places; // of each position of a plane in a channel of the output, or -1 where there is none

    public ScalarConvolution(Node.Convolution node, ImageShape input, ImageShape output, float[] weights, float[] biases)
        : base(output)
    {
        (this.node, this.input, this.biases) = (node, input, biases);
        height = ((input.Height + (2 * node.Padding) - 1) / node.Stride) + 1;
        width = ((input.Width + (2 * node.Padding) - 1) / node.Stride) + 1;
        columns = [.. Enumerable.Range(node.Padding, input.Width).Select(column => Place(0, 0, column))];
        int channels = input.Channels / node.Groups, perGroup = node.Filters / node.Groups;
        filters = Survivor.Rows(weights, biases.Length, (filter, column) =>
        {
            (int channel, int inKernel) = Math.DivRem(column, node.Kernel * node.Kernel);
            (int ky, int kx) = Math.DivRem(inKernel, node.Kernel);
            return Place((filter / perGroup * channels) + channel, ky, kx);
        });
        int last = ((output.Height - 1) * width) + output.Width;
        places = new int[(last + Block - 1) / Block * Block];
        for (int i = 0; i < places.Length; i++)
        {
            (int y, int x) = Math.DivRem(i, width);
            places[i] = i < last && x < output.Width ? (y * output.Width) + x : -1;
        }
    }

    // A block that begins at the last output reads beyond the last plane.
    public override int Room => (input.Channels * node.Stride * node.Stride * height * width) + Block;

    private static int Block => Vectors * Vector<double>.Count;

    public override void Run(float[][] read, float[] y, double[] room)
    {
        LayOut(read[0], room);
        int plane = Output.Height * Output.Width;
        Span<double> sums = stackalloc double[Block];
        // All filters of a block together: what they read is small enough for the nearest cache.
        for (int first = 0; first < places.Length; first += Block)
        {
            ReadOnlySpan<int> at = places.AsSpan(first, Block);
            for (int f = 0; f < filters.Length; f++)
            {
                Sum(room, first, filters[f], biases[f], sums);
                for (int i = 0; i < at.Length; i++)
                {
                    if (at[i] >= 0)
                    {
                        y[(f * plane) + at[i]] = (float)sums[i];
                    }
                }
            }
        }
    }

    private static void Sum(double[] x, int first, Survivor[] survivors, float bias, Span<double> sums)
    {
        Vector<double> a = new(bias), b = a, c = a, d = a;
        int lanes = Vector<double>.Count;
        foreach (Survivor survivor in survivors)
        {
            var weight = new Vector<double>(survivor.Weight);
            ReadOnlySpan<double> from = x.AsSpan(first + survivor.Offset, Vectors * lanes);
            ref double start = ref MemoryMarshal.GetReference(from);
            a += weight * Vector.LoadUnsafe(ref start);
            b += weight * Vector.LoadUnsafe(ref start, (nuint)lanes);
            c += weight * Vector.LoadUnsafe(ref start, (nuint)(2 * lanes));
            d += weight * Vector.LoadUnsafe(ref start, (nuint)(3 * lanes));
        }

        a.CopyTo(sums);
        b.CopyTo(sums[lanes..]);
        c.CopyTo(sums[(2 * lanes)..]);
        d.CopyTo(sums[(3 * lanes)..]);
    }

    private void LayOut(float[] x, double[] room)
    {
        room.AsSpan(0, Room).Clear();
        for (int channel = 0; channel < input.Channels; channel++)
        {
            for (int row = 0; row < input.Height; row++)
            {
                int from = ((channel * input.Height) + row) * input.Width, to = Place(channel, row + node.Padding, 0);
                for (int column = 0; column < columns.Length; column++)
                {
                    room[to + columns[column]] = x[from + column];
                }
            }
        }
    }

    /// <summary>Where a value of the bordered input lies.</summary>
    private int Place(int channel, int row, int column)
    {
        (int y, int inRows) = Math.DivRem(row, node.Stride);
        (int x, int inColumns) = Math.DivRem(column, node.Stride);
        return (((((((channel * node.Stride) + inRows) * node.Stride) + inColumns) * height) + y) * width) + x;
    }
}
