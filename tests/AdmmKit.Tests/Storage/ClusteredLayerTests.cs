using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Storage;

/// <summary>Layers whose survivors share the values of a codebook.</summary>
public class ClusteredLayerTests
{
    private static readonly NetworkSpec Tiny = NetworkSpec.Create("lenet-300-100", new ImageShape(1, 2, 3), 2);
    private static readonly LayerInfo Last = Tiny.Layers[2];

    [Fact]
    public void Shared_values_round_trip_to_the_bit()
    {
        float[] shared = [-1.5f, float.Epsilon, MathF.PI, float.MaxValue, -float.Epsilon, 7];
        var weights = new float[Last.WeightCount];
        (weights[3], weights[10], weights[11], weights[199]) = (MathF.PI, -float.Epsilon, float.MaxValue, MathF.PI);
        CompressedLayer layer = CompressedLayer.FromWeights(Last, weights, shared, 3, new float[2]);
        Assert.Equal([-float.Epsilon, MathF.PI, float.MaxValue], layer.Codebook);
        Assert.Equal([1, 0, 2, 1], layer.Codes.Select(c => (int)c));
        Assert.Equal((ValueCoding.Codebook, 3, 0f, false), (layer.Coding, layer.Bits, layer.Q, layer.IsQuantized));
        CompressedNetwork network = Network(layer);
        CompressedNetwork read = CompressedNetwork.Read(network.Bytes(), "test");
        Assert.Equal(
            weights.Select(BitConverter.SingleToUInt32Bits), read.Layers[2].ToWeights().Select(BitConverter.SingleToUInt32Bits));
        Assert.InRange(read.Size.Layers[2].CodebookBits, 3 * 32, (3 * 32) + 8);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var biases = new float[2];
        void Refused(string message, int bits, int[] positions, byte[] codes, float[] codebook)
        {
            var e = Assert.Throws<AdmmKitException>(() => CompressedLayer.Clustered(Last, bits, positions, codes, codebook, biases));
            Assert.Contains("'fc3'", e.Message, StringComparison.Ordinal);
            Assert.Contains(message, e.Message, StringComparison.Ordinal);
        }

        Refused("9 bits", 9, [1, 2], [0, 1], [1, 2]);
        Refused("0 bits", 0, [1, 2], [0, 1], [1, 2]);
        Refused("increase", 2, [2, 2], [0, 1], [1, 2]);
        Refused("needs one code", 2, [1, 2], [0], [1]);
        Refused("code 2", 2, [1, 2], [0, 2], [1, 2]);
        Refused("no weight uses", 2, [1, 2], [0, 0], [1, 2]);
        Refused("must increase", 2, [1, 2], [0, 1], [2, 1]);
        Refused("must increase", 2, [1, 2], [0, 1], [1, 1]);
        Refused("not zero", 2, [1, 2], [0, 1], [0, 1]);
        Refused("finite", 2, [1, 2], [0, 1], [1, float.PositiveInfinity]);
        Refused("more than the 2", 1, [1, 2, 3], [0, 1, 2], [1, 2, 3]);

        var weights = new float[Last.WeightCount];
        weights[7] = 0.3f;
        var e = Assert.Throws<AdmmKitException>(() => CompressedLayer.FromWeights(Last, weights, [0.25f], 2, biases));
        Assert.Contains("index 7", e.Message, StringComparison.Ordinal);
        Assert.Throws<AdmmKitException>(() => CompressedLayer.FromWeights(Last, weights, [0.3f, 0], 2, biases));
        weights[7] = float.NaN;
        Assert.Throws<AdmmKitException>(() => CompressedLayer.FromWeights(Last, weights, [0.25f], 2, biases));
    }

    [Fact]
    public void A_layer_without_survivors_keeps_its_coding()
    {
        CompressedNetwork network = Network(CompressedLayer.FromWeights(Last, new float[Last.WeightCount], [0.5f], 4, new float[2]));
        CompressedLayer read = CompressedNetwork.Read(network.Bytes(), "test").Layers[2];
        Assert.Equal((ValueCoding.Codebook, 4, 0, 0), (read.Coding, read.Bits, read.Survivors, read.Codebook.Length));
    }

    [Fact]
    public void A_codebook_leaves_no_room_for_q()
    {
        CompressedNetwork source = RandomNetworks.Create(1);
        float[]?[] codebooks = [.. source.Layers.Select(_ => new float[] { 1 })];
        float[] q = [.. source.Layers.Select(_ => 0.1f)];
        int[] bits = [.. source.Layers.Select(_ => 3)];
        var e = Assert.Throws<AdmmKitException>(() => CompressedNetwork.FromWeights(source.Spec, source.Decode(), q, bits, codebooks));
        Assert.Contains("give q = 0", e.Message, StringComparison.Ordinal);
        Assert.Throws<AdmmKitException>(() => CompressedNetwork.FromWeights(source.Spec, source.Decode(), q, bits, [null]));
    }

    private static CompressedNetwork Network(CompressedLayer last) => new(Tiny,
        [.. Tiny.Layers.Take(2).Select(l => CompressedLayer.Unquantized(l, [], [], new float[l.Rows])), last]);
}
