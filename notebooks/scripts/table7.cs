#!/usr/bin/env dotnet
#:project ../../src/AdmmKit.Experiments

// Table 7 of [Ren2019]: the layers of the pruned AlexNet, and where its weights and its work are, before and after.
//
//   dotnet run notebooks/scripts/table7.cs [FOLDER]
using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Pictures;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Scripts;

return PaperScript.Run("table7", args, script =>
{
    AccountingTable table = AccountingTables.Create("table7");
    script.Table(table);
    string[] layers = [.. NetworkTable.AlexNet.Layers.Select(l => l.Layer.Name)];
    double[] weights = [.. layers.Select(l => table.Rows.Ours(l, "weights"))];
    double[] survivors = [.. layers.Select(l => table.Rows.Ours(l, "survivors"))];
    double[] operations = [.. NetworkTable.AlexNet.Layers.Select(l => (double)l.Operations)];
    double[] left = [.. operations.Select((o, i) => o * survivors[i] / weights[i])];
    script.Chart("shares.svg", RowChart.Shares("AlexNet pruned 21x: where weights and operations are", layers,
        [("weights", weights), ("survivors", survivors), ("operations", operations), ("operations left", left)]));
});
