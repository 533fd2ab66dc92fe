using AdmmKit.Networks;

namespace AdmmKit.Purification;

/// <summary>Which weights of a layer read which channel of its input.</summary>
/// <param name="layer">The layer.</param>
/// <param name="node">Its step.</param>
/// <param name="input">The shape of what it reads.</param>
internal sealed class LayerReads(LayerInfo layer, Node node, ImageShape input)
{
    private readonly int groups = node is Node.Convolution c ? c.Groups : 1;

    /// <summary>Channels of the input.</summary>
    public int Channels => input.Channels;

    /// <summary>
    /// Whether what every output gets from a constant channel is the same number everywhere, and its bias may hold it. With
    /// zeros around the image it is not: near the edge an output reads fewer values. Without trained biases there is no place.
    /// </summary>
    public bool CanFold { get; } = node is Node.FullyConnected or Node.Convolution { Padding: 0, Biased: true };

    /// <summary>Positions of the weights of one output, a row.</summary>
    public IEnumerable<int> OfRow(int row) => Enumerable.Range(row * layer.Columns, layer.Columns);

    /// <summary>Positions of the weights that read a channel: those of its columns, in the rows of its group.</summary>
    public IEnumerable<int> OfChannel(int channel)
    {
        (int perGroup, int rows) = (input.Channels / groups, layer.Rows / groups);
        int columns = layer.Columns / perGroup, first = channel % perGroup * columns, firstRow = channel / perGroup * rows;
        for (int row = firstRow; row < firstRow + rows; row++)
        {
            for (int column = first; column < first + columns; column++)
            {
                yield return (row * layer.Columns) + column;
            }
        }
    }

    /// <summary>The shape behind a step, or of the image.</summary>
    public static ImageShape ShapeOf(NetworkSpec spec, int step) => step == NetworkSpec.Image ? spec.Input : spec.Shapes[step];

    /// <summary>One for each layer of a network.</summary>
    public static LayerReads[] Of(NetworkSpec spec) =>
    [
        .. spec.Nodes.Select((node, i) => (node, Input: ShapeOf(spec, spec.Inputs[i][0])))
            .Where(s => s.node.Layer(s.Input) is not null)
            .Select((s, layer) => new LayerReads(spec.Layers[layer], s.node, s.Input)),
    ];
}
