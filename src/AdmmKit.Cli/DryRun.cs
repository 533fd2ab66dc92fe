using System.CommandLine;
using System.Globalization;
using AdmmKit.Experiments.Hardware;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using AdmmKit.Notebooks;
using AdmmKit.Training;

namespace AdmmKit.Cli;

/// <summary>What <c>compress --dry-run</c> says of a recipe before anything is trained.</summary>
internal sealed class DryRun
{
    public Option<bool> Asked { get; } = new("--dry-run")
    {
        Description = "Shows what would be pruned, and the size and delay to expect; trains nothing, and needs no images.",
    };

    private readonly Option<string[]> platforms = new("--platform")
    {
        Description = "With --dry-run, the platform whose delays are shown, by name or file; repeatable. Default "
            + string.Join(", ", PlatformLibrary.Presets) + ".",
        HelpName = "NAME|FILE",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(Asked);
        command.Options.Add(platforms);
        command.Validators.Add(result =>
        {
            if (result.GetResult(platforms) is not null && !result.GetValue(Asked))
            {
                result.AddError("--platform says whose delays --dry-run shows: give --dry-run too.");
            }
        });
    }

    /// <summary>Shows it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="recipe">The recipe.</param>
    /// <param name="given">The network that the command line names, or null.</param>
    public int Show(ParseResult parsed, Recipe recipe, GivenModel? given)
    {
        NetworkWeights? weights = given?.Model.Decode();
        NetworkSpec spec = given?.Spec ?? Named(recipe);
        int[]? before = weights is null ? null : [.. weights.Weights.Select(w => NetworkWeights.CountNonZero(w))];
        var forecast = CompressionForecast.Of(recipe, spec, before);
        string[] names = parsed.GetValue(platforms) is { Length: > 0 } asked ? asked : [.. PlatformLibrary.Presets];
        Platform[] found = [.. names.Distinct().Select(PlatformLibrary.Find)];
        Console.Write(Layers(spec, forecast).ToText());
        foreach (string note in forecast.Notes)
        {
            Console.WriteLine(note);
        }

        (double ratio, double float32) = ((double)spec.WeightCount / forecast.Survivors, 4.0 * (spec.WeightCount + spec.BiasCount));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Predicted: {forecast.Survivors:#,0} of {spec.WeightCount:#,0} weights stay (compressionRatio {ratio:f1}); ")
            + string.Create(CultureInfo.InvariantCulture,
                $".admm file of about {forecast.Bytes:#,0} B, {float32 / forecast.Bytes:f1} times smaller than float32."));
        Console.WriteLine(
            "The size is a prediction: survivors at independent places, levels equally frequent. "
            + "Trained networks have structure, and mostly take less.");
        foreach (Platform platform in found)
        {
            Console.WriteLine();
            ShowDelays(platform, forecast);
        }

        return CommandLineTool.Success;
    }

    private static NetworkSpec Named(Recipe recipe) => recipe.Architecture == RecipeNetwork.OfFile
        ? RecipeNetwork.OfPretrained(recipe) : UsualInputs.Network(recipe.Architecture);

    private static Table Layers(NetworkSpec spec, CompressionForecast forecast) => new(
        $"{spec.Name}, input {spec.Input}, {spec.Classes} classes: dry run, nothing is trained",
        ["layer", "shape", "weights", "before", "survivors", "keepFraction", "bits", "bytes"],
        [
            .. forecast.Layers.Select(l => new object?[]
            {
                l.Layer.Name, l.Layer.Shape, l.Layer.WeightCount, l.Before, l.Survivors, l.KeepFraction, l.Bits, Math.Round(l.FileBits / 8),
            }),
            ["other", null, null, null, null, null, null, Math.Round(forecast.OtherBits / 8)],
            [
                "total", null, spec.WeightCount, forecast.Layers.Sum(l => l.Before), forecast.Survivors,
                (double)forecast.Survivors / spec.WeightCount, null, Math.Round(forecast.Bytes),
            ],
        ]);

    private static void ShowDelays(Platform platform, CompressionForecast forecast)
    {
        bool seconds = platform.DelayUnit == "s";
        (string unit, double of) = seconds ? ("us", 1e6) : (platform.DelayUnit, 1);
        (var rows, var above, var unknown) = (new List<object?[]>(), new List<string>(), new List<string>());
        (double dense, double pruned) = (0, 0);
        foreach (LayerForecast layer in forecast.Layers)
        {
            try
            {
                (double whole, double part) = (platform.DenseDelay(layer.Layer), platform.Delay(layer.Layer, layer.KeepFraction));
                double breakEven = platform.BreakEvenKeepFraction(layer.Layer);
                bool pays = layer.KeepFraction >= 1 || layer.KeepFraction <= breakEven;
                (dense, pruned) = (dense + whole, pruned + part);
                string warning = pays ? "" : "above break-even";
                rows.Add([layer.Layer.Name, whole * of, part * of, whole / part, layer.KeepFraction, breakEven, warning]);
                if (!pays)
                {
                    above.Add(layer.Layer.Name);
                }
            }
            catch (AdmmKitException e)
            {
                unknown.Add(e.Message);
            }
        }

        if (rows.Count == 0)
        {
            // A platform that knows no layer is the wrong one.
            throw new AdmmKitException(unknown[0]);
        }

        Console.Write(new Table(
            $"Predicted delay on {platform.Name}, one image",
            ["layer", $"dense {unit}", $"pruned {unit}", "speedup", "keepFraction", "break-even keepFraction", ""], rows).ToText());
        unknown.ForEach(Console.WriteLine);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"Predicted on {platform.Name}: {dense / pruned:f2} times as fast as dense."));
        if (above.Count > 0)
        {
            Console.WriteLine(
                $"warning: {string.Join(", ", above)}: above break-even, so slower than dense there. "
                + "Keep less of them, or leave them whole.");
        }
    }
}
