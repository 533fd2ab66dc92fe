// Table 6 and sec. 4.3 of [Ren2019]: bytes of AlexNet, VGG-16 and ResNet-50, and the chips that could hold them. Nothing is trained:
// where a split among layers is not published, it is assumed, and masks are drawn at random.
//
//   dotnet build src/AdmmKit.Experiments -c Release
//   dotnet fsi notebooks/scripts/table6-section4.3.fsx [FOLDER]
#load "admmkit.fsx"

open AdmmKit.Experiments.Accounting
open AdmmKit.Experiments.Pictures
open AdmmKit.Experiments.Scripts
open AdmmKit.Notebooks.Charts

let sizes =
    [| struct ("weightDataBytes", "weight data")
       struct ("paperBytes", "paper's accounting")
       struct ("relativeBytes", "relative index")
       struct ("fileBytes", "the file")
       struct ("boundBytes", "entropy bound") |]

let models =
    [| struct ("AlexNet, ADMM-NN 2.25M, assumed split: as Table 7", "AlexNet, 2.25M")
       struct ("VGG-16, ADMM-NN 6.9M, assumed split: equal densities", "VGG-16, 6.9M") |]

exit (PaperScript.Run("table6-section4.3", Array.tail fsi.CommandLineArgs, fun script ->
    let table6 = AccountingTables.Create "table6"
    script.Table table6
    script.Chart("sizes.svg", RowChart.Grouped("Five sizes of the paper's models", "size (MB)", table6.Rows, models, sizes, 1e6))
    let chips = AccountingTables.Create "section4.3"
    script.Table chips
    let capacities = chips.Rows |> Seq.filter (fun r -> r.Quantity = "capacityBytes") |> Seq.toArray
    let bars = [| for r in capacities -> struct (r.Row, r.Row.Replace("5SGXEA7, M20K and all", "and").Replace(", 5SGXEA7, M20K", "")) |]
    let printed = ReferenceLine(8.3, "VGG-16 as printed")
    let memory = [| struct ("capacityBytes", "block memory") |]
    let title = "What the chips of sec. 4.3 hold"
    script.Chart("chips.svg", RowChart.Stacked(title, "memory on the chip (MB)", capacities, bars, memory, 1e6, printed))))
