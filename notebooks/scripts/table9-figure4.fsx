// Table 9 and Fig. 4 of [Ren2019]: speedup of AlexNet's convolutions, and how far a layer must be pruned before it is faster than
// dense. The law is fitted anew to what Tables 8 and 9 print, which takes a second.
//
//   dotnet build src/AdmmKit.Experiments -c Release
//   dotnet fsi notebooks/scripts/table9-figure4.fsx [FOLDER]
#load "admmkit.fsx"

open AdmmKit.Experiments.Accounting
open AdmmKit.Experiments.Pictures
open AdmmKit.Experiments.Scripts
open AdmmKit.Notebooks.Charts

let layers = [| for i in 1..5 -> struct ($"conv{i}Speedup", $"conv{i}") |]
let methods = [| for m in [ "ADMM-NN 1"; "ADMM-NN 2"; "Han [24]"; "Mao [36]"; "Wen [53]" ] -> struct (m, m) |]

exit (PaperScript.Run("table9-figure4", Array.tail fsi.CommandLineArgs, fun script ->
    let table9 = AccountingTables.Create "table9"
    script.Table table9
    let title = "Speedup of AlexNet's convolutions, by the law"
    script.Chart("speedup.svg", RowChart.Grouped(title, "speedup (x)", table9.Rows, methods, layers, 1.0, ReferenceLine(1.0, "dense")))
    script.Table(AccountingTables.Create "figure4")))
