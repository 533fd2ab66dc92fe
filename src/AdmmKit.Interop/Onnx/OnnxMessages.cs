namespace AdmmKit.Interop.Onnx;

/// <summary>A ModelProto, as far as a network needs it.</summary>
/// <param name="Opset">The version of the operators of the default domain.</param>
/// <param name="Metadata">The texts of metadata_props.</param>
/// <param name="Graph">What it computes.</param>
internal sealed record OnnxModel(long Opset, IReadOnlyDictionary<string, string> Metadata, OnnxGraph Graph);

/// <summary>A GraphProto.</summary>
/// <param name="Name">Its name; exporters write something of their own.</param>
/// <param name="Nodes">The operators, each after those that it reads.</param>
/// <param name="Initializers">The stored tensors by name, also the sparse ones.</param>
/// <param name="Inputs">What it is given; in old files also the initializers.</param>
/// <param name="Outputs">The names of what it gives.</param>
internal sealed record OnnxGraph(
    string Name,
    IReadOnlyList<OnnxNode> Nodes,
    IReadOnlyDictionary<string, OnnxTensor> Initializers,
    IReadOnlyList<OnnxInput> Inputs,
    IReadOnlyList<string> Outputs);

/// <summary>A ValueInfoProto of an input.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its numbers.</param>
/// <param name="Shape">Its dimensions, 0 where one has a name or nothing at all; null where the file says nothing of them.</param>
internal sealed record OnnxInput(string Name, OnnxType Type, IReadOnlyList<long>? Shape);

/// <summary>A NodeProto: one operator.</summary>
/// <param name="Number">Its place in the graph, from 0.</param>
/// <param name="Name">Its name, often none.</param>
/// <param name="Operator">What it computes, such as "Conv".</param>
/// <param name="Domain">Whose operator that is; empty for ONNX itself.</param>
/// <param name="Inputs">The names of what it reads; empty where an optional one is left out.</param>
/// <param name="Outputs">The names of what it gives.</param>
/// <param name="Attributes">The rest by name.</param>
internal sealed record OnnxNode(
    int Number,
    string Name,
    string Operator,
    string Domain,
    IReadOnlyList<string> Inputs,
    IReadOnlyList<string> Outputs,
    IReadOnlyDictionary<string, OnnxAttribute> Attributes)
{
    /// <summary>What it is called in messages.</summary>
    public string Shown => Name.Length > 0
        ? $"node {ForeignFile.Shown(Name)} ({ForeignFile.Short(Operator)})"
        : FormattableString.Invariant(
            $"node {Number} without a name ({ForeignFile.Short(Operator)}{(Outputs.Count > 0 ? ", which gives " + ForeignFile.Shown(Outputs[0]) : "")})");

    /// <summary>Whether an input is there.</summary>
    public bool Has(int input) => input < Inputs.Count && Inputs[input].Length > 0;

    public long Int(string attribute, long otherwise) => Attributes.TryGetValue(attribute, out OnnxAttribute? a) ? a.Int : otherwise;

    public float Float(string attribute, float otherwise) => Attributes.TryGetValue(attribute, out OnnxAttribute? a) ? a.Float : otherwise;

    public string Text(string attribute, string otherwise) => Attributes.TryGetValue(attribute, out OnnxAttribute? a) ? a.Text : otherwise;

    public long[]? Ints(string attribute) => Attributes.TryGetValue(attribute, out OnnxAttribute? a) ? a.Ints : null;
}

/// <summary>An AttributeProto; what is not of its type is empty.</summary>
internal sealed record OnnxAttribute(long Int, float Float, string Text, long[] Ints, float[] Floats, OnnxTensor? Tensor);

/// <summary>TensorProto.DataType, by the numbers that the format gives them; those that no network of ours has are left out.</summary>
internal enum OnnxType
{
    Undefined = 0,
    Float32 = 1,
    UInt8 = 2,
    Int8 = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
    Float16 = 10,
    Float64 = 11,
    UInt32 = 12,
    UInt64 = 13,
    BFloat16 = 16,
}
