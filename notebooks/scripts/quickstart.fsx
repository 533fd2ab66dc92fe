// LeNet-5 from data to a compressed file, as quickstart.cs: train, prune by ADMM (40x), retrain, quantize by ADMM (3 and 2 bits),
// store, decode, evaluate. MNIST where it is at hand (ADMMKIT_DATA, or the cache), else digits that are drawn here.
//
//   dotnet build src/AdmmKit.Experiments -c Release
//   dotnet fsi notebooks/scripts/quickstart.fsx [FOLDER]
#load "admmkit.fsx"

open AdmmKit.Engine.Data
open AdmmKit.Experiments.Recipes
open AdmmKit.Experiments.Runs
open AdmmKit.Experiments.Scripts

let images = 6_000

let recipe =
    Recipe(
        TrainingImages = images,
        Pretrain = TrainingRecipe(Epochs = 4),
        Prune =
            [| PruneRecipe(
                   Name = "40x",
                   Survivors = readOnlyDict [ "conv1", 150; "conv2", 4_000; "fc1", 6_000; "fc2", 600 ],
                   Admm = AdmmRecipe(Iterations = 5, RhoGrowth = 1.7f),
                   Retrain = TrainingRecipe(Epochs = 4, LearningRate = 2e-3)
               ) |],
        Quantize =
            QuantizeRecipe(
                ConvolutionBits = 3,
                FullyConnectedBits = 2,
                Admm = AdmmRecipe(Iterations = 5, FinalLearningRate = 1e-5, RhoGrowth = 3f)
            )
    )

exit (PaperScript.Run("quickstart", Array.tail fsi.CommandLineArgs, fun script ->
    let request =
        DataRequest(Offline = true, SyntheticTraining = images + 2_000, ValidationCount = 2_000, SyntheticTest = 2_000)
    let data = DataSource.Open(request, fun line -> script.Say line)
    script.Models(CompressionRun(recipe, data).Execute(observer = script.Observer), "lenet5.admm")))
