namespace AdmmKit.Engine.Data;

/// <summary>
/// Draws one digit after another. Each picture depends only on its digit and its random stream. The spreads below were
/// tuned so that LeNet-5 errs on about one test picture in a hundred: 0.73 % after eight epochs of Adam on 55,000 pictures
/// (batches of 128, step 1e-3, then 2e-4), measured with PyTorch. Every kind of variation is mild on its own, and
/// <see cref="Wildness"/>, one number a picture with a long tail, makes the few hard ones.
/// </summary>
internal sealed class DigitPainter
{
    /// <summary>Height and width of a picture.</summary>
    public const int Side = 28;

    // Lengths with no unit are in the box of the strokes (1 x 1); the others are pixels.
    private const double PointSpread = 0.022;
    private const double WaveSpread = 0.020;
    private const double TurnSpread = 0.09;
    private const double SlantSpread = 0.14;
    private const int SamplesPerSpan = 5;
    private const int Waves = 3;

    private readonly float[] ink = new float[Side * Side];
    private readonly List<Sample> samples = [];
    private RandomStream random = new(0, "");

    /// <summary>A point of the pen's path with the pen's radius and pressure there; Lifted begins a new stroke.</summary>
    private record struct Sample(double X, double Y, double Radius, double Pressure, bool Lifted);

    /// <summary>Draws a digit.</summary>
    /// <param name="digit">0 to 9.</param>
    /// <param name="stream">The picture's own random numbers.</param>
    /// <param name="picture">Takes <see cref="Side"/> x <see cref="Side"/> bytes: 0 paper, 255 ink.</param>
    public void Draw(int digit, RandomStream stream, Span<byte> picture)
    {
        random = stream;
        samples.Clear();
        Array.Clear(ink);
        double wild = Wildness();
        Trace(DigitStrokes.Pick(digit, random), wild);
        Bend(wild);
        Place(wild);
        Press(wild);
        Break(wild);
        PaintSamples(random.NextDouble(0.8, 1.7));
        if (random.NextInt(12) == 0)
        {
            PaintSmudge();
        }

        Finish(picture);
    }

    /// <summary>How far the picture strays: 0.6 and up, 1.07 on average, above 2.03 in one of twenty.</summary>
    private double Wildness() => Math.Min(2.5, 0.6 - (0.48 * Math.Log(1.0 - random.NextDouble())));

    /// <summary>Follows the strokes by Catmull-Rom splines through their shaken points; a corner is where two splines meet.</summary>
    private void Trace(DigitStyle style, double wild)
    {
        bool rounded = random.NextInt(6) == 0; // a hurried hand makes corners round
        foreach (Stroke stroke in style.Strokes)
        {
            Trace(stroke, wild, rounded);
        }
    }

    private void Trace(Stroke stroke, double wild, bool rounded)
    {
        int n = stroke.X.Length;
        Span<double> x = stackalloc double[n];
        Span<double> y = stackalloc double[n];
        for (int i = 0; i < n; i++)
        {
            x[i] = stroke.X[i] + (PointSpread * wild * random.NextGaussian());
            y[i] = stroke.Y[i] + (PointSpread * wild * random.NextGaussian());
        }

        samples.Add(new Sample(x[0], y[0], 0, 0, true));
        for (int i = 0; i + 1 < n; i++)
        {
            bool sharpStart = i == 0 || (stroke.Corner[i] && !rounded);
            bool sharpEnd = i + 2 == n || (stroke.Corner[i + 1] && !rounded);
            int before = sharpStart ? i : i - 1;
            int after = sharpEnd ? i + 1 : i + 2;
            for (int s = 1; s <= SamplesPerSpan; s++)
            {
                double t = (double)s / SamplesPerSpan;
                samples.Add(new Sample(
                    Spline(x[before], x[i], x[i + 1], x[after], t), Spline(y[before], y[i], y[i + 1], y[after], t), 0, 0, false));
            }
        }
    }

