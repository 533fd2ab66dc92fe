#!/usr/bin/env dotnet
#:project ../../src/AdmmKit.Experiments

// LeNet-5 from data to a compressed file: train, prune by ADMM (40x), retrain, quantize by ADMM (3 and 2 bits), store, decode,
// evaluate. Ten seconds of two quiet cores; MNIST where it is at hand (ADMMKIT_DATA, or the cache), else digits that are drawn here.
//
//   dotnet run notebooks/scripts/quickstart.cs [FOLDER]
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Scripts;

return PaperScript.Run("quickstart", args, script =>
{
    const int images = 6_000;
    var request = new DataRequest { Offline = true, SyntheticTraining = images + 2_000, ValidationCount = 2_000, SyntheticTest = 2_000 };
    DataSet data = DataSource.Open(request, script.Say);
    var recipe = new Recipe
    {
        TrainingImages = images,
        Pretrain = new() { Epochs = 4 },
        Prune =
        [
            new()
            {
                Name = "40x",
                Survivors = new Dictionary<string, int> { ["conv1"] = 150, ["conv2"] = 4_000, ["fc1"] = 6_000, ["fc2"] = 600 },
                Admm = new() { Iterations = 5, RhoGrowth = 1.7f },
                Retrain = new() { Epochs = 4, LearningRate = 2e-3 },
            },
        ],
        Quantize = new()
        {
            ConvolutionBits = 3,
            FullyConnectedBits = 2,
            Admm = new() { Iterations = 5, FinalLearningRate = 1e-5, RhoGrowth = 3 },
        },
    };
    script.Models(new CompressionRun(recipe, data).Execute(observer: script.Observer), "lenet5.admm");
});
