#!/usr/bin/env dotnet
#:project ../../src/AdmmKit.Experiments

// Table 5 of [Ren2019]: bytes of the pruned and quantized LeNet-5. Five sizes, from the weights' values alone to the whole file; ours
// are read from results/table5, the paper's point has its positions drawn at random.
//
//   dotnet run notebooks/scripts/table5.cs [FOLDER]
using AdmmKit.Experiments.Pictures;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Scripts;

return PaperScript.Run("table5", args, script =>
{
    string[] sizes = ["weightDataBytes", "paperBytes", "relativeBytes", "fileBytes", "boundBytes"];
    var table5 = CommittedResults.Open("table5");
    script.Table(table5, "Table 5: size of LeNet-5", ["accuracyDegradation", "survivors", .. sizes]);
    string ours = table5.Rows[0].Row, paper = table5.Rows.First(r => r.Row.StartsWith("ADMM-NN", StringComparison.Ordinal)).Row;
    script.Chart("sizes.svg", RowChart.Grouped(
        "LeNet-5 at 167x, 3 and 2 bits: five sizes", "bytes", table5.Rows, [(ours, "ours"), (paper, "the paper's point")],
        [.. sizes.Zip(["weight data", "paper's accounting", "relative index", "the file", "entropy bound"])],
        reference: new(2730, "printed with index")));
});
