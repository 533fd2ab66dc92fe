#!/usr/bin/env dotnet
#:project ../../src/AdmmKit.Experiments

// Fig. 5 of [Ren2019]: what the hardware-aware search makes of LeNet-5 and of ResNet-20. The searches are read from
// results/figure5-lenet5 and results/figure5-resnet20; delays are computed again from the compressed networks.
//
//   dotnet run notebooks/scripts/figure5.cs [FOLDER]
using AdmmKit.Experiments.Pictures;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Scripts;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Storage;

return PaperScript.Run("figure5", args, script =>
{
    var platform = (LawPlatform)PlatformLibrary.Find("admm-nn-40nm");
    foreach (string network in new[] { "lenet5", "resnet20" })
    {
        var results = CommittedResults.Open("figure5-" + network);
        script.Table(
            results, $"Fig. 5: {network}, compressed for few survivors and for little delay",
            "top1", "survivors", "speedup on " + platform.Name, "layers slower than dense on " + platform.Name);
        (string, CompressedNetwork)[] models =
        [
            ("least survivors", results.Model("Least-survivors-seed1.admm")), ("least delay", results.Model("Least-delay-on-admm-nn-40nm-seed1.admm")),
            // Found by no search, and better than what the searches found.
            .. network == "lenet5" ? [("85x by hand", results.Model("85x-split-by-hand-seed1.admm"))] : Array.Empty<(string, CompressedNetwork)>(),
        ];
        script.Chart($"delay-{network}.svg", ModelChart.Delay(platform, models));
        script.Chart($"keep-{network}.svg", ModelChart.KeepFractions(models, platform));
    }
});
