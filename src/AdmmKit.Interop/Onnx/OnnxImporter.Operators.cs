using System.Globalization;
using AdmmKit.Networks;

namespace AdmmKit.Interop.Onnx;

/// <summary>Operators without weights.</summary>
internal sealed partial class OnnxImporter
{
    /// <summary>Reads one operator, and gives its first output a meaning; the others are asked for by nobody, or it is refused.</summary>
    private bool Convert(OnnxNode node)
    {
        if (node.Domain.Length > 0)
        {
            throw new AdmmKitException($"is an operator of the domain {ForeignFile.Shown(node.Domain)}, not of ONNX itself. {Advice}");
        }

        if (node.Outputs.Count == 0 || node.Outputs[0].Length == 0 || node.Outputs.Skip(1).Any(o => readers.ContainsKey(o)))
        {
            throw new AdmmKitException("only the first output of an operator is supported, and something reads another one: have it exported without.");
        }

        OnnxValue?[] inputs = [.. node.Inputs.Select(ValueOf)];
        values[node.Outputs[0]] = node.Operator == "Constant" ? Constant(node)
            : Array.TrueForAll(inputs, i => i is null or OnnxStored or OnnxNumbers or OnnxIntegers) ? Folded(node, inputs)
            : Computed(node);
        return true;
    }

    private const string Advice = "Export the network without it, or have its effect folded into the layers beside it.";

    private OnnxValue Computed(OnnxNode node) => node.Operator switch
    {
        "Conv" => Convolution(node),
        "Gemm" => Gemm(node),
        "MatMul" => MatMul(node),
        "BatchNormalization" => BatchNormalization(node),
        "Relu" => Added(new Node.Relu(), Input(node).IsFlat, Input(node)),
        "MaxPool" => MaxPool(node),
        "AveragePool" => AveragePool(node),
        "GlobalAveragePool" => Added(new Node.GlobalAveragePool(), false, Image(node)),
        "ReduceMean" => ReduceMean(node),
        "LRN" => Added(ResponseNorm(node), false, Image(node)),
        "Dropout" => Dropout(node),
        "Identity" => ValueOf(node.Inputs[0])!,
        "Flatten" => Flatten(node),
        "Reshape" => Reshape(node),
        "Squeeze" => Squeezed(node),
        "Unsqueeze" => Unsqueezed(node),
        "Shape" => new OnnxIntegers([DimensionsOf(Input(node)).Length], DimensionsOf(Input(node))),
        "Concat" => Concat(node),
        "Sum" => Sum(node),
        "Add" or "Sub" or "Mul" or "Div" => Arithmetic(node),
        "Slice" => Slice(node),
        "Pad" => Pad(node),
        "Softmax" or "LogSoftmax" => Softmax(node),
        "QuantizeLinear" or "DequantizeLinear" => throw new AdmmKitException(
            "the outputs of layers are quantized, and here only weights are: export the network with weights alone quantized, or before it is quantized."),
        _ => throw new AdmmKitException(
            $"the operator {ForeignFile.Shown(node.Operator)} is not supported. Supported: {string.Join(", ", Supported)}. {Advice}"),
    };

    /// <summary>What a name stands for; null for the empty name of an input that is left out.</summary>
    private OnnxValue? ValueOf(string name)
    {
        if (name.Length == 0 || values.TryGetValue(name, out OnnxValue? value))
        {
            return name.Length == 0 ? null : values[name];
        }

        return Graph.Initializers.TryGetValue(name, out OnnxTensor? tensor) ? values[name] = new OnnxStored(tensor)
            : throw new BadFileException(
            $"it reads {ForeignFile.Shown(name)}, which neither an operator before it nor the file gives. Export the network again.");
    }

    /// <summary>The output of a step, or the image, that an operator reads.</summary>
    private OnnxActivation Input(OnnxNode node, int input = 0)
    {
        string name = node.Has(input) ? node.Inputs[input]
            : throw new BadFileException(FormattableString.Invariant($"it lacks its input {input}."));
        return AsActivation(ValueOf(name)!, name) ?? throw new AdmmKitException(
            FormattableString.Invariant($"its input {input}, {ForeignFile.Shown(name)}, is a constant, and has to be what the network computes."));
    }

    private OnnxActivation? AsActivation(OnnxValue value, string name)
    {
        OnnxActivation? activation = value switch
        {
            OnnxActivation a => a,
            OnnxScaled s => Materialized(s),
            OnnxPadded p => Materialized(p),
            _ => null,
        };
        if (activation is not null)
        {
            // Whoever reads it next reads the same step.
            values[name] = activation;
        }

        return activation;
    }

    /// <summary>An input of channels, rows and columns.</summary>
    private OnnxActivation Image(OnnxNode node, int input = 0) => Unflattened(Input(node, input));

    private static OnnxActivation Unflattened(OnnxActivation x) => !x.IsFlat ? x : throw new AdmmKitException(
        "it reads numbers in a row, and needs channels, rows and columns: [batch, channels, rows, columns].");

