using System.CommandLine;
using System.Globalization;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Cli;

internal static class EvaluateCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = $"A network: {ModelOptions.Kinds}." };
        var options = new ModelOptions();
        var shared = new SharedOptions();
        var command = new Command("evaluate", "Evaluates a network: a compressed one as it is decoded, or a dense one.") { file };
        options.AddTo(command);
        shared.AddTo(command);
        command.Options.Add(shared.DataSet);
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            DataSet? opened = null;
            (ImageShape, int) Images() => ((opened = shared.OpenData(parsed, cancellation)).Test.Shape, opened.Test.Classes);
            StoredModel model = options.Load(parsed, parsed.GetValue(file)!, Images);
            model.Spec.CheckGraph();
            DataSet data = opened ?? shared.OpenDataFor(parsed, model.Spec.Input, cancellation);
            RecipeNetwork.CheckFits(model.Spec, $"'{parsed.GetValue(file)}'", data);
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