    private static double Spline(double a, double b, double c, double d, double t) =>
        b + (0.5 * t * (c - a + (t * ((2 * a) - (5 * b) + (4 * c) - d + (t * ((3 * (b - c)) + d - a))))));

    /// <summary>Distorts the paper smoothly: a few long waves in random directions.</summary>
    private void Bend(double wild)
    {
        Span<double> wave = stackalloc double[5 * Waves];
        for (int w = 0; w < Waves; w++)
        {
            wave[5 * w] = random.NextDouble(-6.5, 6.5); // radians per box: at most about one period
            wave[(5 * w) + 1] = random.NextDouble(-6.5, 6.5);
            wave[(5 * w) + 2] = random.NextDouble(0, 2 * Math.PI);
            wave[(5 * w) + 3] = WaveSpread * wild * random.NextGaussian();
            wave[(5 * w) + 4] = WaveSpread * wild * random.NextGaussian();
        }

        for (int i = 0; i < samples.Count; i++)
        {
            Sample s = samples[i];
            (double x, double y) = (s.X, s.Y);
            for (int w = 0; w < Waves; w++)
            {
                double height = Math.Sin((wave[5 * w] * s.X) + (wave[(5 * w) + 1] * s.Y) + wave[(5 * w) + 2]);
                x += wave[(5 * w) + 3] * height;
                y += wave[(5 * w) + 4] * height;
            }

            samples[i] = s with { X = x, Y = y };
        }
    }

    /// <summary>Turns, slants and stretches the digit, and puts it near the middle at about the size that MNIST has.</summary>
    private void Place(double wild)
    {
        double width = random.NextDouble(0.55, 0.95);
        // Bounded, for a tail here would lay the digit on its side or squash it to a line.
        double slant = Math.Clamp(0.08 + (SlantSpread * wild * random.NextGaussian()), -0.35, 0.5);
        (double sin, double cos) = Math.SinCos(Math.Clamp(TurnSpread * wild * random.NextGaussian(), -0.35, 0.35));
        (double left, double right, double top, double bottom) = (double.MaxValue, double.MinValue, double.MaxValue, double.MinValue);
        for (int i = 0; i < samples.Count; i++)
        {
            Sample s = samples[i];
            double x = (width * (s.X - 0.5)) - (slant * (s.Y - 0.5));
            double y = s.Y - 0.5;
            s = s with { X = (cos * x) - (sin * y), Y = (sin * x) + (cos * y) };
            samples[i] = s;
            (left, right) = (Math.Min(left, s.X), Math.Max(right, s.X));
            (top, bottom) = (Math.Min(top, s.Y), Math.Max(bottom, s.Y));
        }

        double scale = random.NextDouble(15.0, 20.0) / Math.Max(right - left, bottom - top);
        double middleX = ((Side - 1) / 2.0) + Shift(wild);
        double middleY = ((Side - 1) / 2.0) + Shift(wild);
        for (int i = 0; i < samples.Count; i++)
        {
            Sample s = samples[i];
            samples[i] = s with
            {
                X = middleX + (scale * (s.X - ((left + right) / 2))),
                Y = middleY + (scale * (s.Y - ((top + bottom) / 2))),
            };
        }
    }

    private double Shift(double wild) => Math.Clamp(0.6 * wild * random.NextGaussian(), -3.0, 3.0);

    /// <summary>Chooses the pen, and lets its width and pressure swell and fade along the way.</summary>
    private void Press(double wild)
    {
        double radius = Math.Clamp(1.15 * Math.Exp(0.28 * random.NextGaussian()), 0.6, 1.9);
        double pressure = random.NextDouble(0.75, 1.1);
        double swell = random.NextDouble(0, 0.25);
        double fade = Math.Min(0.5, random.NextDouble(0, 0.18) * wild);
        double rate = random.NextDouble(0.05, 0.3);
        double phase = random.NextDouble(0, 2 * Math.PI);
        for (int i = 0; i < samples.Count; i++)
        {
            double height = Math.Sin(phase + (rate * i));
            samples[i] = samples[i] with
            {
                Radius = radius * (1 + (swell * height)),
                Pressure = pressure * (1 - fade + (fade * Math.Cos(phase + (1.7 * rate * i)))),
            };
        }
    }

