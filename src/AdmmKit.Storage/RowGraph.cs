using AdmmKit.Networks;

namespace AdmmKit.Storage;

/// <summary>Who reads the rows of a layer.</summary>
internal static class RowGraph
{
    /// <summary>For each layer the rows on which anything depends: those that a survivor of another layer or the output reads.</summary>
    public static bool[][] ReadRows(CompressedNetwork network)
    {
        NetworkSpec spec = network.Spec;
        if (!spec.HasGraph)
        {
            return [.. spec.Layers.Select(l => Enumerable.Repeat(true, l.Rows).ToArray())];
        }

        bool[][] read = [.. spec.Layers.Select(l => new bool[l.Rows])];
        // For each step and channel the rows that it is made of; none for those of the image.
        var sources = new List<(int Layer, int Row)>[spec.Nodes.Count][];
        List<(int Layer, int Row)>[] image = [.. Enumerable.Range(0, spec.Input.Channels).Select(_ => new List<(int, int)>())];
        int layers = 0;
        for (int i = 0; i < sources.Length; i++)
        {
            List<(int Layer, int Row)>[][] from = [.. spec.Inputs[i].Select(f => f == NetworkSpec.Image ? image : sources[f])];
            ImageShape input = spec.Inputs[i][0] == NetworkSpec.Image ? spec.Input : spec.Shapes[spec.Inputs[i][0]];
            if (spec.Nodes[i].Layer(input) is not null)
            {
                Mark(network.Layers[layers], input, from[0], read);
                int layer = layers++;
                int rows = network.Layers[layer].Layer.Rows;
                sources[i] = [.. Enumerable.Range(0, rows).Select(row => new List<(int, int)> { (layer, row) })];
                continue;
            }

            sources[i] = spec.Nodes[i] switch
            {
                Node.Add or Node.Concat or Node.Shortcut => Joined(spec.Nodes[i], from, spec.Shapes[i].Channels),
                // Each channel is divided by what its neighbours hold: whoever reads any may read all.
                Node.LocalResponseNorm => [.. Enumerable.Repeat(from[0].SelectMany(s => s).ToList(), from[0].Length)],
                _ => from[0],
            };
        }

        foreach ((int layer, int row) in sources[^1].SelectMany(s => s))
        {
            read[layer][row] = true;
        }

        return read;
    }

    /// <summary>
    /// The network with the rows of a layer in another order, and what reads them adjusted; the same one where that cannot be.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="order">For each new row the old one.</param>
    public static CompressedNetwork WithRows(CompressedNetwork network, int layer, int[] order)
    {
        if (Readers(network.Spec, layer) is not var (layers, normalizations))
        {
            return network;
        }

        var place = new int[order.Length];
        for (int row = 0; row < order.Length; row++)
        {
            place[order[row]] = row;
        }

        CompressedLayer[] changed = [.. network.Layers];
        int width = changed[layer].Layer.Columns;
        changed[layer] = changed[layer].Moved(p => (place[p / width] * width) + (p % width), order);
        foreach (int reader in layers)
        {
            int columns = changed[reader].Layer.Columns;
            int map = columns / order.Length;
            changed[reader] = changed[reader].Moved(p => (p / columns * columns) + (place[p % columns / map] * map) + (p % map), null);
        }

        float[][] numbers = [.. network.Normalizations];
        foreach (int norm in normalizations)
        {
            float[] old = numbers[norm];
            numbers[norm] = [.. old.Select((_, i) => old[(i / order.Length * order.Length) + order[i % order.Length]])];
        }

        return new CompressedNetwork(network.Spec, changed, numbers);
    }

    /// <summary>The layers and batch normalizations that read a layer's rows as they are; null where anything else does.</summary>
    private static (List<int> Layers, List<int> Normalizations)? Readers(NetworkSpec spec, int layer)
    {
        if (!spec.HasGraph)
        {
            return null;
        }

        (List<int> layers, List<int> normalizations) = ([], []);
        var carries = new bool[spec.Nodes.Count];
        (int layerCount, int normCount) = (0, 0);
        for (int i = 0; i < carries.Length; i++)
        {
            Node node = spec.Nodes[i];
            ImageShape input = spec.Inputs[i][0] == NetworkSpec.Image ? spec.Input : spec.Shapes[spec.Inputs[i][0]];
            bool reads = spec.Inputs[i].Any(f => f != NetworkSpec.Image && carries[f]);
            bool isLayer = node.Layer(input) is not null;
            if (reads)
            {
                switch (node)
                {
                    case Node.FullyConnected or Node.Convolution { Groups: 1 }:
                        layers.Add(layerCount);
                        break;
                    case Node.BatchNorm:
                        normalizations.Add(normCount);
                        carries[i] = true;
                        break;
                    case Node.Relu or Node.MaxPool or Node.AveragePool or Node.GlobalAveragePool or Node.Dropout:
                        carries[i] = true;
                        break;
                    default:
                        return null;
                }
            }

            carries[i] |= isLayer && layerCount == layer;
            layerCount += isLayer ? 1 : 0;
            normCount += node.Normalization(input) is not null ? 1 : 0;
        }

        // Rows that reach the output are the classes.
        return carries[^1] ? null : (layers, normalizations);
    }

    private static void Mark(CompressedLayer layer, ImageShape input, List<(int Layer, int Row)>[] sources, bool[][] read)
    {
        LayerInfo info = layer.Layer;
        int map = info.Kind == LayerKind.FullyConnected ? input.Height * input.Width : info.KernelHeight * info.KernelWidth;
        int channels = info.Columns / map;
        int groups = input.Channels / channels;
        foreach (int position in layer.Positions)
        {
            int group = position / info.Columns / (info.Rows / groups);
            foreach ((int source, int row) in sources[(group * channels) + (position % info.Columns / map)])
            {
                read[source][row] = true;
            }
        }
    }

    private static List<(int Layer, int Row)>[] Joined(Node node, List<(int Layer, int Row)>[][] from, int channels)
    {
        var joined = new List<(int Layer, int Row)>[channels];
        for (int channel = 0; channel < channels; channel++)
        {
            joined[channel] = [];
        }

        int start = 0;
        foreach (List<(int Layer, int Row)>[] source in from)
        {
            int offset = node is Node.Concat ? start : (channels - source.Length) / 2;
            for (int channel = 0; channel < source.Length; channel++)
            {
                joined[channel + offset].AddRange(source[channel]);
            }

            start += source.Length;
        }

        return joined;
    }
}
