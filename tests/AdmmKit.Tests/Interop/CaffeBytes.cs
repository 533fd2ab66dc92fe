using System.Text;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Interop;

/// <summary>Writes Caffe models as Caffe does, and in the other ways that protobuf allows, field by field.</summary>
internal static class CaffeBytes
{
    public static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        return [.. bytes, (byte)value];
    }

    public static byte[] Number(int field, ulong value) => [.. Varint((ulong)field << 3), .. Varint(value)];

    public static byte[] Bytes(int field, params byte[][] parts)
    {
        byte[] all = [.. parts.SelectMany(p => p)];
        return [.. Varint(((ulong)field << 3) | 2), .. Varint((ulong)all.Length), .. all];
    }

    public static byte[] Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    public static byte[] Single(int field, float value) => [.. Varint(((ulong)field << 3) | 5), .. BitConverter.GetBytes(value)];

    public static byte[] Double(int field, double value) => [.. Varint(((ulong)field << 3) | 1), .. BitConverter.GetBytes(value)];

    /// <summary>A shape, all of its dimensions packed.</summary>
    public static byte[] Shape(params int[] shape) => Bytes(7, Bytes(1, [.. shape.Select(d => Varint((ulong)d))]));

    /// <summary>The four dimensions that blobs had before they had shapes.</summary>
    public static byte[] OldShape(params int[] shape) =>
        [.. Enumerable.Range(0, 4).SelectMany(i => Number(i + 1, i < 4 - shape.Length ? 1 : (ulong)shape[i - 4 + shape.Length]))];

    public static byte[] Packed(float[] values) => Bytes(5, [.. values.Select(BitConverter.GetBytes)]);

    public static byte[] Unpacked(float[] values) => [.. values.SelectMany(v => Single(5, v))];

    public static byte[] Scale(float scale) => Single(1, scale);

    /// <summary>A LayerParameter, with fields that nobody needs.</summary>
    public static byte[] Layer(string name, string type, params byte[][] blobs) => Bytes(
        100, [Text(1, name), Text(2, type), Text(3, "below"), Text(4, name), Single(5, 1), Number(10, 0), .. blobs.Select(b => Bytes(7, b))]);

    /// <summary>A V1LayerParameter.</summary>
    public static byte[] OldLayer(string name, int type, params byte[][] blobs) => Bytes(
        2, [Text(2, "below"), Text(4, name), Number(5, (ulong)type), .. blobs.Select(b => Bytes(6, b)), Single(7, 1), Single(7, 2)]);

    /// <summary>A layer that reads images, with the scale 1/256 of Caffe's MNIST networks.</summary>
    public static byte[] Images(float scale = 1 / 256f) => Bytes(100, Text(1, "mnist"), Text(2, "Data"), Bytes(100, Scale(scale)));

    public static float[] Values(int count, string purpose)
    {
        var random = new RandomStream(1, purpose);
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.NextGaussian())];
    }

    public static int[] ShapeOf(LayerInfo layer) => layer.Kind == LayerKind.Convolution
        ? [layer.Rows, layer.InputChannels, layer.KernelHeight, layer.KernelWidth] : [layer.Rows, layer.Columns];
}