    private static Node.LocalResponseNorm ResponseNorm(OnnxNode node) => new(
        (int)Bounded(node.Int("size", 0)),
        Decimal(node.Float("alpha", 1e-4f)),
        Decimal(node.Float("beta", 0.75f)),
        Decimal(node.Float("bias", 1)));

    private OnnxActivation Flatten(OnnxNode node)
    {
        (OnnxActivation x, long axis) = (Input(node), node.Int("axis", 1));
        return axis is 1 or -3 || (x.IsFlat && axis == -1) ? x with { IsFlat = true } : throw new AdmmKitException(
            FormattableString.Invariant($"it flattens from axis {axis} on, and axis 1 is supported: all numbers of an image in a row."));
    }

    private OnnxActivation Dropout(OnnxNode node)
    {
        float rate = node.Has(1) ? Few(node, 1, 1)[0] : node.Float("ratio", 0.5f);
        OnnxActivation x = Input(node);
        return Added(new Node.Dropout(Decimal(rate)), x.IsFlat, x);
    }

    private OnnxActivation Reshape(OnnxNode node)
    {
        OnnxActivation x = Input(node);
        long[] source = DimensionsOf(x), wanted = [.. Integers(node, 1, "shape") ?? throw new BadFileException("it does not say a shape.")];
        string Shown(long side) => side == OnnxIntegers.Batch ? "batch" : side.ToString(CultureInfo.InvariantCulture);
        string shown = string.Join(", ", wanted.Take(9).Select(Shown));
        for (int i = 0; i < wanted.Length; i++)
        {
            wanted[i] = wanted[i] == 0 && node.Int("allowzero", 0) == 0 && i < source.Length ? source[i] : wanted[i];
        }

        bool first = wanted.Length > 1 && (wanted[0] is -1 or OnnxIntegers.Batch || (fixedBatch > 0 && wanted[0] == fixedBatch));
        long[] rest = first ? wanted[1..] : [];
        int open = Array.IndexOf(rest, -1);
        bool single = wanted.Count(d => d == -1) <= 1;
        bool Is(long[] sides) => single && rest.Length == sides.Length
            && rest.Index().All(r => r.Item == sides[r.Index] || r.Index == open);
        return Is([x.Shape.Size]) ? x with { IsFlat = true }
            : Is([x.Shape.Channels, x.Shape.Height, x.Shape.Width]) ? x with { IsFlat = false }
            : throw new AdmmKitException($"it makes [{shown}] of images of {x.Shape}, and only reshapes are supported that put all numbers of an image in a row ([batch, {x.Shape.Size}]), or leave it as it is.");
    }

    private OnnxActivation Squeezed(OnnxNode node)
    {
        OnnxActivation x = Input(node);
        long[] axes = [.. (Integers(node, 1, "axes") ?? []).Select(a => a < 0 ? a + 4 : a).Order()];
        return !x.IsFlat && axes is [] or [2, 3] && x.Shape is { Height: 1, Width: 1 } ? x with { IsFlat = true }
            : throw new AdmmKitException("only rows and columns of a single number are taken away (axes 2 and 3).");
    }

    private OnnxActivation Unsqueezed(OnnxNode node)
    {
        OnnxActivation x = Input(node);
        long[] axes = [.. (Integers(node, 1, "axes") ?? []).Select(a => a < 0 ? a + 4 : a).Order()];
        return x.IsFlat && axes is [2, 3] && x.Shape is { Height: 1, Width: 1 } ? x with { IsFlat = false }
            : throw new AdmmKitException("only rows and columns of a single number are added to numbers in a row (axes 2 and 3).");
    }

    private OnnxActivation Concat(OnnxNode node)
    {
        OnnxActivation[] parts = [.. node.Inputs.Select((_, i) => Input(node, i))];
        bool flat = parts[0].IsFlat;
        return node.Int("axis", 1) is var axis && (axis == 1 || axis == (flat ? -1 : -3)) && Array.TrueForAll(parts, p => p.IsFlat == flat)
            ? parts.Length == 1 ? parts[0] : Added(new Node.Concat(), flat, parts)
            : throw new AdmmKitException(FormattableString.Invariant($"it puts its inputs together along axis {axis}, and axis 1 is supported, the channels, of inputs with as many dimensions."));
    }

    private OnnxActivation Sum(OnnxNode node)
    {
        OnnxActivation[] parts = [.. node.Inputs.Select((_, i) => Input(node, i))];
        return Array.Exists(parts, p => p.IsFlat != parts[0].IsFlat)
            ? throw new AdmmKitException("its inputs do not have as many dimensions.")
            : parts.Length == 1 ? parts[0] : Added(new Node.Add(), parts[0].IsFlat, parts);
    }

