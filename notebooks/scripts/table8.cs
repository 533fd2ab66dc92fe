#!/usr/bin/env dotnet
#:project ../../src/AdmmKit.Experiments

// Table 8 of [Ren2019]: operations of AlexNet's layers as five methods leave them, with the misprints named.
//
//   dotnet run notebooks/scripts/table8.cs [FOLDER]
using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Pictures;
using AdmmKit.Experiments.Scripts;

return PaperScript.Run("table8", args, script =>
{
    AccountingTable table = AccountingTables.Create("table8");
    script.Table(table);
    string[] methods = ["AlexNet", "Han [24]", "Mao [36]", "Wen [53]", "ADMM-NN"];
    string[] layers = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc1", "fc2", "fc3"];
    script.Chart("operations.svg", RowChart.Stacked(
        "Operations that pruning leaves of AlexNet", "operations (millions)", table.Rows,
        [.. methods.Select(m => (m, m))], [.. layers.Select(l => (l + "Operations", l))], unit: 1e6));
});
