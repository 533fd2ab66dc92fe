using AdmmKit.Engine;
using AdmmKit.Engine.Kernels;

namespace AdmmKit.Tests.Engine;

/// <summary>Pooling on numbers of which many are equal, where differences of the loss say nothing.</summary>
public unsafe class PoolingTests
{
    private const int Height = 7;
    private const int Width = 8;

    public static TheoryData<string, int, int, int> Cases()
    {
        var cases = new TheoryData<string, int, int, int>();
        foreach (KernelSet kernels in KernelSet.Supported)
        {
            cases.Add(kernels.Name, 3, 2, 0);
            cases.Add(kernels.Name, 3, 2, 1);
            cases.Add(kernels.Name, 3, 1, 2);
            cases.Add(kernels.Name, 2, 3, 0);
            cases.Add(kernels.Name, 2, 2, 1);
            cases.Add(kernels.Name, 7, 1, 0);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_first_of_equal_maxima_takes_the_gradients_of_all_its_windows(string kernelName, int window, int step, int padding)
    {
        KernelSet kernels = KernelSet.Supported.Single(k => k.Name == kernelName);
        (int outHeight, int outWidth) = (((Height + (2 * padding) - window) / step) + 1, ((Width + (2 * padding) - window) / step) + 1);
        var geometry = new WindowGeometry
        {
            Height = Height,
            Width = Width,
            OutHeight = outHeight,
            OutWidth = outWidth,
            Window = window,
            Step = step,
            Padding = padding,
        };
        // Whole numbers below zero, so that padding which counted as zero would win, and sums are exact.
        FloatBuffer x = Numbers(Height * Width, -4, -1);
        FloatBuffer dy = Numbers(outHeight * outWidth, 1, 9);
        (FloatBuffer y, FloatBuffer dx) = (Numbers(outHeight * outWidth, 20, 30), Numbers(Height * Width, 20, 30));
        kernels.MaxPool(geometry, x.Pointer, y.Pointer);
        kernels.MaxPoolBackward(geometry, x.Pointer, y.Pointer, dy.Pointer, dx.Pointer);

        (float[] expectedY, float[] expectedDx) = (new float[y.Length], new float[dx.Length]);
        for (int o = 0; o < y.Length; o++)
        {
            (int lane, int oy, int ox) = (o % KernelSet.MaxBlock, o / KernelSet.MaxBlock / outWidth, o / KernelSet.MaxBlock % outWidth);
            int[] covered =
            [
                .. from row in Enumerable.Range((oy * step) - padding, window)
                   from column in Enumerable.Range((ox * step) - padding, window)
                   where row >= 0 && row < Height && column >= 0 && column < Width
                   select (((row * Width) + column) * KernelSet.MaxBlock) + lane,
            ];
            expectedY[o] = covered.Max(i => x.Span[i]);
            expectedDx[covered.First(i => x.Span[i] == expectedY[o])] += dy.Span[o];
        }

        Assert.Equal(expectedY, y.Span.ToArray());
        Assert.Equal(expectedDx, dx.Span.ToArray());
    }

    private static FloatBuffer Numbers(int positions, int least, int most)
    {
        var random = new RandomStream(11, "pooling");
        var numbers = new FloatBuffer(positions * KernelSet.MaxBlock);
        foreach (ref float number in numbers.Span)
        {
            number = least + random.NextInt(most - least + 1);
        }

        return numbers;
    }
}
