using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Interop.Onnx;

/// <summary>Operators with weights, and the constants that these are.</summary>
internal sealed partial class OnnxImporter
{
    // Of all layers, as many as can be stored; sums over layers fit into an int.
    private const long MaxWeights = NetworkFile.MaxWeights;

    private OnnxActivation Convolution(OnnxNode node)
    {
        (OnnxActivation x, int border) = ImageWithBorder(node);
        OnnxNumbers weights = Weights(node, 1);
        if (weights.Dims is not [var filters, var channels, var rows, var columns])
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"its weights have {weights.Dims.Length} dimensions, and convolutions over rows and columns are supported: filters x channels x rows x columns."));
        }

        long groups = node.Int("group", 1);
        if (groups is < 1 or > MaxSide || channels * groups != x.Shape.Channels)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"its weights of {OnnxTensor.Shown(weights.Dims)} in {groups} groups read {channels * groups} channels, but its input is {x.Shape}."));
        }

        if (node.Ints("kernel_shape") is { } said && !said.SequenceEqual([rows, columns]))
        {
            throw new BadFileException($"its kernel_shape is {string.Join('x', said.Take(9))}, but its weights are {OnnxTensor.Shown(weights.Dims)}.");
        }

        Walk walk = WalkOf(node, x.Shape, [rows, columns], border);
        var convolution = new Node.Convolution("", filters, walk.Window, walk.Stride, walk.Padding, (int)groups, Biased: node.Has(2));
        ImageShape output = Bounded(convolution.OutputShape(x.Shape));
        walk.Check(output);
        return Added(new Step(convolution with { Name = NameOf(node, weights.Source, "conv") }, [x.Step], output)
        {
            Weights = weights,
            Biases = node.Has(2) ? Few(node, 2, filters) : null,
        }, false);
    }

    private OnnxActivation Gemm(OnnxNode node)
    {
        if (node.Int("transA", 0) != 0)
        {
            throw new AdmmKitException("it transposes its input, which has a row for each image: only transB is supported.");
        }

        OnnxNumbers weights = Scaled(Weights(node, 1), node.Float("alpha", 1));
        weights = node.Int("transB", 0) != 0 ? weights : Transposed(weights);
        return Connected(node, weights, node.Has(2) ? Bias(node, weights) : null);
    }

    private OnnxActivation MatMul(OnnxNode node) => Connected(node, Transposed(Weights(node, 1)), null);

    private float[] Bias(OnnxNode node, OnnxNumbers weights)
    {
        float beta = node.Float("beta", 1);
        float[] biases = Few(node, 2, weights.Dims.Length > 0 ? weights.Dims[0] : 0);
        return beta == 1 ? biases : [.. biases.Select(b => b * beta)];
    }

    private OnnxActivation Connected(OnnxNode node, OnnxNumbers weights, float[]? biases)
    {
        OnnxActivation x = Input(node);
        if (!x.IsFlat)
        {
            throw new AdmmKitException($"it reads images of {x.Shape} as a matrix: put a Flatten before it.");
        }

        if (weights.Dims is not [var outputs, var inputs] || inputs != x.Shape.Size || outputs == 0)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"its weights are {OnnxTensor.Shown(weights.Dims)} (outputs x inputs), but its input has {x.Shape.Size} numbers."));
        }

        var connected = new Node.FullyConnected(NameOf(node, weights.Source, "fc"), outputs);
        return Added(new Step(connected, [x.Step], Bounded(connected.OutputShape(x.Shape))) { Weights = weights, Biases = biases }, true);
    }

    private OnnxActivation BatchNormalization(OnnxNode node)
    {
        OnnxActivation x = Input(node);
        if (node.Int("training_mode", 0) != 0 || node.Int("spatial", 1) == 0 || (x.IsFlat && x.Shape is not { Height: 1, Width: 1 }))
        {
            throw new AdmmKitException("it normalizes with what it finds in the batch, or each number by itself, and supported are four numbers a channel: export the network for inference (in PyTorch: model.eval()).");
        }

        int channels = x.Shape.Channels;
        float[] numbers = [.. Few(node, 1, channels), .. Few(node, 2, channels), .. Few(node, 3, channels), .. Few(node, 4, channels)];
        Refit(numbers, channels, node.Float("epsilon", 1e-5f));
        string source = ValueOf(node.Inputs[1]) switch { OnnxStored s => s.Tensor.Name, OnnxNumbers n => n.Source, _ => "" };
        return Added(new Step(new Node.BatchNorm(NameOf(node, source, "bn")), [x.Step], x.Shape) { Normalization = numbers }, x.IsFlat);
    }

    /// <summary>
    /// A batch normalization here adds 1e-5 to the variance; what another one adds more or less goes into the variance itself.
    /// </summary>
    private static void Refit(float[] numbers, int channels, float epsilon)
    {
        double more = epsilon == (float)Node.BatchNorm.Epsilon ? 0 : epsilon - Node.BatchNorm.Epsilon;
        for (int i = 0; i < channels && more != 0; i++)
        {
            ref float variance = ref numbers[(3 * channels) + i];
            double refitted = variance + more;
            if (refitted < 0)
            {
                // No variance can be below 0: the scale makes up for the rest.
                numbers[i] = (float)(numbers[i] * Math.Sqrt(Node.BatchNorm.Epsilon / (variance + (double)epsilon)));
                refitted = 0;
            }

            variance = (float)refitted;
        }
    }

    private string NameOf(OnnxNode node, string source, string kind)
    {
        (string name, bool made) = names.For(node, source, kind);
        if (made)
        {
            notes.Add($"The {node.Shown} and its weights have no name that could be a layer's: it is called '{name}' here, by its place.");
        }

        if (source.Length > 0 && !weightsUsed.Add(source))
        {
            notes.Add($"The weights {ForeignFile.Shown(source)} are used several times in the file: here '{name}' has its own, and they may become different.");
        }

        return name;
    }

    /// <summary>What an operator computes of constants.</summary>
    private OnnxValue Folded(OnnxNode node, OnnxValue?[] inputs)
    {
        OnnxIntegers?[] integers = [.. inputs.Select(AsIntegers)];
        if (inputs.Index().All(i => i.Item is null || integers[i.Index] is not null)
            && OnnxArithmetic.Compute(node, integers) is { } result)
        {
            return result;
        }

        OnnxNumbers? numbers = inputs is [var first, ..] ? AsNumbers(first) : null;
        return (node.Operator, numbers) switch
        {
            ("Identity", _) => inputs[0]!,
            ("DequantizeLinear", _) => Dequantized(node, inputs),
            ("QuantizeLinear", not null) => Quantized(node, numbers),
            ("Cast", not null) when node.Int("to", 0) == (long)OnnxType.Float32 => numbers,
            ("Transpose", { Dims.Length: 2 }) when (node.Ints("perm") ?? [1, 0]) is [1, 0] => Transposed(numbers),
            ("Reshape", not null) when integers[1] is { } shape => Reshaped(numbers, shape.Values),
            _ => throw new AdmmKitException($"the operator {ForeignFile.Shown(node.Operator)} is not supported in this form on constants: have them folded when the network is exported (in PyTorch: do_constant_folding=True)."),
        };
    }

    private static OnnxValue Constant(OnnxNode node)
    {
        KeyValuePair<string, OnnxAttribute>? only = node.Attributes.Count == 1 ? node.Attributes.First() : null;
        (string name, OnnxAttribute? value) = (only?.Key ?? "", only?.Value);
        return (name, value) switch
        {
            ("value" or "sparse_value", { Tensor: { } tensor }) => new OnnxStored(tensor),
            ("value_int", not null) => new OnnxIntegers([], [value.Int]),
            ("value_ints", not null) => new OnnxIntegers([value.Ints.Length], value.Ints),
            ("value_float", not null) => new OnnxNumbers([], () => [value.Float], node.Outputs[0], 0, false),
            ("value_floats", not null) => new OnnxNumbers([value.Floats.Length], () => value.Floats, node.Outputs[0], 0, false),
            _ => throw new AdmmKitException("it has no value of numbers."),
        };
    }

    private static OnnxIntegers? AsIntegers(OnnxValue? value) => value switch
    {
        OnnxIntegers i => i,
        OnnxStored { Tensor: { IsInteger: true, Count: <= OnnxIntegers.Most, Places: null } t } => new OnnxIntegers(t.Dims, t.ToIntegers()),
        _ => null,
    };

    private static OnnxNumbers? AsNumbers(OnnxValue? value) => value switch
    {
        OnnxNumbers n => n,
        OnnxStored { Tensor: { IsFloat: true } t } => t.IsFinite() ? new OnnxNumbers(t.Dims, t.ToSingles, t.Name, 0, t.Places is not null)
            : throw new BadFileException($"tensor {ForeignFile.Shown(t.Name)} has a number that is not finite in float32."),
        _ => null,
    };

    private OnnxNumbers Numbers(OnnxNode node, int input) =>
        (node.Has(input) ? AsNumbers(ValueOf(node.Inputs[input])) : null) ?? throw new AdmmKitException(FormattableString.Invariant(
            $"its input {input}{(node.Has(input) ? ", " + ForeignFile.Shown(node.Inputs[input]) + "," : "")} has to be constant numbers of the file (an initializer or a Constant): {(node.Has(input) ? "it is computed, or of another type" : "it is left out")}."));

    /// <summary>The weights of a layer.</summary>
    private OnnxNumbers Weights(OnnxNode node, int input)
    {
        OnnxNumbers weights = Numbers(node, input);
        long count = ForeignFile.Product(weights.Dims);
        weightCount += count;
        return count > 0 && weightCount <= MaxWeights ? weights : throw new AdmmKitException(FormattableString.Invariant(
            $"its weights of {OnnxTensor.Shown(weights.Dims)} are none, or with those before more than {MaxWeights}."));
    }

    /// <summary>So many numbers, of which there may also be one for all; they stand in the file one by one.</summary>
    private float[] Few(OnnxNode node, int input, int count)
    {
        OnnxNumbers numbers = Numbers(node, input);
        long found = numbers.IsSparse ? -1 : ForeignFile.Product(numbers.Dims);
        return (found == count || found == 1) && numbers.Dims.Count(d => d != 1) <= 1
            ? found == count ? numbers.Read() : Repeated(numbers.Read()[0], count)
            : throw new BadFileException(FormattableString.Invariant(
                $"its input {input}, {ForeignFile.Shown(node.Inputs[input])}, is {OnnxTensor.Shown(numbers.Dims)}, and has to be {count} numbers that are stored one by one."));
    }

    private static float[] Repeated(float number, int count) => count <= MaxSide ? [.. Enumerable.Repeat(number, count)]
        : throw new AdmmKitException(FormattableString.Invariant($"one number for all of {count} channels is supported for at most {MaxSide}."));

    /// <summary>A number for each channel, in dimensions that spread it over its rows and columns.</summary>
    private float[] PerChannel(OnnxNode node, int input, OnnxActivation x)
    {
        int[] dims = Numbers(node, input).Dims;
        int channel = dims.Length - (x.IsFlat ? 1 : 3);
        return dims.Index().All(d => d.Item == 1 || d.Index == channel) ? Few(node, input, x.Shape.Channels) : throw new AdmmKitException(
            $"its constant of {OnnxTensor.Shown(dims)} is not a number for each channel ({(x.IsFlat ? "" : "1x")}{x.Shape.Channels}{(x.IsFlat ? "" : "x1x1")}) or one for all.");
    }

    private OnnxNumbers Dequantized(OnnxNode node, OnnxValue?[] inputs)
    {
        if (inputs[0] is not OnnxStored { Tensor: { IsInteger: true } levels })
        {
            return inputs[0] is OnnxNumbers { Q: > 0 } again && node.Has(1) ? again
                : throw new AdmmKitException("what it brings back is not a tensor of integers in the file.");
        }

        int axis = levels.Dims.Length == 0 ? 0 : (int)((node.Int("axis", 1) + levels.Dims.Length) % levels.Dims.Length);
        float[] scales = Numbers(node, 1) is { IsSparse: false } s ? s.Read() : [];
        long[] zeros = node.Has(2) ? AsStored(node, 2).ToIntegers() : [0];
        int side = scales.Length == 1 ? 1 : axis >= 0 && axis < levels.Dims.Length ? levels.Dims[axis] : 0;
        if (scales.Length == 0 || scales.Length != side || (zeros.Length != 1 && zeros.Length != side) || node.Int("block_size", 0) != 0
            || Array.Exists(scales, v => !float.IsFinite(v * int.MaxValue) || v == 0))
        {
            throw new AdmmKitException("it needs one scale, or one for each place of its axis, that is not 0, and as many zero points or none.");
        }

        int inner = levels.Dims.Skip(axis + 1).Aggregate(1, (a, d) => a * d);
        return new OnnxNumbers(levels.Dims, () =>
        {
            float[] read = levels.ToSingles();
            for (int i = 0; i < read.Length; i++)
            {
                int k = scales.Length == 1 ? 0 : i / inner % side;
                read[i] = (read[i] - zeros[zeros.Length == 1 ? 0 : k]) * scales[k];
            }

            return read;
        }, levels.Name, scales.Length == 1 && scales[0] > 0 ? scales[0] : 0, levels.Places is not null);
    }

    private OnnxTensor AsStored(OnnxNode node, int input) =>
        ValueOf(node.Inputs[input]) is OnnxStored { Tensor: { IsInteger: true, Places: null } tensor } ? tensor
        : throw new AdmmKitException(FormattableString.Invariant($"its input {input} has to be integers of the file."));

    /// <summary>Numbers that are rounded to multiples of a scale when the network runs; what brings them back gives what is here.</summary>
    private OnnxNumbers Quantized(OnnxNode node, OnnxNumbers numbers)
    {
        OnnxTensor? zero = node.Has(2) ? AsStored(node, 2) : null;
        float scale = Few(node, 1, 1)[0];
        bool signed = zero?.Type == OnnxType.Int8, fits = zero is null or { Count: 1, Type: OnnxType.Int8 or OnnxType.UInt8 };
        if (!(scale > 0) || !float.IsFinite(scale * int.MaxValue) || !fits)
        {
            throw new AdmmKitException("it is supported with one positive scale and one zero point of 8 bits.");
        }

        (long offset, int low, int high) = (zero?.ToIntegers()[0] ?? 0, signed ? -128 : 0, signed ? 127 : 255);
        float Rounded(float v) => (Math.Clamp(MathF.Round(v / scale, MidpointRounding.ToEven) + offset, low, high) - offset) * scale;
        return numbers with { Read = () => Array.ConvertAll(numbers.Read(), Rounded), Q = scale };
    }

    private static OnnxNumbers Scaled(OnnxNumbers x, float factor) =>
        factor == 1 ? x : x with { Read = () => [.. x.Read().Select(v => v * factor)], Q = 0 };

    private static OnnxNumbers Transposed(OnnxNumbers x)
    {
        if (x.Dims is not [var rows, var columns])
        {
            throw new AdmmKitException(FormattableString.Invariant($"its weights have {x.Dims.Length} dimensions, and a matrix is supported."));
        }

        return x with
        {
            Dims = [columns, rows],
            Read = () =>
            {
                float[] from = x.Read(), to = new float[from.Length];
                for (int i = 0; i < from.Length; i++)
                {
                    to[(i % columns * rows) + (i / columns)] = from[i];
                }

                return to;
            },
        };
    }

    private static OnnxNumbers Reshaped(OnnxNumbers x, long[] shape)
    {
        bool Fits(long d) => d is > 0 and <= int.MaxValue;
        long known = shape.Where(d => d != -1).Aggregate(1L, (a, d) => Fits(d) && Fits(a) ? a * d : 0);
        long size = ForeignFile.Product(x.Dims);
        long[] dims = known > 0 && shape.Count(d => d == -1) <= 1 ? [.. shape.Select(d => d == -1 ? size / known : d)] : [];
        int[] sides = [.. dims.Select(d => (int)Math.Min(d, int.MaxValue))];
        return sides.Length > 0 && ForeignFile.Product(sides) == size ? x with { Dims = sides }
            : throw new AdmmKitException("it gives constants a shape of another size.");
    }

    /// <summary>A list of numbers that an operator is given as an input, or in older versions of it as an attribute.</summary>
    private long[]? Integers(OnnxNode node, int input, string attribute) => !node.Has(input) ? node.Ints(attribute)
        : AsIntegers(ValueOf(node.Inputs[input]))?.Values ?? throw new AdmmKitException(FormattableString.Invariant(
            $"its input {input}, {ForeignFile.Shown(node.Inputs[input])}, has to be a few whole numbers that are known before the network runs: export it with constants folded."));
}
