using AdmmKit.Networks;

namespace AdmmKit.Interop.Onnx;

/// <summary>What goes over rows and columns: kernels, windows, paddings, and the shortcut of a residual block.</summary>
internal sealed partial class OnnxImporter
{
    /// <summary>How a kernel or a window walks over its input.</summary>
    /// <param name="Window">Its rows and columns.</param>
    /// <param name="Stride">Inputs from one place to the next.</param>
    /// <param name="Padding">Rows and columns around the input.</param>
    /// <param name="Rows">Rows of the output.</param>
    /// <param name="Columns">Columns of the output.</param>
    private readonly record struct Walk(int Window, int Stride, int Padding, int Rows, int Columns)
    {
        /// <summary>The step's output, if it has the size that the file's own paddings give: then every window is the same.</summary>
        public void Check(ImageShape output)
        {
            if ((output.Height, output.Width) != (Rows, Columns))
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"its output is {Rows}x{Columns}, but {output.Height}x{output.Width} with {Padding} rows and columns on all sides, which is what is supported, in whole windows (ceil_mode 0): pad symmetrically, or choose another size of images."));
            }
        }
    }

    private static Walk WalkOf(OnnxNode node, ImageShape input, long[] kernel, int border)
    {
        long[] strides = node.Ints("strides") ?? [1, 1], dilations = node.Ints("dilations") ?? [1, 1];
        if (kernel is not [var window, var columns] || strides is not [var stride, var across] || dilations.Length != 2)
        {
            throw new AdmmKitException("only windows over rows and columns are supported, in two dimensions.");
        }

        if (window != columns || stride != across || Array.Exists(dilations, d => d != 1))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"its window is {window}x{columns}, stride {stride}x{across}, dilations {string.Join('x', dilations)}, and supported are square windows with one stride and without dilation."));
        }

        if (window is < 1 or > MaxSide || stride is < 1 or > MaxSide)
        {
            throw new AdmmKitException(FormattableString.Invariant($"a window of {window} and a stride of {stride} are out of bounds: 1 to {MaxSide}."));
        }

        long[] pads = Pads(node, input, (int)window, (int)stride);
        if (Array.Exists(pads, p => p is < 0 or > MaxSide) || pads[0] != pads[1])
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"its paddings are {string.Join(", ", pads)} (above, left, below, right), and supported is the same number on all sides."));
        }

        bool up = node.Int("ceil_mode", 0) != 0;
        int Places(int side, long before, long after)
        {
            long room = side + (2L * border) + before + after - window;
            long places = room < 0 ? 0 : (room / stride) + 1 + (up && room % stride > 0 ? 1 : 0);
            // A window that would begin in the padding after the input is none.
            return (int)(up && (places - 1) * stride >= side + border + before ? places - 1 : places);
        }

        return new Walk(
            (int)window, (int)stride, (int)pads[0] + border, Places(input.Height, pads[0], pads[2]), Places(input.Width, pads[1], pads[3]));
    }

    private static long[] Pads(OnnxNode node, ImageShape input, int window, int stride)
    {
        string auto = node.Text("auto_pad", "NOTSET");
        switch (auto)
        {
            case "NOTSET" or "":
                return node.Ints("pads") switch
                {
                    null => [0, 0, 0, 0],
                    { Length: 4 } pads => pads,
                    var pads => throw new BadFileException(FormattableString.Invariant($"it has {pads.Length} paddings in place of 4.")),
                };
            case "VALID":
                return [0, 0, 0, 0];
            case "SAME_UPPER" or "SAME_LOWER":
                long Total(int side) => Math.Max(0, (((((long)side + stride - 1) / stride) - 1) * stride) + window - side);
                (long rows, long columns, int more) = (Total(input.Height), Total(input.Width), auto == "SAME_LOWER" ? 1 : 0);
                (long top, long left) = ((rows + more) / 2, (columns + more) / 2);
                return [top, left, rows - top, columns - left];
            default:
                throw new BadFileException($"its auto_pad is {ForeignFile.Shown(auto)}, and not NOTSET, VALID, SAME_UPPER or SAME_LOWER.");
        }
    }

    private OnnxActivation MaxPool(OnnxNode node)
    {
        OnnxActivation x = Image(node);
        Walk walk = WalkOf(node, x.Shape, node.Ints("kernel_shape") ?? [], 0);
        // A stride that is the window is not said, as in a network that is built here.
        OnnxActivation pooled = Added(new Node.MaxPool(walk.Window, walk.Stride == walk.Window ? 0 : walk.Stride, walk.Padding), false, x);
        walk.Check(pooled.Shape);
        return pooled;
    }

    private OnnxActivation AveragePool(OnnxNode node)
    {
        // PyTorch puts a Pad before it where the zeros around count.
        (OnnxActivation x, int border) = ImageWithBorder(node);
        long[] kernel = node.Ints("kernel_shape") ?? [];
        // Of images that are not square, one window over all of it.
        if (kernel is [var rows, var columns] && rows != columns && rows == x.Shape.Height && columns == x.Shape.Width
            && border == 0 && Pads(node, x.Shape, 1, 1).All(p => p == 0))
        {
            return Added(new Node.GlobalAveragePool(), false, x);
        }

        Walk walk = WalkOf(node, x.Shape, kernel, border);
        bool counts = border == walk.Padding || node.Int("count_include_pad", 0) != 0;
        if (border > 0 && border != walk.Padding)
        {
            throw new AdmmKitException("it pads its input a second time: only one padding around means is supported.");
        }

        OnnxActivation pooled = Added(
            new Node.AveragePool(walk.Window, walk.Stride == walk.Window ? 0 : walk.Stride, walk.Padding, counts), false, x);
        walk.Check(pooled.Shape);
        return pooled;
    }

    private OnnxActivation ReduceMean(OnnxNode node)
    {
        OnnxActivation x = Image(node);
        long[] axes = [.. (Integers(node, 1, "axes") ?? []).Select(a => a < 0 ? a + 4 : a).Order()];
        return axes is [2, 3] ? Added(new Node.GlobalAveragePool(), node.Int("keepdims", 1) == 0, x)
            : throw new AdmmKitException("only the mean over rows and columns is supported (axes 2 and 3).");
    }

    /// <summary>Every so many rows and columns, from the first to the last: what a shortcut without weights begins with.</summary>
    private OnnxValue Slice(OnnxNode node)
    {
        OnnxPadded x = Unpadded(node);
        long[]? starts = Integers(node, 1, "starts"), ends = Integers(node, 2, "ends");
        long[]? axes = Integers(node, 3, "axes") ?? [0, 1, 2, 3];
        (int rows, int columns) = (x.Rows, x.Columns);
        for (int i = 0; starts is not null && ends is not null && i < starts.Length; i++)
        {
            long[] steps = Integers(node, 4, "steps") ?? [.. starts.Select(_ => 1L)];
            if (i >= ends.Length || i >= axes.Length || i >= steps.Length || axes[i] is < -4 or > 3)
            {
                throw new BadFileException("it does not say a start, an end and an axis of each slice.");
            }

            int axis = (int)(axes[i] < 0 ? axes[i] + 4 : axes[i]);
            int stride = axis == 2 ? x.Rows : x.Columns;
            long side = axis switch { 1 => x.Of.Shape.Channels, 2 => x.Of.Shape.Height, 3 => x.Of.Shape.Width, _ => int.MaxValue };
            bool whole = starts[i] == 0 && (ends[i] >= ((side - 1) / stride) + 1 || (axis == 0 && ends[i] == fixedBatch && fixedBatch > 0));
            if (!whole || steps[i] is < 1 or > MaxSide || (steps[i] > 1 && (axis < 2 || stride > 1)))
            {
                throw new AdmmKitException("it takes a part of its input, and only every so many rows and columns of all of it are supported, as in a shortcut without weights.");
            }

            rows = axis == 2 ? rows * (int)steps[i] : rows;
            columns = axis == 3 ? columns * (int)steps[i] : columns;
        }

        x = starts is null || ends is null ? throw new BadFileException("it does not say starts and ends.")
            : x with { Rows = rows, Columns = columns };
        // Where only part of a shortcut is there yet, the rest follows; otherwise the step stands where it is in the file.
        return sliced.Contains(node.Outputs[0]) ? x : Materialized(x);
    }

    /// <summary>
    /// Zeros: channels of them in a shortcut without weights, or rows and columns that the next operator counts as its own.
    /// </summary>
    private OnnxValue Pad(OnnxNode node)
    {
        OnnxPadded x = Unpadded(node);
        long[] pads = [.. (Integers(node, 1, "pads") ?? []).Select(Bounded)];
        float value = node.Has(2) ? Few(node, 2, 1)[0] : node.Float("value", 0);
        bool zeros = node.Text("mode", "constant") is "constant" or "" && value == 0 && !node.Has(3);
        if (!zeros || pads is not [0, var before, var top, var left, 0, var after, var bottom, var right])
        {
            throw new AdmmKitException("only zeros around rows and columns, or channels of zeros, are supported, with a number for each of the four dimensions.");
        }

        if (pads.All(p => p == 0))
        {
            return ValueOf(node.Inputs[0])!;
        }

        bool border = before == 0 && after == 0 && top > 0 && top == left && top == bottom && top == right && x.Rows == 1 && x.Columns == 1;
        bool channels = before >= 0 && after - before is 0 or 1 && top == 0 && left == 0 && bottom == 0 && right == 0;
        return border ? x with { Border = (int)top }
            : channels ? Materialized(x with { Before = (int)before, After = (int)after })
            : throw new AdmmKitException(FormattableString.Invariant(
                $"its paddings are {string.Join(", ", pads)}, and supported are as many zeros on all sides, or channels of them, half before and half after the others."));
    }

    /// <summary>An input, also one of which rows and columns were left out before.</summary>
    private OnnxPadded Unpadded(OnnxNode node) =>
        ValueOf(node.Inputs[0]) is OnnxPadded { Border: 0 } before ? before : new(Image(node), 1, 1, 0, 0, 0);

    private OnnxActivation Materialized(OnnxPadded x)
    {
        if (x.Border > 0 || x.Rows != x.Columns)
        {
            throw new AdmmKitException("what was padded or sliced before is supported only before a convolution or pooling, or as a shortcut with one stride.");
        }

        return x is { Rows: 1, Before: 0, After: 0 } ? x.Of
            : Added(new Node.Shortcut(x.Of.Shape.Channels + x.Before + x.After, x.Rows), false, x.Of);
    }

    /// <summary>An input with the zeros that a Pad puts around it.</summary>
    private (OnnxActivation Image, int Border) ImageWithBorder(OnnxNode node) =>
        ValueOf(node.Inputs[0]) is OnnxPadded { Border: > 0 } padded ? (padded.Of, padded.Border) : (Image(node), 0);
}
