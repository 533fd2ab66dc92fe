using AdmmKit.Networks;
using AdmmKit.Storage.Coding;

namespace AdmmKit.Storage.Indexing;

/// <summary>
/// The index of the compressed file (PositionModel) for one layer by itself: an adaptive arithmetic code of live rows and columns
/// and of the survivors among them. Begins with the number of its bytes, seven bits at a time, each
/// time with a bit that says whether more follow.
/// </summary>
public sealed class CodedIndex : IIndexFormat
{
    private const int GroupBits = 7;

    /// <inheritdoc/>
    public string Name => "coded";

    /// <inheritdoc/>
    public IndexSize Measure(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        int length = Encode(layer, positions).Length;
        int side = 8 * ByteWriter.VarintLength(length);
        return new IndexSize(side + (8L * length), side, 0, 0);
    }

    /// <inheritdoc/>
    public void Write(ByteWriter writer, LayerInfo layer, ReadOnlySpan<int> positions)
    {
        ArgumentNullException.ThrowIfNull(writer);
        byte[] bytes = Encode(layer, positions);
        uint length = (uint)bytes.Length;
        for (; length >> GroupBits != 0; length >>= GroupBits)
        {
            writer.Bits((length & ((1 << GroupBits) - 1)) | (1 << GroupBits), GroupBits + 1);
        }

        writer.Bits(length, GroupBits + 1);
        foreach (byte b in bytes)
        {
            writer.Bits(b, 8);
        }
    }

    /// <inheritdoc/>
    public int[] Read(ref ByteReader reader, LayerInfo layer, int survivors)
    {
        ArgumentNullException.ThrowIfNull(layer);
        long length = 0;
        uint group;
        int shift = 0;
        do
        {
            group = reader.Bits(GroupBits + 1);
            length |= (long)(group & ((1 << GroupBits) - 1)) << shift;
            shift += GroupBits;
        }
        while (group >> GroupBits != 0 && shift < 5 * GroupBits);
        if (ByteWriter.VarintLength((int)Math.Min(length, int.MaxValue)) != shift / GroupBits)
        {
            throw IndexFormats.Bad(layer, $"has a length that is not written as it should be");
        }

        reader.Need(8L * length, $"index of layer '{layer.Name}'");
        var bytes = new byte[length];
        foreach (ref byte b in bytes.AsSpan())
        {
            b = (byte)reader.Bits(8);
        }

        var coder = new BitDecoder(bytes);
        var content = new LayerContent(null, survivors);
        new PositionModel(coder).Code(LayerPlan.Alone(layer), content);
        coder.Finish();
        return content.Count == survivors ? content.Positions
            : throw IndexFormats.Bad(layer, $"marks {content.Count} weights, but there are {survivors} survivors");
    }

    /// <summary>What the positions cost, without the length and the rounding to whole bytes.</summary>
    internal static double Bits(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        IndexFormats.Check(layer, positions);
        var meter = new BitMeter();
        new PositionModel(meter).Code(LayerPlan.Alone(layer), new LayerContent(positions.ToArray()));
        return meter.Cost;
    }

    private static byte[] Encode(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        IndexFormats.Check(layer, positions);
        var coder = new BitEncoder();
        new PositionModel(coder).Code(LayerPlan.Alone(layer), new LayerContent(positions.ToArray()));
        return coder.Finish();
    }
}
