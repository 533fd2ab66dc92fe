namespace AdmmKit.Interop.Onnx;

/// <summary>
/// Computes what exporters leave of a program's own arithmetic with shapes: for a reshape by the batch's size, or for paddings that
/// are put together of parts. A handful of numbers each; what is not covered here is an operator that is not supported.
/// </summary>
internal static class OnnxArithmetic
{
    /// <summary>The result, or null where this is no such operator or has another form of it.</summary>
    /// <param name="node">The operator.</param>
    /// <param name="inputs">What it reads, null where an optional one is left out.</param>
    public static OnnxIntegers? Compute(OnnxNode node, IReadOnlyList<OnnxIntegers?> inputs)
    {
        OnnxIntegers? x = inputs.Count > 0 ? inputs[0] : null, y = inputs.Count > 1 ? inputs[1] : null;
        OnnxIntegers? result = (node.Operator, x) switch
        {
            ("ConstantOfShape", not null) => Filled(node, x),
            ("Concat", not null) => Joined(node, inputs),
            (_, null) => null,
            ("Identity" or "Cast", _) => x,
            ("Shape", _) => List([.. x.Dims.Select(d => (long)d)]),
            ("Gather", _) => y is null ? null : Gathered(node, x, y),
            ("Unsqueeze", _) => (y?.Values ?? node.Ints("axes")) is [0] && x.Dims.Length == 0 ? x with { Dims = [1] } : null,
            ("Squeeze", _) => x.Dims is [1] ? x with { Dims = [] } : null,
            ("Reshape", _) => y is null ? null : Reshaped(x, y),
            ("Transpose", _) => x.Dims.Length == 2 && (node.Ints("perm") ?? [1, 0]) is [1, 0] ? Transposed(x) : null,
            ("Slice", _) => Sliced(node, x, inputs),
            ("Add" or "Sub" or "Mul" or "Div", _) => y is null ? null : Combined(node.Operator, x, y),
            _ => null,
        };
        return result is { Values.Length: <= OnnxIntegers.Most } ? result : null;
    }

    private static OnnxIntegers List(long[] values) => new([values.Length], values);

    private static OnnxIntegers? Filled(OnnxNode node, OnnxIntegers shape)
    {
        OnnxTensor? value = node.Attributes.TryGetValue("value", out OnnxAttribute? a) ? a.Tensor : null;
        return shape.Values is [var count and >= 0 and <= OnnxIntegers.Most] && value is null or { IsInteger: true, Count: 1 }
            ? List([.. Enumerable.Repeat(value?.ToIntegers()[0] ?? 0, (int)count)]) : null;
    }

    private static OnnxIntegers? Joined(OnnxNode node, IReadOnlyList<OnnxIntegers?> inputs) =>
        node.Int("axis", 0) is 0 or -1 && inputs.All(i => i is { Dims.Length: 1 })
        && inputs.Sum(i => (long)i!.Values.Length) <= OnnxIntegers.Most
        ? List([.. inputs.SelectMany(i => i!.Values)]) : null;

    private static OnnxIntegers? Gathered(OnnxNode node, OnnxIntegers x, OnnxIntegers indices)
    {
        int count = x.Values.Length;
        return x.Dims.Length == 1 && node.Int("axis", 0) is 0 or -1 && Array.TrueForAll(indices.Values, i => i >= -count && i < count)
            ? indices with { Values = Array.ConvertAll(indices.Values, i => x.Values[i < 0 ? i + count : i]) } : null;
    }

    private static OnnxIntegers? Reshaped(OnnxIntegers x, OnnxIntegers shape)
    {
        long[] dims = [.. shape.Values];
        long known = 1;
        foreach (long dim in dims)
        {
            known = dim == -1 ? known : dim is > 0 and <= OnnxIntegers.Most && known <= OnnxIntegers.Most ? known * dim : long.MaxValue;
        }

        if (dims.Count(d => d == -1) > 1 || known > OnnxIntegers.Most)
        {
            return null;
        }

        int open = Array.IndexOf(dims, -1);
        if (open >= 0)
        {
            dims[open] = x.Values.Length / known;
            known *= dims[open];
        }

        return known == x.Values.Length ? x with { Dims = [.. dims.Select(d => (int)d)] } : null;
    }

    private static OnnxIntegers Transposed(OnnxIntegers x)
    {
        (int rows, int columns) = (x.Dims[0], x.Dims[1]);
        return new([columns, rows], [.. Enumerable.Range(0, x.Values.Length).Select(i => x.Values[(i % rows * columns) + (i / rows)])]);
    }

    /// <summary>Some of the rows, or of the numbers of a list.</summary>
    private static OnnxIntegers? Sliced(OnnxNode node, OnnxIntegers x, IReadOnlyList<OnnxIntegers?> inputs)
    {
        long[]? Given(int input, string attribute) =>
            inputs.Count > input && inputs[input] is { } given ? given.Values : node.Ints(attribute);
        if (x.Dims.Length is not (1 or 2) || Given(1, "starts") is not [var start] || Given(2, "ends") is not [var end]
            || (Given(3, "axes") ?? [0]) is not [0] || (Given(4, "") ?? [1]) is not [var step] || step is 0 or long.MinValue)
        {
            return null;
        }

        int rows = x.Dims[0], columns = x.Dims.Length == 2 ? x.Dims[1] : 1;
        // As in Python: from the end where negative, and no further than there are rows.
        long Place(long at) => Math.Clamp(at < 0 ? at + rows : at, step > 0 ? 0 : -1, step > 0 ? rows : rows - 1);
        (long from, long to) = (Place(start), Place(end));
        var values = new List<long>();
        int taken = 0;
        for (long row = from; step > 0 ? row < to : row > to; row += step)
        {
            values.AddRange(x.Values.AsSpan((int)row * columns, columns));
            taken++;
            if (Math.Abs(step) > rows)
            {
                break;
            }
        }

        return new OnnxIntegers(x.Dims.Length == 2 ? [taken, columns] : [taken], [.. values]);
    }

    private static OnnxIntegers? Combined(string operation, OnnxIntegers x, OnnxIntegers y)
    {
        const long limit = int.MaxValue;
        // One number is spread over many; of two of them the one with more dimensions says how many there are.
        bool first = x.Values.Length == 1 && x.Dims.Length <= y.Dims.Length;
        bool second = y.Values.Length == 1 && y.Dims.Length <= x.Dims.Length;
        if ((!first && !second && !x.Dims.SequenceEqual(y.Dims)) || x.Values.Concat(y.Values).Any(v => v is < -limit or > limit)
            || (operation == "Div" && y.Values.Contains(0)))
        {
            return null;
        }

        OnnxIntegers all = second ? x : y;
        return all with
        {
            Values = [.. all.Values.Select((_, i) => (a: x.Values[first ? 0 : i], b: y.Values[second ? 0 : i])).Select(p => operation switch
            {
                "Add" => p.a + p.b,
                "Sub" => p.a - p.b,
                "Mul" => p.a * p.b,
                _ => p.a / p.b,
            })],
        };
    }
}
