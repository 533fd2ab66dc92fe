using AdmmKit.Engine.Layers;
using AdmmKit.Networks;

namespace AdmmKit.Engine;

/// <summary>Turns the description of a network into layers that are connected and have all their memory.</summary>
/// <param name="spec">The description.</param>
/// <param name="image">Where the images are loaded.</param>
/// <param name="context">What the layers share.</param>
internal sealed class GraphBuilder(NetworkSpec spec, FloatBuffer image, LayerContext context)
{
    // For each step the layer whose output it is: its own, or that of a layer which took the step over. Null: the image.
    private readonly Layer?[] layerOf = new Layer?[spec.Nodes.Count];
    private readonly List<Layer> layers = [];

    /// <summary>Steps that read each step.</summary>
    private readonly int[] readers = CountReaders(spec);

    /// <summary>The layers in order. There may be fewer than steps.</summary>
    public IReadOnlyList<Layer> Build()
    {
        spec.CheckGraph();
        bool[] trainedBelow = TrainedBelow();
        for (int i = 0; i < spec.Nodes.Count; i++)
        {
            Node node = spec.Nodes[i];
            int from = spec.Inputs[i][0];
            if (node is Node.Standardize)
            {
                if (i != 0 || spec.Inputs.Skip(1).Any(inputs => inputs.Contains(NetworkSpec.Image)))
                {
                    throw new AdmmKitException(
                        $"'{spec.Name}' cannot be computed: its pixels are standardized as they are loaded, so that must be the first step and the only one that reads the image.");
                }

                continue;
            }

            if (node is Node.Relu && from != NetworkSpec.Image && layerOf[from] is { CanRectify: true } rectified && readers[from] == 1)
            {
                rectified.Rectified = true;
                layerOf[i] = rectified;
                continue;
            }

            Source[] sources = [.. spec.Inputs[i].Select((f, k) => SourceOf(i, k, f, trainedBelow))];
            Layer layer = LayerFor(node, sources, spec.Shapes[i], MayOverwrite(node, from));
            layerOf[i] = layer;
            layers.Add(layer);
        }

        return layers;
    }

    private static int[] CountReaders(NetworkSpec spec)
    {
        var readers = new int[spec.Nodes.Count];
        foreach (int from in spec.Inputs.SelectMany(f => f).Where(f => f != NetworkSpec.Image))
        {
            readers[from]++;
        }

        return readers;
    }

    /// <summary>Whether a step, or one that it depends on, has something to train: else nobody reads its gradient.</summary>
    private bool[] TrainedBelow()
    {
        var trained = new bool[spec.Nodes.Count];
        for (int i = 0; i < trained.Length; i++)
        {
            trained[i] = spec.Nodes[i] is Node.Convolution or Node.FullyConnected or Node.BatchNorm
                || spec.Inputs[i].Any(f => f != NetworkSpec.Image && trained[f]);
        }

        return trained;
    }

    private Source SourceOf(int step, int place, int from, bool[] trainedBelow)
    {
        Layer? layer = from == NetworkSpec.Image ? null : layerOf[from];
        if (layer is null)
        {
            return new Source(spec.Input, image, null, Accumulate: false, Shared: true);
        }

        // Gradients are computed from the last step to the first: a later reader has already left its part.
        bool later = Enumerable.Range(step, spec.Nodes.Count - step)
            .Any(s => spec.Inputs[s].Where((f, k) => f == from && (s > step || k < place)).Any());
        return new Source(layer.OutputShape, layer.Output, context.ForTraining && trainedBelow[from] ? layer.OutputGradient : null, later, readers[from] > 1);
    }

    /// <summary>
    /// Whether a step may write over what it reads: nobody else reads that, and the layer that wrote it does not need it to go
    /// backward. Pooling and ReLU need their outputs, but only ask which of them were largest or above zero, which a ReLU
    /// after them does not change, where its own gradient is not zero; nor does dropout change the sign.
    /// </summary>
    private bool MayOverwrite(Node node, int from) => from != NetworkSpec.Image && readers[from] == 1 && (node, layerOf[from]) switch
    {
        (Node.Relu, not null) => true,
        (Node.Dropout, ConvolutionLayer or FullyConnectedLayer or BatchNormLayer or ReluLayer) => true,
        (Node.Add, BatchNormLayer or ConvolutionLayer { Rectified: false } or FullyConnectedLayer { Rectified: false }) => true,
        _ => false,
    };

    private Layer LayerFor(Node node, Source[] sources, ImageShape output, bool mayOverwrite) => node switch
    {
        Node.Convolution convolution => new ConvolutionLayer(convolution, sources, output, context),
        Node.FullyConnected connected => new FullyConnectedLayer(connected, sources, output, context),
        Node.MaxPool pool => new MaxPoolLayer(pool, sources, output, context),
        Node.AveragePool pool => new AveragePoolLayer(pool, sources, output, context),
        Node.GlobalAveragePool => new GlobalAveragePoolLayer(sources, output, context),
        Node.Relu => new ReluLayer(sources, context, mayOverwrite),
        Node.Dropout dropout => new DropoutLayer(dropout.Rate, layers.Count(l => l is DropoutLayer), sources, context, mayOverwrite),
        Node.BatchNorm norm => new BatchNormLayer(norm, sources, context),
        Node.LocalResponseNorm norm => new LocalResponseNormLayer(norm, sources, context),
        Node.Shortcut shortcut => new ShortcutLayer(shortcut, sources, output, context),
        Node.Add => new AddLayer(sources, context, mayOverwrite),
        Node.Concat => new ConcatLayer(sources, output, context),
        _ => throw new AdmmKitException($"The engine cannot compute a {node.GetType().Name} step."),
    };
}
