using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Purification;

/// <summary>
/// Removes the weights that have no effect on what a network computes: those of outputs that nobody reads, and those that
/// read what is the same number for every image, which goes into the biases instead. What is left computes the same function,
/// to the last bit where no constant was moved. Weights without effect are common after pruning far: each survivor that
/// leads nowhere costs a place in the file and does nothing.
/// </summary>
/// <remarks>
/// The function is that of inference. A step in which an exact answer would depend on positions or on other channels counts as
/// reading everything and as constant nowhere. The network's outputs always stay.
/// </remarks>
public static class UnusedPaths
{
    /// <summary>Removes them all: what is left has no unused path.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="weights">Its weights, which stay as they are.</param>
    /// <exception cref="AdmmKitException">The weights are not those of such a network.</exception>
    public static PathRemoval Remove(NetworkSpec spec, NetworkWeights weights)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        spec.CheckGraph();
        IEnumerable<(int, int)> given = weights.Weights.Zip(weights.Biases, (w, b) => (w.Length, b.Length));
        if (!spec.Layers.Select(l => (l.WeightCount, l.Rows)).SequenceEqual(given))
        {
            string needed = string.Join(", ", spec.Layers.Select(l => $"{l.Name} {l.Shape}"));
            throw new AdmmKitException($"The weights do not fit '{spec.Name}': it needs {needed}.");
        }

        spec.CheckNormalizations(weights.Normalizations);
        NetworkWeights left = weights with
        {
            Weights = [.. weights.Weights.Select(w => (float[])w.Clone())],
            Biases = [.. weights.Biases.Select(b => (float[])b.Clone())],
        };
        var paths = new Paths(spec, left);
        // Once each is enough. Moving constants goes from the image on, so all are known where they are read. What is removed
        // on the way back feeds nothing, so it makes no new constant that anybody would read.
        paths.MoveConstants();
        paths.RemoveUnread();
        return new PathRemoval(left, LayerRemoval.Between(spec, weights, left));
    }

    /// <summary>A network at work: its arrays are changed in place.</summary>
    private sealed class Paths(NetworkSpec spec, NetworkWeights weights)
    {
        private readonly LayerReads[] reads = LayerReads.Of(spec);

        // For each channel behind each step the number that it always is, or null.
        private readonly double?[][] constants = new double?[spec.Nodes.Count][];

        public void MoveConstants()
        {
            (int layer, int norm, var ofImage) = (0, 0, new double?[spec.Input.Channels]);
            for (int i = 0; i < spec.Nodes.Count; i++)
            {
                int channels = spec.Shapes[i].Channels;
                double?[][] inputs = [.. spec.Inputs[i].Select(f => f == NetworkSpec.Image ? ofImage : constants[f])];
                double?[] first = inputs[0];
                constants[i] = spec.Nodes[i] switch
                {
                    Node.Convolution or Node.FullyConnected => Fold(layer++, first),
                    Node.BatchNorm => Normalize(weights.Normalizations[norm++], first),
                    Node.Relu => Array.ConvertAll(first, v => v is { } x ? Math.Max(x, 0) : v),
                    // Zeros around a constant make other means of it.
                    Node.AveragePool { Padding: > 0, CountsPadding: true } => Array.ConvertAll(first, v => v == 0 ? v : null),
                    Node.MaxPool or Node.AveragePool or Node.GlobalAveragePool or Node.Dropout => first,
                    // A channel of zeros stays one; any other is divided by what its neighbours say.
                    Node.LocalResponseNorm => Array.ConvertAll(first, v => v == 0 ? v : null),
                    Node.Shortcut => [.. Enumerable.Range(0, channels).Select(c => Source(i, c) is { } from ? first[from] : 0)],
                    Node.Add => [.. Enumerable.Range(0, channels).Select(c => inputs.Aggregate((double?)0, (sum, v) => sum + v[c]))],
                    Node.Concat => [.. inputs.SelectMany(v => v)],
                    _ => new double?[channels],
                };
            }
        }

        public void RemoveUnread()
        {
            bool[][] read = [.. spec.Shapes.Select(s => new bool[s.Channels])];
            read[^1].AsSpan().Fill(true);
            int layer = spec.Layers.Count;
            for (int i = spec.Nodes.Count - 1; i >= 0; i--)
            {
                bool[] output = read[i];
                if (spec.Nodes[i] is Node.Convolution or Node.FullyConnected)
                {
                    RemoveRows(--layer, output);
                }

                int offset = 0;
                foreach (int from in spec.Inputs[i])
                {
                    int channels = LayerReads.ShapeOf(spec, from).Channels;
                    for (int c = 0; c < channels && from != NetworkSpec.Image; c++)
                    {
                        read[from][c] |= spec.Nodes[i] switch
                        {
                            Node.Convolution or Node.FullyConnected => reads[layer].OfChannel(c).Any(j => weights.Weights[layer][j] != 0),
                            Node.LocalResponseNorm n => Enumerable.Range(c - (n.Size / 2), n.Size).Any(o => output.ElementAtOrDefault(o)),
                            Node.Shortcut => output[c + Before(i)],
                            Node.Concat => output[offset + c],
                            _ => output[c],
                        };
                    }

                    offset += channels;
                }
            }
        }

        /// <summary>Takes constant inputs out of a layer; the outputs that then read nothing are constant themselves.</summary>
        private double?[] Fold(int layer, double?[] input)
        {
            (float[] w, float[] b, int columns) = (weights.Weights[layer], weights.Biases[layer], spec.Layers[layer].Columns);
            var moved = new double[b.Length];
            for (int c = 0; c < input.Length; c++)
            {
                if (input[c] is not { } value || (value != 0 && !reads[layer].CanFold))
                {
                    continue;
                }

                foreach (int j in reads[layer].OfChannel(c))
                {
                    moved[j / columns] += value * w[j];
                    w[j] = 0;
                }
            }

            for (int row = 0; row < b.Length; row++)
            {
                b[row] = (float)(b[row] + moved[row]);
            }

            return [.. b.Select((bias, row) => reads[layer].OfRow(row).Any(j => w[j] != 0) ? (double?)null : bias)];
        }

        private static double?[] Normalize(float[] norm, double?[] input)
        {
            int n = input.Length;
            double Deviation(int c) => Math.Sqrt(norm[(3 * n) + c] + Node.BatchNorm.Epsilon);
            return [.. input.Select((v, c) => (norm[c] * (v - norm[(2 * n) + c]) / Deviation(c)) + norm[n + c])];
        }

        private void RemoveRows(int layer, bool[] read)
        {
            for (int row = 0; row < read.Length; row++)
            {
                if (!read[row])
                {
                    weights.Weights[layer].AsSpan(row * spec.Layers[layer].Columns, spec.Layers[layer].Columns).Clear();
                    weights.Biases[layer][row] = 0;
                }
            }
        }

        /// <summary>Channels of zeros that a shortcut puts before the others.</summary>
        private int Before(int step) => (spec.Shapes[step].Channels - LayerReads.ShapeOf(spec, spec.Inputs[step][0]).Channels) / 2;

        /// <summary>The channel that a shortcut hands on, or null for one of its zeros.</summary>
        private int? Source(int step, int channel)
        {
            int source = channel - Before(step);
            return source >= 0 && source < LayerReads.ShapeOf(spec, spec.Inputs[step][0]).Channels ? source : null;
        }
    }
}
