using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>The checks that every projection makes of what it is given.</summary>
internal static class Guard
{
    /// <summary>Position of the first number that is not finite, or -1.</summary>
    public static int IndexOfNonFinite(ReadOnlySpan<float> v)
    {
        for (int i = 0; i < v.Length; i++)
        {
            if (!float.IsFinite(v[i]))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Both spans hold the layer's weights, and those of <paramref name="v"/> are finite.</summary>
    public static void Weights(LayerInfo layer, ReadOnlySpan<float> v, ReadOnlySpan<float> z)
    {
        Lengths(layer, v, z);
        int i = IndexOfNonFinite(v);
        if (i >= 0)
        {
            throw Error(layer, $"the value at index {i} is {v[i]}, not a finite number: lower the learning rate or rho");
        }
    }

    /// <summary>The arrays hold each layer's weights, those of <paramref name="v"/> finite, and each rho_i is positive.</summary>
    public static void Network(
        IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> v, IReadOnlyList<float[]> z, ReadOnlySpan<float> rho)
    {
        for (int i = 0; i < layers.Count; i++)
        {
            Weights(layers[i], v[i], z[i]);
            if (!(rho[i] > 0 && float.IsFinite(rho[i])))
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"Layer '{layers[i].Name}': rho is {rho[i]}, but must be positive and finite."));
            }
        }
    }

    /// <summary>Both spans hold the layer's weights.</summary>
    public static void Lengths(LayerInfo layer, ReadOnlySpan<float> v, ReadOnlySpan<float> z)
    {
        if (v.Length != layer.WeightCount || z.Length != layer.WeightCount)
        {
            throw Error(layer, $"{v.Length} values to project into {z.Length}, but {layer.WeightCount} weights: give both that length");
        }
    }

    /// <summary>A parameter lies in its range.</summary>
    public static void Range(LayerInfo layer, string what, long value, long low, long high)
    {
        if (value < low || value > high)
        {
            throw Error(layer, $"{what} is {value}, but must be {low} to {high}");
        }
    }

    /// <summary>A size that no layer could take when below 1.</summary>
    public static int Positive(string what, int value) => value >= 1
        ? value
        : throw new AdmmKitException(FormattableString.Invariant($"{what} is {value}, but must be at least 1."));

    private static AdmmKitException Error(LayerInfo layer, FormattableString what) =>
        new($"Layer '{layer.Name}' ({layer.Shape}): {FormattableString.Invariant(what)}.");
}
