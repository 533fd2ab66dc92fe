using System.CommandLine;
using System.Diagnostics;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Dense;
using AdmmKit.Experiments.Results;
using AdmmKit.Networks;

namespace AdmmKit.Cli;

internal static class TrainCommand
{
    public static Command Create()
    {
        var architecture = new Argument<string>("architecture") { Description = "One of: " + string.Join(", ", NetworkSpec.Architectures) + "." };
        var epochs = new Option<int?>("--epochs") { Description = "Passes over the training images.", HelpName = "N" };
        var batch = new Option<int?>("--batch") { Description = "Images in a mini-batch.", HelpName = "N" };
        var rate = new Option<double?>("--rate") { Description = "The highest learning rate of SGD.", HelpName = "R" };
        var decay = new Option<float?>("--decay") { Description = "Weight decay.", HelpName = "D" };
        var output = new Option<string>("--out") { Description = "Folder for the network and its manifest.", DefaultValueFactory = _ => "out", HelpName = "DIR" };
        var shared = new SharedOptions();
        var command = new Command("train", "Trains a dense network from scratch, checkpointed, and writes it as safetensors.")
        {
            architecture, epochs, batch, rate, decay, output,
        };
        shared.AddTo(command);
        command.Options.Add(shared.Force);
        command.Validators.Add(result =>
        {
            if (result.GetResult(architecture) is { Tokens: [var token] } && !NetworkSpec.Architectures.Contains(token.Value))
            {
                result.AddError(Names.Unknown("architecture", token.Value, NetworkSpec.Architectures));
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            DateTime started = DateTime.UtcNow;
            var clock = Stopwatch.StartNew();
            TrainingRecipe recipe = TrainingRecipe.For(parsed.GetValue(architecture)!) with { Seed = parsed.GetValue(shared.Seed) };
            recipe = recipe with
            {
                Epochs = parsed.GetValue(epochs) ?? recipe.Epochs,
                BatchSize = parsed.GetValue(batch) ?? recipe.BatchSize,
                LearningRate = parsed.GetValue(rate) ?? recipe.LearningRate,
                Decay = parsed.GetValue(decay) ?? recipe.Decay,
            };
            recipe = recipe with { WarmUpEpochs = Math.Min(recipe.WarmUpEpochs, recipe.Epochs / 4.0) };
            recipe.Check();
            string folder = parsed.GetValue(output)!;
            OutputFolder.CheckWritable(folder);
            string states = Path.Combine(folder, "checkpoints");
            DataSet data = shared.OpenDataFor(parsed, recipe.Architecture, cancellation);
            SharedOptions.Announce(data);
            DenseNetwork network = ConsoleObserver.Watch(observer =>
                DenseTraining.Run(recipe, data, states, parsed.GetValue(shared.Threads), parsed.GetValue(shared.Force), observer, cancellation));
            Manifest manifest = shared.Manifest(parsed, new DataOrigin(data.Name, data.Source, data.Checksums), recipe) with { StartedUtc = started };
            manifest = manifest with { WallTimeSeconds = Math.Round(clock.Elapsed.TotalSeconds, 1) };
            IReadOnlyList<string> files = DenseTraining.Write(network, data, manifest, folder);
            Directory.Delete(states, recursive: true);
            Console.WriteLine(FormattableString.Invariant(
                $"{recipe.Architecture}: {100 * network.Validation.Accuracy:f2} % of {network.Validation.Count} validation images, {100 * network.Test.Accuracy:f2} % of {network.Test.Count} images ({data.TestName})."));
            Console.WriteLine("Written: " + string.Join(", ", files));
            return CommandLineTool.Success;
        }));
        return command;
    }
}
