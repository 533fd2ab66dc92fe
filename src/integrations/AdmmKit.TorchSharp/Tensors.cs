using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>Numbers into tensors and out again, on any device. What is made here belongs to the caller's dispose scope.</summary>
internal static class Tensors
{
    // A method in TorchSharp up to 0.99, a property later; found once, so that one source runs with both.
    private static readonly Func<Tensor, Tensor?> GradientOf =
        (typeof(Tensor).GetMethod("grad", Type.EmptyTypes) ?? typeof(Tensor).GetProperty("grad")?.GetGetMethod())
            ?.CreateDelegate<Func<Tensor, Tensor?>>()
        ?? throw new AdmmKitException($"This TorchSharp ({typeof(torch).Assembly.GetName().Version}) has no torch.Tensor.grad: take one from 0.99.6 to 0.107.");

    /// <summary>The gradient that backward left, or null.</summary>
    public static Tensor? Gradient(Tensor parameter) => GradientOf(parameter);

    /// <summary>A tensor of float32 on the CPU.</summary>
    public static Tensor Of(ReadOnlySpan<float> values, ReadOnlySpan<long> shape)
    {
        Tensor tensor = empty(shape, ScalarType.Float32);
        values.CopyTo(Floats(tensor));
        return tensor;
    }

    /// <summary>A tensor of bool on the CPU.</summary>
    public static Tensor Of(ReadOnlySpan<bool> values, ReadOnlySpan<long> shape)
    {
        Tensor tensor = empty(shape, ScalarType.Bool);
        MemoryMarshal.AsBytes(values).CopyTo(tensor.bytes);
        return tensor;
    }

    /// <summary>A tensor of int64 on the CPU.</summary>
    public static Tensor Of(ReadOnlySpan<long> values)
    {
        Tensor tensor = empty([values.Length], ScalarType.Int64);
        values.CopyTo(MemoryMarshal.Cast<byte, long>(tensor.bytes));
        return tensor;
    }

    /// <summary>Copies numbers out, row-major.</summary>
    public static void CopyTo(Tensor tensor, Span<float> destination)
    {
        using DisposeScope scope = NewDisposeScope();
        Floats(tensor.detach().cpu().contiguous()).CopyTo(destination);
    }

    /// <summary>Copies numbers in, row-major, whatever the device.</summary>
    public static void Set(Tensor tensor, ReadOnlySpan<float> source)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        tensor.copy_(Of(source, tensor.shape));
    }

    /// <summary>Kept beyond the dispose scopes, on a device.</summary>
    public static Tensor Keep(Tensor tensor, Device device) => tensor.to(device).DetachFromDisposeScope();

    /// <summary>The memory of a contiguous tensor of float32 on the CPU, while the tensor lives.</summary>
    public static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
}
