using AdmmKit.Networks;

namespace AdmmKit.Hardware.Simulation;

/// <summary>A layer as an array sees it: which of its weights and activations are not zero, and where each weight is used.</summary>
public sealed class SimulatedLayer
{
    // An operand's row and column are stored in 16 bits.
    private const int LargestPlane = 16_384;

    private SimulatedLayer(LayerInfo layer, ImageShape input, ImageShape output, bool[] weights, bool[]? activations)
    {
        (Layer, Input, Output, Weights, Activations) = (layer, input, output, weights, activations);
        if (input.Height > LargestPlane || input.Width > LargestPlane)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{layer.Name}' reads {input.Height}x{input.Width}: give it at most {LargestPlane} rows and columns."));
        }

        if (weights.Length != layer.WeightCount)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The mask of layer '{layer.Name}' has {weights.Length} entries for its {layer.WeightCount} weights: give one each."));
        }

        if (activations is not null && activations.Length != input.Size)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{layer.Name}' has {input.Size} inputs, and their mask {activations.Length} entries: give one each."));
        }
    }

    /// <summary>The layer; its <see cref="LayerInfo.Macs"/> are those of the dense layer.</summary>
    public LayerInfo Layer { get; }

    /// <summary>Shape of its input: one position for a fully connected layer.</summary>
    public ImageShape Input { get; }

    /// <summary>Shape of its output.</summary>
    public ImageShape Output { get; }

    /// <summary>Inputs from one output to the next.</summary>
    public int Stride { get; private init; } = 1;

    /// <summary>Rows and columns of zeros around the input.</summary>
    public int Padding { get; private init; }

    /// <summary>Groups that the channels are split into.</summary>
    public int Groups { get; private init; } = 1;

    /// <summary>Which weights survive, rows x columns as in <see cref="LayerInfo"/>.</summary>
    public bool[] Weights { get; }

    /// <summary>Which inputs are not zero, channels x rows x columns; null where none is.</summary>
    public bool[]? Activations { get; }

    /// <summary>A convolution.</summary>
    /// <param name="convolution">Its geometry.</param>
    /// <param name="input">Shape of its input.</param>
    /// <param name="weights">Which weights survive, rows x columns.</param>
    /// <param name="activations">Which inputs are not zero, channels x rows x columns; null where none is zero.</param>
    /// <exception cref="AdmmKitException">A mask does not fit the layer, or the layer its input.</exception>
    public static SimulatedLayer Of(Node.Convolution convolution, ImageShape input, bool[] weights, bool[]? activations = null)
    {
        ArgumentNullException.ThrowIfNull(convolution);
        ArgumentNullException.ThrowIfNull(weights);
        return new(convolution.Layer(input), input, convolution.OutputShape(input), weights, activations)
        {
            Stride = convolution.Stride,
            Padding = convolution.Padding,
            Groups = convolution.Groups,
        };
    }

    /// <summary>A fully connected layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="weights">Which weights survive, outputs x inputs.</param>
    /// <param name="activations">Which inputs are not zero; null where none is zero.</param>
    /// <exception cref="AdmmKitException">A mask does not fit the layer.</exception>
    public static SimulatedLayer FullyConnected(LayerInfo layer, bool[] weights, bool[]? activations = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(weights);
        return new(layer, new ImageShape(layer.InputChannels, 1, 1), new ImageShape(layer.Rows, 1, 1), weights, activations);
    }

    /// <summary>The product of two sparse matrices, as the convolution with 1x1 kernels that it is.</summary>
    /// <param name="rows">Rows of the left matrix.</param>
    /// <param name="inner">Its columns, and rows of the right one.</param>
    /// <param name="columns">Columns of the right matrix.</param>
    /// <param name="left">Which entries of the left matrix are not zero, row by row.</param>
    /// <param name="right">Which entries of the right matrix are not zero, row by row.</param>
    /// <exception cref="AdmmKitException">A mask does not fit its matrix.</exception>
    public static SimulatedLayer Product(int rows, int inner, int columns, bool[] left, bool[] right) =>
        Of(new Node.Convolution("product", rows, 1), new ImageShape(inner, 1, columns), left, right);

    /// <summary>All layers of a network.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="weights">Which weights of a layer survive, by its position and description.</param>
    /// <param name="activations">Which inputs of a layer are not zero, by its position and their shape; null where none is zero.</param>
    /// <exception cref="AdmmKitException">A mask does not fit its layer, or the graph is not known.</exception>
    public static IEnumerable<SimulatedLayer> Of(
        NetworkSpec spec, Func<int, LayerInfo, bool[]> weights, Func<int, ImageShape, bool[]?> activations)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(activations);
        spec.CheckGraph();
        for (int i = 0, layer = 0; i < spec.Nodes.Count; i++)
        {
            int from = spec.Inputs[i][0];
            ImageShape input = from == NetworkSpec.Image ? spec.Input : spec.Shapes[from];
            if (spec.Nodes[i].Layer(input) is not { } info)
            {
                continue;
            }

            yield return spec.Nodes[i] is Node.Convolution convolution
                ? Of(convolution, input, weights(layer, info), activations(layer, input))
                : FullyConnected(info, weights(layer, info), activations(layer, new ImageShape(input.Size, 1, 1)));
            layer++;
        }
    }

    /// <summary>A mask of positions: those of a stored layer, or so many drawn at random.</summary>
    /// <param name="count">Its length.</param>
    /// <param name="positions">Where it is true, each in [0, count).</param>
    public static bool[] Mask(int count, IEnumerable<int> positions)
    {
        ArgumentNullException.ThrowIfNull(positions);
        var mask = new bool[count];
        foreach (int position in positions)
        {
            mask[position] = true;
        }

        return mask;
    }

    /// <summary>A mask whose entries are set independently of each other.</summary>
    /// <param name="count">Entries.</param>
    /// <param name="density">Probability of each to be set, in [0, 1].</param>
    /// <param name="random">Where the randomness comes from.</param>
    /// <exception cref="AdmmKitException">The density is no share.</exception>
    public static bool[] UniformMask(int count, double density, RandomStream random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (!(density is >= 0 and <= 1))
        {
            throw new AdmmKitException(FormattableString.Invariant($"A density is a share from 0 to 1, not {density}."));
        }

        var mask = new bool[count];
        for (int i = 0; i < count; i++)
        {
            mask[i] = random.NextDouble() < density;
        }

        return mask;
    }
}
