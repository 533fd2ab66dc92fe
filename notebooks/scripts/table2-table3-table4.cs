#!/usr/bin/env dotnet
#:project ../../src/AdmmKit.Experiments

// Tables 2, 3 and 4 of [Ren2019]: how far AlexNet, VGG-16 and ResNet-50 are pruned. Nothing is trained: every printed count is
// recomputed from the layers of the network, and put beside the print.
//
//   dotnet run notebooks/scripts/table2-table3-table4.cs [FOLDER]
using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Pictures;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Scripts;

return PaperScript.Run("table2-table3-table4", args, script =>
{
    foreach (string name in new[] { "table2", "table3", "table4" })
    {
        AccountingTable table = AccountingTables.Create(name);
        script.Table(table);
        // As many words as fit under a bar.
        ResultRow[] rows = [.. table.Rows.Select(r => r with { Row = r.Row.Replace("Optimal Brain Surgeon", "OBS") })];
        script.Chart(name + ".svg", RowChart.PaperAndOurs(table.Title, "weights / survivors", rows, "compressionRatio", ours: "recomputed"));
    }
});
