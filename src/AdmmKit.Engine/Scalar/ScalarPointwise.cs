using AdmmKit.Networks;

namespace AdmmKit.Engine.Scalar;

/// <summary>max(x, 0).</summary>
internal sealed class ScalarRelu(ImageShape output) : ScalarStep(output)
{
    public override void Run(float[][] read, float[] y, double[] room)
    {
        float[] x = read[0];
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = x[i] > 0 ? x[i] : 0;
        }
    }
}

/// <summary>(x - mean) / deviation of each channel.</summary>
internal sealed class ScalarStandardize(Node.Standardize node, ImageShape output) : ScalarStep(output)
{
    public override void Run(float[][] read, float[] y, double[] room)
    {
        int plane = Output.Height * Output.Width;
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = (float)(((double)read[0][i] - node.Means[i / plane]) / node.Deviations[i / plane]);
        }
    }
}

/// <summary>Factor and shift of each channel, from the numbers of a batch normalization.</summary>
internal sealed class ScalarBatchNorm : ScalarStep
{
    private readonly float[] factors;
    private readonly float[] shifts;

    public ScalarBatchNorm(ImageShape output, float[] numbers)
        : base(output)
    {
        int channels = output.Channels;
        factors = [.. Enumerable.Range(0, channels).Select(c => (float)(numbers[c] / Math.Sqrt(numbers[(3 * channels) + c] + Node.BatchNorm.Epsilon)))];
        shifts = [.. Enumerable.Range(0, channels).Select(c => (float)(numbers[channels + c] - ((double)numbers[(2 * channels) + c] * factors[c])))];
    }

    public override void Run(float[][] read, float[] y, double[] room)
    {
        int plane = Output.Height * Output.Width;
        for (int channel = 0; channel < factors.Length; channel++)
        {
            (double factor, double shift) = (factors[channel], shifts[channel]);
            for (int i = channel * plane; i < (channel + 1) * plane; i++)
            {
                y[i] = (float)((factor * read[0][i]) + shift);
            }
        }
    }
}

/// <summary>Local response normalization, with the exponents whose power is made of square roots.</summary>
internal sealed class ScalarResponseNorm : ScalarStep
{
    private readonly Node.LocalResponseNorm node;
    private readonly Func<double, double> power;

    public ScalarResponseNorm(Node.LocalResponseNorm node, ImageShape output)
        : base(output)
    {
        this.node = node;
        power = node.Beta switch
        {
            0.5 => Math.Sqrt,
            0.75 => v => Math.Sqrt(v) * Math.Sqrt(Math.Sqrt(v)),
            1 => v => v,
            _ => throw new AdmmKitException(FormattableString.Invariant(
                $"The scalar evaluation cannot compute a local response normalization with the exponent {node.Beta}: only 0.5, 0.75 and 1 have the same bits on every machine.")),
        };
    }

    public override void Run(float[][] read, float[] y, double[] room)
    {
        float[] x = read[0];
        (int plane, int half, double factor) = (Output.Height * Output.Width, node.Size / 2, node.Alpha / node.Size);
        for (int i = 0; i < y.Length; i++)
        {
            (int channel, int place) = Math.DivRem(i, plane);
            double squares = 0;
            for (int c = Math.Max(channel - half, 0); c <= Math.Min(channel + half, Output.Channels - 1); c++)
            {
                double value = x[(c * plane) + place];
                squares += value * value;
            }

            y[i] = (float)(x[i] / power(node.Bias + (float)(factor * squares)));
        }
    }
}

/// <summary>Every Stride-th row and column of the input, between channels of zeros.</summary>
internal sealed class ScalarShortcut(Node.Shortcut node, ImageShape input, ImageShape output) : ScalarStep(output)
{
    public override void Run(float[][] read, float[] y, double[] room)
    {
        Array.Clear(y);
        int o = (Output.Channels - input.Channels) / 2 * Output.Height * Output.Width;
        for (int channel = 0; channel < input.Channels; channel++)
        {
            for (int oy = 0; oy < Output.Height; oy++)
            {
                int row = ((channel * input.Height) + (oy * node.Stride)) * input.Width;
                for (int ox = 0; ox < Output.Width; ox++)
                {
                    y[o++] = read[0][row + (ox * node.Stride)];
                }
            }
        }
    }
}

/// <summary>The sum of its inputs in their order.</summary>
internal sealed class ScalarAdd(ImageShape output) : ScalarStep(output)
{
    public override void Run(float[][] read, float[] y, double[] room)
    {
        for (int i = 0; i < y.Length; i++)
        {
            double sum = read[0][i];
            for (int r = 1; r < read.Length; r++)
            {
                sum += read[r][i];
            }

            y[i] = (float)sum;
        }
    }
}

/// <summary>The channels of its inputs one after the other.</summary>
internal sealed class ScalarConcat(ImageShape output) : ScalarStep(output)
{
    public override void Run(float[][] read, float[] y, double[] room)
    {
        int filled = 0;
        foreach (float[] x in read)
        {
            x.CopyTo(y, filled);
            filled += x.Length;
        }
    }
}
