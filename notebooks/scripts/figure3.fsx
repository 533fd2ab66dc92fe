// Fig. 3 of [Ren2019]: a 4 x 4 piece of a pruned layer, the same weights quantized, and the levels that are stored. The numbers are of
// conv1 of LeNet-5 as results/table1 has it, the interval q is searched for as in sec. 3.4.2; the paper's own example is a picture.
//
//   dotnet build src/AdmmKit.Experiments -c Release
//   dotnet fsi notebooks/scripts/figure3.fsx [FOLDER]
#load "admmkit.fsx"

open System
open System.Collections.Generic
open System.IO
open AdmmKit.Constraints
open AdmmKit.Experiments.Results
open AdmmKit.Experiments.Scripts
open AdmmKit.Notebooks
open AdmmKit.Notebooks.Charts
open AdmmKit.Pipeline

let bits, size = 3, 4

exit (PaperScript.Run("figure3", Array.tail fsi.CommandLineArgs, fun script ->
    let conv1 = CommittedResults.Open("table1").Model("AdmmKit-85x-seed1.admm").Layers[0]
    let weights = conv1.ToWeights()
    let survivors = weights |> Array.filter (fun w -> w <> 0f)
    let q = IntervalSearch.Find(survivors, bits)
    let level w = if w = 0f then 0 else IntervalSearch.NearestLevel(w, q, IntervalSearch.LevelsPerSign bits)
    // The 4 x 4 corner of the filter with the most survivors.
    let columns = conv1.Layer.Columns
    let kept filter = weights[filter * columns .. (filter + 1) * columns - 1] |> Seq.filter (fun w -> w <> 0f) |> Seq.length
    let filter = Seq.maxBy kept (seq { 0 .. conv1.Layer.Rows - 1 })
    let at row column = weights[filter * columns + row * conv1.Layer.KernelWidth + column]
    let piece = [| for row in 0 .. size - 1 -> [| for column in 0 .. size - 1 -> at row column |] |]
    let table (title: string) (value: float32 -> obj) =
        let rows = [| for row in piece -> [| for w in row -> if w = 0f then null else value w |] :> IReadOnlyList<obj> |]
        Table(title, [| "1"; "2"; "3"; "4" |], rows)
    let parts =
        [ "weights", table $"(a) Weights of conv1, filter {filter + 1}, after pruning" (fun w -> box (MathF.Round(w, 4)))
          "quantized", table $"(b) Quantized: {bits} bits, q = {MathF.Round(q, 4)}" (fun w -> box (MathF.Round(float32 (level w) * q, 4)))
          "levels", table "(c) Levels as they are stored; there is no level 0, it means pruned" (fun w -> box (level w)) ]
    for name, part in parts do
        script.Say(part.ToText())
        script.Csv($"{name}.csv", part)
    script.Chart("levels.svg", Histogram.OfSurvivors("conv1: survivors and the levels that they go to", weights, LayerLevels(bits, q)))))
