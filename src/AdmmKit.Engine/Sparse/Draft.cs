using System.Runtime.InteropServices;
using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Sparse;

/// <summary>A step with weights on its way to being compiled: survivors, and what follows them.</summary>
internal sealed class Draft
{
    private readonly double[] biases;
    private readonly int height;
    private readonly int width;

    /// <param name="input">Shape of the input.</param>
    /// <param name="output">Shape of the output before pooling.</param>
    /// <param name="kernel">Rows and columns of the kernel; 0 for a fully connected layer.</param>
    /// <param name="weights">All weights, row-major.</param>
    /// <param name="biases">One a row.</param>
    public Draft(ImageShape input, ImageShape output, int kernel, float[] weights, float[] biases)
        : this(input, output, kernel, Survivors(weights, biases.Length), [.. biases.Select(b => (double)b)])
    {
    }

    private Draft(ImageShape input, ImageShape output, int kernel, (int Column, float Weight)[][] rows, double[] biases)
    {
        Input = input;
        Kernel = kernel;
        Rows = rows;
        this.biases = biases;
        ConvolutionSize = output.Height * output.Width;
        (height, width) = (output.Height, output.Width);
        // A kernel as large as the image is a fully connected layer: columns count (channel, row, column) in both.
        IsConvolution = ConvolutionSize > 1;
        Constants = new float?[rows.Length];
    }

    public ImageShape Input { get; }

    public int Kernel { get; }

    public bool IsConvolution { get; }

    /// <summary>Outputs of one row before pooling.</summary>
    public int ConvolutionSize { get; }

    public SparseTail Tail { get; set; } = new(Pooling.Max, 1, false, false);

    /// <summary>Shape of the output after pooling.</summary>
    public ImageShape Output => new(Rows.Length, height / Tail.Window, width / Tail.Window);

    /// <summary>The survivors of each row; empty where the row is a constant or nobody reads it.</summary>
    public (int Column, float Weight)[][] Rows { get; }

    /// <summary>What a row computes where that does not depend on the image, after pooling and ReLU.</summary>
    public float?[] Constants { get; }

    /// <summary>The rows that are computed.</summary>
    public int[] Live => [.. Enumerable.Range(0, Rows.Length).Where(r => Rows[r].Length > 0)];

    private int InputsPerChannel => IsConvolution ? Kernel * Kernel : Input.Height * Input.Width;

    /// <summary>Passes every channel on as it is, so that pooling or ReLU alone is a step like any other.</summary>
    public static Draft Identity(ImageShape shape) =>
        new(shape, shape, 1, [.. Enumerable.Range(0, shape.Channels).Select(c => new[] { (c, 1f) })], new double[shape.Channels]);

    public float Bias(int row) => (float)biases[row];

    /// <summary>Takes what is known of the input out of the survivors and into the biases.</summary>
    public void FoldConstants(float?[] inputs)
    {
        for (int r = 0; r < Rows.Length; r++)
        {
            foreach ((int column, float weight) in Rows[r])
            {
                biases[r] += weight * (double)(inputs[column / InputsPerChannel] ?? 0);
            }

            Rows[r] = [.. Rows[r].Where(s => inputs[s.Column / InputsPerChannel] is null)];
            if (Rows[r].Length == 0)
            {
                // Pooling leaves a constant as it is.
                Constants[r] = Tail.ReluBefore || Tail.ReluAfter ? Math.Max(Bias(r), 0) : Bias(r);
            }
        }
    }

    /// <summary>Empties the rows that nobody reads.</summary>
    /// <param name="read">Whether somebody reads a row.</param>
    /// <returns>Which channels of the input the other rows read.</returns>
    public bool[] DropUnread(bool[] read)
    {
        var inputs = new bool[Input.Channels];
        for (int r = 0; r < Rows.Length; r++)
        {
            Rows[r] = read[r] ? Rows[r] : [];
            foreach ((int column, _) in Rows[r])
            {
                inputs[column / InputsPerChannel] = true;
            }
        }

        return inputs;
    }

    private static (int Column, float Weight)[][] Survivors(float[] weights, int rows)
    {
        int columns = rows == 0 ? 0 : weights.Length / rows;
        var survivors = new (int Column, float Weight)[rows][];
        var row = new List<(int Column, float Weight)>();
        for (int r = 0; r < rows; r++)
        {
            row.Clear();
            ReadOnlySpan<float> values = weights.AsSpan(r * columns, columns);
            // Most weights are zero, and bits of zero are skipped many at once.
            ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(values);
            for (int c = 0; bits[c..].IndexOfAnyExcept(0) is >= 0 and var gap; c++)
            {
                c += gap;
                if (values[c] != 0)
                {
                    row.Add((c, values[c]));
                }
            }

            survivors[r] = [.. row];
        }

        return survivors;
    }
}
