using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Engine;

/// <summary>
/// Takes a batch normalization that alone reads a convolution into the convolution's weights and biases: in inference it is
/// factor x input + shift, a factor and a shift for each filter. Weights that are zero stay zero.
/// </summary>
internal static class NormalizationFolding
{
    /// <summary>The same network up to rounding, with as few normalizations as possible; its layers keep names and order.</summary>
    /// <param name="spec">What the network computes.</param>
    /// <param name="weights">Its weights, which are left as they are.</param>
    public static (NetworkSpec Spec, NetworkWeights Weights) Fold(NetworkSpec spec, NetworkWeights weights)
    {
        if (spec.Normalizations.Count == 0)
        {
            return (spec, weights);
        }

        float[][] layers = [.. weights.Weights];
        float[][] biases = [.. weights.Biases];
        var kept = new List<float[]>();
        var net = new NetworkBuilder(spec.Name, spec.Input);
        // Where each step went, and which layer a step is.
        var places = new int[spec.Nodes.Count];
        var layerOf = new int[spec.Nodes.Count];
        (int layer, int norm) = (0, 0);
        for (int i = 0; i < places.Length; i++)
        {
            Node node = spec.Nodes[i];
            int from = spec.Inputs[i][0];
            if (node is Node.Convolution or Node.FullyConnected)
            {
                layerOf[i] = layer++;
            }

            if (node is Node.BatchNorm)
            {
                float[] numbers = weights.Normalizations[norm++];
                if (IsFolded(spec, i))
                {
                    Fold(numbers, ref layers[layerOf[from]], ref biases[layerOf[from]]);
                    places[i] = places[from];
                    continue;
                }

                kept.Add(numbers);
            }

            bool biased = node is Node.Convolution && Enumerable.Range(i + 1, places.Length - i - 1).Any(s => spec.Inputs[s][0] == i && IsFolded(spec, s));
            places[i] = net.Add(
                biased ? (Node.Convolution)node with { Biased = true } : node,
                [.. spec.Inputs[i].Select(f => f == NetworkSpec.Image ? f : places[f])]);
        }

        return (net.Build(), new NetworkWeights(layers, biases) { Normalizations = kept });
    }

    private static bool IsFolded(NetworkSpec spec, int step)
    {
        int from = spec.Inputs[step][0];
        return spec.Nodes[step] is Node.BatchNorm && from != NetworkSpec.Image && spec.Nodes[from] is Node.Convolution
            && spec.Inputs.Sum(inputs => inputs.Count(f => f == from)) == 1;
    }

    private static void Fold(float[] numbers, ref float[] weights, ref float[] biases)
    {
        (weights, biases) = ([.. weights], [.. biases]);
        int channels = biases.Length;
        int columns = weights.Length / channels;
        for (int c = 0; c < channels; c++)
        {
            double factor = numbers[c] / Math.Sqrt(numbers[(3 * channels) + c] + Node.BatchNorm.Epsilon);
            biases[c] = (float)(((biases[c] - (double)numbers[(2 * channels) + c]) * factor) + numbers[channels + c]);
            for (int i = c * columns; i < (c + 1) * columns; i++)
            {
                weights[i] = (float)(weights[i] * factor);
            }
        }
    }
}