    /// <summary>
    /// A sum of two outputs; a bias, where a constant is added to what a layer gives; the standardization of the image, where
    /// constants are added to and multiplied with it.
    /// </summary>
    private OnnxValue Arithmetic(OnnxNode node)
    {
        OnnxValue? a = ValueOf(node.Inputs[0]);
        OnnxValue? b = node.Has(1) ? ValueOf(node.Inputs[1]) : throw new BadFileException("it lacks its input 1.");
        bool IsConstant(OnnxValue? v) => v is OnnxStored or OnnxNumbers;
        if (!IsConstant(a) && !IsConstant(b) && node.Operator == "Add")
        {
            return Sum(node);
        }

        int constant = IsConstant(b) ? 1 : 0;
        if (!IsConstant(constant == 1 ? b : a) || (constant == 0 && node.Operator is "Sub" or "Div"))
        {
            throw new AdmmKitException($"'{node.Operator}' is supported for two outputs only as a sum; with a constant it is output {node.Operator switch { "Sub" => "minus", "Div" => "over", _ => "and" }} constant. {Advice}");
        }

        OnnxValue x = (constant == 1 ? a : b)!;
        if (x is OnnxActivation { Step: >= 0 } output && steps[output.Step] is { Weights: not null } layer
            && node.Operator is "Add" or "Sub" && readers[node.Inputs[1 - constant]] == 1)
        {
            float[] added = PerChannel(node, constant, output);
            layer.Biases = [.. added.Select((v, i) => (node.Operator == "Sub" ? -v : v) + (layer.Biases?[i] ?? 0))];
            layer.Node = layer.Node is Node.Convolution c ? c with { Biased = true } : layer.Node;
            return output;
        }

        OnnxScaled? scaled = x as OnnxScaled;
        if (scaled is null && x is OnnxActivation { Step: NetworkSpec.Image })
        {
            double[] Each(float number) => Array.ConvertAll(Repeated(number, InputShape.Channels), v => (double)v);
            scaled = new OnnxScaled(Each(0), Each(1));
        }

        if (scaled is null)
        {
            throw new AdmmKitException(options.Standardize is not null && x is OnnxActivation { Step: 0 }
                ? "the network standardizes its images itself: leave mean and deviation of the pixels out."
                : $"constants are added to and multiplied with the image alone, and added to what a layer gives. {Advice}");
        }

        double[] numbers = [.. PerChannel(node, constant, new OnnxActivation(NetworkSpec.Image, InputShape, false)).Select(v => (double)v)];
        (double[] m, double[] d) = (scaled.Means, scaled.Deviations);
        return node.Operator switch
        {
            "Sub" => scaled with { Means = [.. m.Select((v, i) => v + (numbers[i] * d[i]))] },
            "Add" => scaled with { Means = [.. m.Select((v, i) => v - (numbers[i] * d[i]))] },
            "Div" => scaled with { Deviations = [.. d.Select((v, i) => v * numbers[i])] },
            _ => scaled with { Deviations = [.. d.Select((v, i) => v / numbers[i])] },
        };
    }

    private OnnxActivation Materialized(OnnxScaled scaled)
    {
        var image = new OnnxActivation(NetworkSpec.Image, InputShape, false);
        (float[] means, float[] deviations) = ([.. scaled.Means.Select(m => (float)m)], [.. scaled.Deviations.Select(d => (float)d)]);
        return Array.TrueForAll(means, m => m == 0) && Array.TrueForAll(deviations, d => d == 1) ? image
            : !Array.TrueForAll(means, float.IsFinite) || !Array.TrueForAll(deviations, d => d > 0 && float.IsFinite(d))
            ? throw new AdmmKitException("the image is multiplied by something else than positive numbers, or a number is not finite: let the first layer's weights do so.")
            : Added(new Node.Standardize(means, deviations), false, image);
    }

    private OnnxActivation Softmax(OnnxNode node)
    {
        OnnxActivation x = Input(node);
        long axis = node.Int("axis", model.Opset < 13 ? 1 : -1);
        bool last = node.Outputs[0] == Graph.Outputs[0] && readers[node.Outputs[0]] == 1;
        if (!last || (axis != 1 && axis != (x.IsFlat ? -1 : -3)) || (!x.IsFlat && x.Shape is not { Height: 1, Width: 1 }))
        {
            throw new AdmmKitException("it is supported over the classes, as the last operator alone, where it is left out because it belongs to the loss.");
        }

        ending = node.Operator == "Softmax" ? OnnxEnding.Softmax : OnnxEnding.LogSoftmax;
        return x;
    }

    private static long[] DimensionsOf(OnnxActivation x) => x.IsFlat
        ? [OnnxIntegers.Batch, x.Shape.Size] : [OnnxIntegers.Batch, x.Shape.Channels, x.Shape.Height, x.Shape.Width];

    private static long Bounded(long number) => number is >= -MaxSide and <= MaxSide ? number
        : throw new AdmmKitException(FormattableString.Invariant($"it has the number {number}, which is beyond {MaxSide}."));

    /// <summary>The shortest decimal number that is this float32: 1e-4 is meant by 0.0000999999974.</summary>
    private static double Decimal(float number) =>
        double.Parse(number.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
