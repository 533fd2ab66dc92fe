using AdmmKit.Networks;

namespace AdmmKit.Interop.Onnx;

/// <summary>What stands for one value of the graph while it is read.</summary>
internal abstract record OnnxValue;

/// <summary>The output of a step, or the image.</summary>
/// <param name="Step">The step; <see cref="NetworkSpec.Image"/> for the image.</param>
/// <param name="Shape">Its shape for one image.</param>
/// <param name="IsFlat">Whether the graph sees it as [batch, numbers] in place of [batch, channels, rows, columns].</param>
internal sealed record OnnxActivation(int Step, ImageShape Shape, bool IsFlat) : OnnxValue;

/// <summary>(image - mean) / deviation of each channel, before a step needs it.</summary>
internal sealed record OnnxScaled(double[] Means, double[] Deviations) : OnnxValue;

/// <summary>Every so many rows and columns of a step's output, with zeros around, before it is known what for.</summary>
/// <param name="Of">The step's output.</param>
/// <param name="Rows">Inputs from one row to the next.</param>
/// <param name="Columns">Inputs from one column to the next.</param>
/// <param name="Before">Channels of zeros before the others.</param>
/// <param name="After">Channels of zeros after them.</param>
/// <param name="Border">Rows and columns of zeros around.</param>
internal sealed record OnnxPadded(OnnxActivation Of, int Rows, int Columns, int Before, int After, int Border) : OnnxValue;

/// <summary>A tensor of the file.</summary>
internal sealed record OnnxStored(OnnxTensor Tensor) : OnnxValue;

/// <summary>Constant numbers that are computed when they are needed.</summary>
/// <param name="Dims">Their dimensions.</param>
/// <param name="Read">Computes them.</param>
/// <param name="Source">The name of the tensor that they come from.</param>
/// <param name="Q">The interval of which all are whole multiples; 0 where there is none.</param>
/// <param name="IsSparse">Whether the file holds fewer than there are.</param>
internal sealed record OnnxNumbers(int[] Dims, Func<float[]> Read, string Source, float Q, bool IsSparse) : OnnxValue;

/// <summary>A few whole numbers that are known when the graph is read: shapes, axes, paddings.</summary>
/// <param name="Dims">Their dimensions.</param>
/// <param name="Values">The numbers, the last dimension running fastest.</param>
internal sealed record OnnxIntegers(int[] Dims, long[] Values) : OnnxValue
{
    /// <summary>Stands for the number of images, which a network does not depend on.</summary>
    public const long Batch = long.MinValue;

    /// <summary>As many as an expression may have.</summary>
    public const int Most = 1024;
}
