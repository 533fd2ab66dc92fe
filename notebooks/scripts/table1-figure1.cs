#!/usr/bin/env dotnet
#:project ../../src/AdmmKit.Experiments

// Table 1 and Fig. 1 of [Ren2019]: pruning LeNet-5, and what is left of its layers as pictures. Read from results/table1, three seeds;
// the pictures are of the first seed's network with 85 times fewer weights.
//
//   dotnet run notebooks/scripts/table1-figure1.cs [FOLDER]
using AdmmKit.Experiments.Pictures;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Scripts;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;

return PaperScript.Run("table1-figure1", args, script =>
{
    var table1 = CommittedResults.Open("table1");
    script.Table(table1, "Table 1: pruning of LeNet-5", "top1", "survivors", "compressionRatio");
    script.Chart("compression.svg", RowChart.PaperAndOurs(
        "LeNet-5: how far it is pruned", "weights / survivors", table1.Rows, "compressionRatio"));
    CompressedNetwork sparse = table1.Model("AdmmKit-85x-seed1.admm");
    LayerInfo conv1 = sparse.Layers[0].Layer, fc1 = sparse.Layers[2].Layer;
    script.Chart("conv1.svg", KernelGrid.Of(conv1, sparse.Layers[0].ToWeights(), "conv1 after pruning, its 20 filters"));
    script.Chart("fc1.svg", HeatMap.OfMask(fc1, sparse.Layers[2].ToWeights(), "fc1 after pruning: where the survivors are"));
});
