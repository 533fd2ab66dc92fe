using AdmmKit.Networks;

namespace AdmmKit.Engine.Scalar;

/// <summary>One step of <see cref="ScalarNetwork"/>, whose remarks state the order of each.</summary>
/// <param name="output">The shape of what it gives.</param>
internal abstract class ScalarStep(ImageShape output)
{
    public ImageShape Output { get; } = output;

    /// <summary>How many numbers of working memory <see cref="Run"/> needs.</summary>
    public virtual int Room => 0;

    /// <param name="read">The inputs.</param>
    /// <param name="y">Where the output goes.</param>
    /// <param name="room">Working memory, which holds anything before.</param>
    public abstract void Run(float[][] read, float[] y, double[] room);
}

/// <summary>A weight that is not zero.</summary>
/// <param name="Offset">Where its input lies; of a convolution, the input of the first output.</param>
/// <param name="Weight">The weight.</param>
internal readonly record struct Survivor(int Offset, float Weight)
{
    /// <summary>The survivors of each row in order.</summary>
    /// <param name="weights">The row-major weights.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="offset">Where the first input of a row and column lies.</param>
    public static Survivor[][] Rows(float[] weights, int rows, Func<int, int, int> offset)
    {
        int columns = weights.Length / rows;
        return [.. Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, columns)
            .Where(column => weights[(row * columns) + column] != 0)
            .Select(column => new Survivor(offset(row, column), weights[(row * columns) + column])).ToArray())];
    }
}

/// <summary>A fully connected layer.</summary>
internal sealed class ScalarFullyConnected(ImageShape output, float[] weights, float[] biases) : ScalarStep(output)
{
    private readonly Survivor[][] rows = Survivor.Rows(weights, biases.Length, (_, column) => column);

    public override void Run(float[][] read, float[] y, double[] room)
    {
        float[] x = read[0];
        for (int o = 0; o < rows.Length; o++)
        {
            double sum = biases[o];
            foreach (Survivor survivor in rows[o])
            {
                sum += (double)survivor.Weight * x[survivor.Offset];
            }

            y[o] = (float)sum;
        }
    }
}
