// A user's program: LeNet-5 on digits that are drawn here, by a recipe; then its file, in other forms.
open System.IO
open AdmmKit.Engine.Data
open AdmmKit.Experiments.Pictures
open AdmmKit.Experiments.Recipes
open AdmmKit.Experiments.Runs
open AdmmKit.Interop
open AdmmKit.Notebooks.Charts
open AdmmKit.Storage

let request = DataRequest(Synthetic = true, SyntheticTraining = 1_400, ValidationCount = 200, SyntheticTest = 200)
let data = DataSource.Open(request, fun line -> eprintfn $"{line}")

let recipe =
    Recipe(
        TrainingImages = 1_200,
        Pretrain = TrainingRecipe(Epochs = 2),
        Prune =
            [| PruneRecipe(
                   Name = "10x",
                   Survivors = readOnlyDict [ "conv1", 150; "conv2", 4_000; "fc1", 30_000; "fc2", 1_500 ],
                   Admm = AdmmRecipe(Iterations = 2),
                   Retrain = TrainingRecipe(Epochs = 1)
               ) |],
        Quantize = QuantizeRecipe(ConvolutionBits = 4, FullyConnectedBits = 3, Admm = AdmmRecipe(Iterations = 2))
    )

let run = CompressionRun(recipe, data).Execute()
run.Quantized.Model.Save "lenet5.admm"

let read = CompressedNetwork.Load "lenet5.admm"
let tensors = NetworkTensors.Of read
SafetensorsFile.Write("lenet5.safetensors", tensors.Tensors, tensors.Metadata)
let back = NetworkTensors.Read(SafetensorsFile.Read "lenet5.safetensors", read.Spec)

if not (Seq.forall2 (fun (a: float32[]) b -> a = b) back.Weights (read.Decode().Weights)) then
    failwith "The weights of lenet5.safetensors are not those of lenet5.admm."

let layer = read.Layers[0]
HeatMap.OfMask(layer.Layer, layer.ToWeights()).Save "conv1.svg"
printfn $"validation: %.2f{run.Dense.Validation.Accuracy} dense, %.2f{run.Quantized.Validation.Accuracy} quantized"
let bytes = FileInfo("lenet5.admm").Length
printfn $"{read.Survivors} of {read.Spec.WeightCount} weights in {bytes} bytes"
