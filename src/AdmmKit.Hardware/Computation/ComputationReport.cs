using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Hardware.Computation;

/// <summary>
/// What one layer computes for one image, dense and with its survivors alone. Every weight is used once at each position of the
/// output, so operations fall with the survivors.
/// </summary>
/// <param name="Layer">The layer; its multiply-accumulates are those of the dense layer.</param>
/// <param name="KeepFraction">Survivors as a share of its weights, in [0, 1].</param>
/// <param name="Bits">Bits a weight.</param>
/// <param name="Inputs">Numbers that the layer reads for one image.</param>
/// <param name="Outputs">Numbers that it writes for one image.</param>
public sealed record LayerComputation(LayerInfo Layer, double KeepFraction, int Bits, long Inputs, long Outputs)
{
    /// <summary>Operations of a multiply-accumulate as Table 8 of [Ren2019] counts: conv1 of AlexNet, 105.4M, is printed as 211M.</summary>
    public const int OperationsPerMac = 2;

    /// <summary>Multiply-accumulates of the dense layer.</summary>
    public long DenseMacs => Layer.Macs;

    /// <summary>Multiply-accumulates of its survivors.</summary>
    public double Macs => KeepFraction * DenseMacs;

    /// <summary>Operations of the dense layer.</summary>
    public long DenseOperations => OperationsPerMac * DenseMacs;

    /// <summary>Operations of its survivors: the first metric of Table 8.</summary>
    public double Operations => OperationsPerMac * Macs;

    /// <summary>Operations of its survivors times bits a weight: the second metric of Table 8.</summary>
    public double OperationBits => Operations * Bits;

    /// <summary>Weights that are not zero.</summary>
    public double Survivors => KeepFraction * Layer.WeightCount;
}

/// <summary>What a network computes for one image, layer by layer and in all: Table 8 of [Ren2019] for any network.</summary>
/// <param name="Network">The network's name.</param>
/// <param name="Layers">Its layers with weights, in order.</param>
public sealed record ComputationReport(string Network, IReadOnlyList<LayerComputation> Layers)
{
    /// <summary>Multiply-accumulates of the dense network.</summary>
    public long DenseMacs => Layers.Sum(l => l.DenseMacs);

    /// <summary>Multiply-accumulates that are left.</summary>
    public double Macs => Layers.Sum(l => l.Macs);

    /// <summary>Operations of the dense network, two a multiply-accumulate.</summary>
    public long DenseOperations => Layers.Sum(l => l.DenseOperations);

    /// <summary>Operations that are left.</summary>
    public double Operations => Layers.Sum(l => l.Operations);

    /// <summary>Operations that are left, each times the bits of its weight.</summary>
    public double OperationBits => Layers.Sum(l => l.OperationBits);

    /// <summary>A network of which only numbers are known.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="keepFractions">Survivors of each layer as a share of its weights, in [0, 1].</param>
    /// <param name="bits">Bits a weight of each layer, 1 to 64.</param>
    /// <exception cref="AdmmKitException">There are not as many numbers as layers, or one is out of its range.</exception>
    public static ComputationReport Of(NetworkSpec spec, IReadOnlyList<double> keepFractions, IReadOnlyList<int> bits)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(keepFractions);
        ArgumentNullException.ThrowIfNull(bits);
        if (keepFractions.Count != spec.Layers.Count || bits.Count != spec.Layers.Count)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{spec.Name}' has {spec.Layers.Count} layers, not {keepFractions.Count} keepFractions and {bits.Count} bits: ")
                + "give one of each a layer.");
        }

        return new(spec.Name, [.. Activations(spec).Select((a, i) => Layer(a.Layer, keepFractions[i], bits[i], a.Inputs, a.Outputs))]);
    }

    /// <summary>The dense network.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="bits">Bits a weight, 1 to 64, in all layers.</param>
    /// <exception cref="AdmmKitException">The bits are out of their range.</exception>
    public static ComputationReport Dense(NetworkSpec spec, int bits)
    {
        ArgumentNullException.ThrowIfNull(spec);
        int layers = spec.Layers.Count;
        return Of(spec, [.. Enumerable.Repeat(1.0, layers)], [.. Enumerable.Repeat(bits, layers)]);
    }

    /// <summary>A compressed network.</summary>
    /// <param name="model">The network.</param>
    public static ComputationReport Of(CompressedNetwork model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Of(model.Spec, [.. model.Layers.Select(l => l.KeepFraction)], [.. model.Layers.Select(l => l.Bits)]);
    }

    /// <summary>Each layer with the numbers that it reads and writes for one image.</summary>
    /// <param name="spec">The network.</param>
    public static IReadOnlyList<(LayerInfo Layer, long Inputs, long Outputs)> Activations(NetworkSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var layers = new List<(LayerInfo, long, long)>();
        for (int step = 0; step < spec.Nodes.Count; step++)
        {
            int from = spec.Inputs[step][0];
            ImageShape input = from == NetworkSpec.Image ? spec.Input : spec.Shapes[from];
            if (spec.Nodes[step].Layer(input) is { } layer)
            {
                layers.Add((layer, input.Size, spec.Shapes[step].Size));
            }
        }

        return layers;
    }

    private static LayerComputation Layer(LayerInfo layer, double keepFraction, int bits, long inputs, long outputs)
    {
        if (!(keepFraction is >= 0 and <= 1))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{layer.Name}' cannot keep {keepFraction} of its weights: keepFraction is between 0 and 1."));
        }

        return bits is >= 1 and <= 64
            ? new(layer, keepFraction, bits, inputs, outputs)
            : throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{layer.Name}' cannot have {bits} bits a weight: give 1 to 64."));
    }
}
