namespace AdmmKit.Hardware.Simulation;

/// <summary>Counts the cycles that an array of processing elements takes for a layer with a given mask.</summary>
public static class ArraySimulator
{
    /// <summary>What one group of output channels takes.</summary>
    private readonly record struct GroupCost(
        long Cycles, long NonZeroProducts, long Zeros, long Fragments, long Conflicts, long Fifo, long Imbalance, long Delivery,
        long Weights, long Activations);

    /// <summary>Simulates a layer for one image.</summary>
    /// <param name="array">The array.</param>
    /// <param name="layer">The layer with its masks.</param>
    /// <param name="threads">Threads that simulate; 0 for all cores. The result does not depend on it.</param>
    /// <exception cref="AdmmKitException">There can be no such array.</exception>
    public static SimulationResult Run(PeArray array, SimulatedLayer layer, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(array);
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        array.Check();
        var layout = new LayerLayout(array, layer);
        // All PEs wait for each other after a group, so groups can be simulated apart.
        var groups = new GroupCost[layout.Groups];
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads == 0 ? -1 : threads };
        Parallel.For(0, groups.Length, options, g => groups[g] = Simulate(array, layer, layout, g));
        long useful = layout.UsefulMacs(), weights = groups.Sum(g => g.Weights), activations = groups.Sum(g => g.Activations);
        return new(
            layer.Layer.Name, groups.Sum(g => g.Cycles), useful, array.Multipliers, layout.DenseCycles(),
            new(
                groups.Sum(g => g.Zeros), groups.Sum(g => g.NonZeroProducts) - useful, groups.Sum(g => g.Fragments),
                groups.Sum(g => g.Conflicts), groups.Sum(g => g.Fifo), groups.Sum(g => g.Imbalance), groups.Sum(g => g.Delivery)),
            new(
                weights, weights * WeightIndexBits(array), activations, activations * ActivationIndexBits(array), layer.Output.Size));
    }

    private static int WeightIndexBits(PeArray array) => array.SkipsZeroWeights ? array.IndexBits : 0;

    private static int ActivationIndexBits(PeArray array) => array.SkipsZeroActivations ? array.IndexBits : 0;

    private static GroupCost Simulate(PeArray array, SimulatedLayer layer, LayerLayout layout, int group)
    {
        var clocks = new ElementClocks(array, layout.ByFilters, (layer.Output.Height, layer.Output.Width));
        var writers = new OperandWriter[layout.ByFilters ? array.Elements : 1];
        var own = new OperandList[array.Elements];
        for (int i = 0; i < writers.Length; i++)
        {
            writers[i] = layout.WeightWriter();
        }

        long products = 0, stored = 0, slots = 0, weights = 0;
        for (int block = 0; block < layout.Blocks; block++)
        {
            for (int p = 0; p < own.Length; p++)
            {
                own[p] = layout.ByFilters ? layout.WeightsOf(writers[p], p, group, block) : layout.ActivationsOf(p, group, block);
            }

            OperandList broadcast = layout.ByFilters
                ? layout.ActivationsOf(0, group, block) : layout.WeightsOf(writers[0], 0, group, block);
            clocks.Block(broadcast, own);
            weights += layout.ByFilters ? own.Sum(o => o.Count) : broadcast.Count;
            (int sent, int kept) = layout.ByFilters
                ? (array.ActivationVector, array.WeightVector) : (array.WeightVector, array.ActivationVector);
            foreach (OperandList list in own)
            {
                products += (long)broadcast.NonZero * list.NonZero;
                stored += (long)broadcast.Count * list.Count;
                slots += (long)broadcast.Vectors(sent) * list.Vectors(kept) * array.MultipliersPerElement;
            }
        }

        long finish = clocks.Finish(), activations = layout.ActivationsOf(group);
        long bits = (weights * (array.WordBits + WeightIndexBits(array))) + (activations * (array.WordBits + ActivationIndexBits(array)));
        long delivered = array.DeliveredBits == 0 ? 0 : (bits + array.DeliveredBits - 1) / array.DeliveredBits;
        long cycles = Math.Max(finish, delivered);
        int perElement = array.MultipliersPerElement;
        return new(
            cycles, products, stored - products, slots - stored, clocks.Conflicts * perElement, clocks.FifoWaits * perElement,
            clocks.Idle(finish) * perElement, (cycles - finish) * array.Multipliers, weights, activations);
    }
}
