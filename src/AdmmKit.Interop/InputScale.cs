using AdmmKit.Networks;

namespace AdmmKit.Interop;

/// <summary>Pixels are divided by 255 here, and multiplied by other numbers elsewhere; the weights that read them make up for it.</summary>
internal static class InputScale
{
    /// <summary>The factor of the weights that read the image.</summary>
    /// <param name="scale">What pixels of 0 to 255 are multiplied by where the weights come from.</param>
    /// <exception cref="AdmmKitException">It is no such number.</exception>
    public static double Factor(double scale) => scale > 0 && double.IsFinite(255 * scale) ? 255 * scale
        : throw new AdmmKitException(FormattableString.Invariant($"Pixels are multiplied by a positive number, not by {scale}: give another input scale."));

    /// <summary>For each layer whether it reads the image.</summary>
    /// <exception cref="AdmmKitException">Something else reads it, too.</exception>
    public static bool[] Readers(NetworkSpec spec)
    {
        Node[] readers = [.. spec.Nodes.Where((_, i) => spec.Inputs[i].Contains(NetworkSpec.Image))];
        string?[] names = [.. readers.Select(n => n switch { Node.Convolution c => c.Name, Node.FullyConnected f => f.Name, _ => null })];
        return names.Contains(null)
            ? throw new AdmmKitException($"'{spec.Name}' begins with a step without weights, which cannot make up for another scale of the pixels: leave the input scale out.")
            : [.. spec.Layers.Select(l => names.Contains(l.Name))];
    }

    /// <summary>Multiplies the weights that read the image, each rounded once.</summary>
    /// <exception cref="AdmmKitException">
    /// The scale is no positive number, a weight becomes too large, or something else reads the image, too.
    /// </exception>
    public static void Apply(NetworkSpec spec, float[][] weights, double scale)
    {
        double factor = Factor(scale);
        foreach ((bool reads, float[] values) in Readers(spec).Zip(weights))
        {
            if (reads)
            {
                Multiply(values, factor);
            }
        }
    }

    /// <summary>Multiplies values, each rounded once to the nearest float32.</summary>
    /// <exception cref="BadFileException">One becomes too large.</exception>
    public static void Multiply(Span<float> values, double factor)
    {
        foreach (ref float value in values)
        {
            value = (float)(value * factor);
            if (!float.IsFinite(value))
            {
                throw new BadFileException(FormattableString.Invariant($"A weight that reads the image is no float32 any more when it is multiplied by {factor}: is the input scale right?"));
            }
        }
    }
}
