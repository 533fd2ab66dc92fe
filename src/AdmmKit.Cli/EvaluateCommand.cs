using System.CommandLine;
using System.Globalization;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Cli;

internal static class EvaluateCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A compressed network (.admm)." };
        var shared = new SharedOptions();
        var command = new Command("evaluate", "Decodes a compressed network and evaluates it.") { file };
        shared.AddTo(command);
        command.Options.Add(shared.DataSet);
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            CompressedNetwork model = CompressedNetwork.Load(parsed.GetValue(file)!);
            DataSet data = shared.OpenData(parsed, cancellation);
            using var network = new Network(model.Spec, 256, parsed.GetValue(shared.Threads));
            network.SetWeights(model.Decode());
            foreach ((string name, ImageSet images) in new[] { ("validation", data.Validation), (data.TestName, data.Test) })
            {
                Evaluation e = network.Evaluate(images);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{data.Name}, {name}: {e.Correct} of {e.Count} images correct, {100 * e.Accuracy:f2} %, loss {e.Loss:f4}"));
            }

            return CommandLineTool.Success;
        }));
        return command;
    }
}
