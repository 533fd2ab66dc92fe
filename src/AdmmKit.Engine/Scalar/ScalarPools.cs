using AdmmKit.Networks;

namespace AdmmKit.Engine.Scalar;

/// <summary>The largest value of each window, row by row; what lies around the input is left out.</summary>
internal sealed class ScalarMaxPool(Node.MaxPool node, ImageShape input, ImageShape output) : ScalarStep(output)
{
    public override void Run(float[][] read, float[] y, double[] room)
    {
        int o = 0;
        for (int channel = 0; channel < Output.Channels; channel++)
        {
            ReadOnlySpan<float> x = read[0].AsSpan(channel * input.Height * input.Width, input.Height * input.Width);
            for (int oy = 0; oy < Output.Height; oy++)
            {
                for (int ox = 0; ox < Output.Width; ox++)
                {
                    y[o++] = Largest(x, (oy * node.Step) - node.Padding, (ox * node.Step) - node.Padding);
                }
            }
        }
    }

    private float Largest(ReadOnlySpan<float> x, int top, int left)
    {
        (int fromRow, int toRow) = (Math.Max(top, 0), Math.Min(top + node.Window, input.Height));
        (int fromColumn, int toColumn) = (Math.Max(left, 0), Math.Min(left + node.Window, input.Width));
        float largest = x[(fromRow * input.Width) + fromColumn];
        for (int row = fromRow; row < toRow; row++)
        {
            for (int column = fromColumn; column < toColumn; column++)
            {
                float value = x[(row * input.Width) + column];
                largest = value > largest ? value : largest;
            }
        }

        return largest;
    }
}

/// <summary>The mean of each window: its sum, row by row, in float64, divided by the count and rounded to float32.</summary>
/// <param name="windowHeight">Rows of a window, and from one to the next.</param>
/// <param name="windowWidth">Columns of a window, and from one to the next.</param>
/// <param name="input">The shape of the input.</param>
/// <param name="output">The shape of the output.</param>
internal sealed class ScalarAveragePool(int windowHeight, int windowWidth, ImageShape input, ImageShape output) : ScalarStep(output)
{
    public override void Run(float[][] read, float[] y, double[] room)
    {
        int o = 0;
        for (int channel = 0; channel < Output.Channels; channel++)
        {
            for (int oy = 0; oy < Output.Height; oy++)
            {
                int first = ((channel * input.Height) + (oy * windowHeight)) * input.Width;
                for (int ox = 0; ox < Output.Width; ox++)
                {
                    y[o++] = Mean(read[0], first + (ox * windowWidth));
                }
            }
        }
    }

    private float Mean(float[] x, int first)
    {
        double sum = 0;
        for (int row = 0; row < windowHeight; row++)
        {
            for (int column = 0; column < windowWidth; column++)
            {
                sum += x[first + (row * input.Width) + column];
            }
        }

        return (float)(sum / (windowHeight * windowWidth));
    }
}
