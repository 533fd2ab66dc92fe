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
internal sealed class ScalarAveragePool(Node.AveragePool node, ImageShape input, ImageShape output) : ScalarStep(output)
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
                    y[o++] = Mean(x, (oy * node.Step) - node.Padding, (ox * node.Step) - node.Padding);
                }
            }
        }
    }

    private float Mean(ReadOnlySpan<float> x, int top, int left)
    {
        (int fromRow, int toRow) = (Math.Max(top, 0), Math.Min(top + node.Window, input.Height));
        (int fromColumn, int toColumn) = (Math.Max(left, 0), Math.Min(left + node.Window, input.Width));
        double sum = 0;
        for (int row = fromRow; row < toRow; row++)
        {
            for (int column = fromColumn; column < toColumn; column++)
            {
                sum += x[(row * input.Width) + column];
            }
        }

        return (float)(sum / (node.CountsPadding ? node.Window * node.Window : (toRow - fromRow) * (toColumn - fromColumn)));
    }
}

/// <summary>The mean of each channel: its sum, row by row, in float64, divided by the count and rounded to float32.</summary>
internal sealed class ScalarGlobalAveragePool(ImageShape input, ImageShape output) : ScalarStep(output)
{
    public override void Run(float[][] read, float[] y, double[] room)
    {
        int plane = input.Height * input.Width;
        for (int channel = 0; channel < Output.Channels; channel++)
        {
            double sum = 0;
            foreach (float value in read[0].AsSpan(channel * plane, plane))
            {
                sum += value;
            }

            y[channel] = (float)(sum / plane);
        }
    }
}