    /// <summary>Now and then the pen starts late, stops early or skips on the way.</summary>
    private void Break(double wild)
    {
        if (random.NextDouble() >= 0.14 * wild)
        {
            return;
        }

        int count = samples.Count;
        int length = 1 + random.NextInt(Math.Max(1, (int)(count * 0.045 * wild)));
        int first = random.NextInt(3) switch
        {
            0 => 0,
            1 => count - length,
            _ => random.NextInt(count - length),
        };
        for (int i = first; i < first + length; i++)
        {
            samples[i] = samples[i] with { Lifted = true };
        }
    }

    private void PaintSamples(double edge)
    {
        for (int i = 1; i < samples.Count; i++)
        {
            if (!samples[i].Lifted)
            {
                Paint(samples[i - 1], samples[i], edge);
            }
        }
    }

    /// <summary>Inks all points near a straight piece; the edge falls off over some pixels, which also is the blur.</summary>
    private void Paint(Sample a, Sample b, double edge)
    {
        double reach = Math.Max(a.Radius, b.Radius) + (edge / 2);
        int left = Math.Max(0, (int)Math.Ceiling(Math.Min(a.X, b.X) - reach));
        int right = Math.Min(Side - 1, (int)Math.Floor(Math.Max(a.X, b.X) + reach));
        int top = Math.Max(0, (int)Math.Ceiling(Math.Min(a.Y, b.Y) - reach));
        int bottom = Math.Min(Side - 1, (int)Math.Floor(Math.Max(a.Y, b.Y) + reach));
        (double dx, double dy) = (b.X - a.X, b.Y - a.Y);
        double inverse = 1 / Math.Max(1e-12, (dx * dx) + (dy * dy));
        for (int y = top; y <= bottom; y++)
        {
            for (int x = left; x <= right; x++)
            {
                (double px, double py) = (x - a.X, y - a.Y);
                double t = Math.Clamp(((px * dx) + (py * dy)) * inverse, 0, 1);
                (px, py) = (px - (t * dx), py - (t * dy));
                double radius = a.Radius + (t * (b.Radius - a.Radius));
                double cover = Math.Clamp(((radius - Math.Sqrt((px * px) + (py * py))) / edge) + 0.5, 0, 1);
                ref float here = ref ink[(y * Side) + x];
                here = Math.Max(here, (float)(cover * (a.Pressure + (t * (b.Pressure - a.Pressure)))));
            }
        }
    }

    /// <summary>A piece of something else at the rim: another digit's end, or dirt.</summary>
    private void PaintSmudge()
    {
        double angle = random.NextDouble(0, 2 * Math.PI);
        double direction = random.NextDouble(0, 2 * Math.PI);
        double length = random.NextDouble(0, 4);
        double distance = random.NextDouble(9, 14);
        double middle = (Side - 1) / 2.0;
        var start = new Sample(
            middle + (distance * Math.Cos(angle)),
            middle + (distance * Math.Sin(angle)),
            random.NextDouble(0.4, 1.1),
            random.NextDouble(0.3, 0.9),
            true);
        Paint(start, start with { X = start.X + (length * Math.Cos(direction)), Y = start.Y + (length * Math.Sin(direction)) }, 1.0);
    }

    /// <summary>Adds the noise of the scanner and turns ink into bytes; most of the paper stays exactly 0, as in MNIST.</summary>
    private void Finish(Span<byte> picture)
    {
        double noise = random.NextDouble(0, 0.09);
        for (int i = 0; i < ink.Length; i++)
        {
            // Four 16-bit numbers added: near enough to normal, standard deviation 65536 / sqrt(3), and one draw a pixel.
            ulong bits = random.NextUInt64();
            long sum = (long)((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48)) - (2 * 65535);
            double value = ink[i] + (noise * sum * (1.7320508 / 65536)) - noise;
            picture[i] = (byte)((255 * Math.Clamp(value, 0, 1)) + 0.5);
        }
    }
}
