#!/usr/bin/env dotnet
#:project ../../src/AdmmKit.Experiments

// Table 1 of [Ren2019]: pruning LeNet-5. Read from results/table1, three seeds.
//
//   dotnet run notebooks/scripts/table1.cs [FOLDER]
using AdmmKit.Experiments.Pictures;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Scripts;

return PaperScript.Run("table1", args, script =>
{
    var table1 = CommittedResults.Open("table1");
    script.Table(table1, "Table 1: pruning of LeNet-5", "top1", "survivors", "compressionRatio");
    script.Chart("compression.svg", RowChart.PaperAndOurs(
        "LeNet-5: how far it is pruned", "weights / survivors", table1.Rows, "compressionRatio"));
});
