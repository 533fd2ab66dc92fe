using AdmmKit.Networks;

namespace AdmmKit.Interop;

/// <summary>What an ONNX file does not say of itself.</summary>
public sealed record OnnxImport
{
    /// <summary>
    /// The shape of one image; asked for only where the file leaves it open, or takes numbers in a row, and must fit what it says. Null
    /// where nothing is known of it.
    /// </summary>
    public Func<ImageShape>? Input { get; init; }

    /// <summary>
    /// What brings pixels in [0, 1] to the scale that the network was trained with; becomes its first step. One mean and one deviation
    /// are those of all channels. Null where the file does so itself, or the network was trained on pixels in [0, 1].
    /// </summary>
    public Node.Standardize? Standardize { get; init; }
}

/// <summary>What makes probabilities of a network's outputs, which the loss does here.</summary>
public enum OnnxEnding
{
    /// <summary>The outputs are as they are.</summary>
    None,

    /// <summary>exp(x) divided by its sum over the classes.</summary>
    Softmax,

    /// <summary>The logarithm of that.</summary>
    LogSoftmax,
}

/// <summary>How weights stand in an ONNX file.</summary>
public enum OnnxForm
{
    /// <summary>As float32, zeros included.</summary>
    Dense,

    /// <summary>
    /// As integers with an interval, brought back by DequantizeLinear, where that gives exactly the weights: level x q_i, sec. 3.4.2
    /// in [Ren2019]; as float32 elsewhere.
    /// </summary>
    Quantized,

    /// <summary>As the survivors alone with their places (sparse_initializer), where that is shorter; as float32 elsewhere.</summary>
    Sparse,
}

/// <summary>How a network is written.</summary>
public sealed record OnnxExport
{
    /// <summary>How its weights stand in the file.</summary>
    public OnnxForm Form { get; init; }

    /// <summary>
    /// Whether the file takes pixels in [0, 1] and standardizes them itself, where the network does so; otherwise it is for images that
    /// already are.
    /// </summary>
    public bool Standardize { get; init; } = true;

    /// <summary>What follows the last step.</summary>
    public OnnxEnding Ending { get; init; }

    /// <summary>The name of the input.</summary>
    public string InputName { get; init; } = "input";

    /// <summary>The name of the output.</summary>
    public string OutputName { get; init; } = "output";
}
