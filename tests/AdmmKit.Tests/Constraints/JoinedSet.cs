using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Constraints;

/// <summary>Lets the laws of one layer try a constraint on several: their weights one after the other.</summary>
internal sealed class JoinedSet(LayerInfo[] layers, INetworkConstraint set, string description, float[] rhos) : IConstraint
{
    public string Description => description;

    public void Validate(LayerInfo layer) => set.Validate(layers);

    public void Project(LayerInfo layer, ReadOnlySpan<float> v, Span<float> z, float rho)
    {
        float[][] from = Split(v);
        float[][] to = v.Overlaps(z) ? from : Split(z);
        set.Project(layers, from, to, rhos.AsSpan(0, layers.Length));
        to.SelectMany(x => x).ToArray().CopyTo(z);
    }

    public bool Contains(LayerInfo layer, ReadOnlySpan<float> z) => set.Contains(layers, Split(z));

    private float[][] Split(ReadOnlySpan<float> v)
    {
        var parts = new float[layers.Length][];
        for (int i = 0; i < layers.Length; i++)
        {
            int count = Math.Min(v.Length, layers[i].WeightCount);
            parts[i] = v[..count].ToArray();
            v = v[count..];
        }

        return parts;
    }
}
