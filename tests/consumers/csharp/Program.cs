// A user's program: LeNet-5 on digits that are drawn here, a few steps of each phase, by the library's own steps.
using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Pipeline;
using AdmmKit.Storage;
using AdmmKit.Training;

var request = new DataRequest { Synthetic = true, SyntheticTraining = 1_400, ValidationCount = 200, SyntheticTest = 200 };
DataSet data = DataSource.Open(request, Console.Error.WriteLine);
NetworkSpec spec = NetworkSpec.LeNet5(data.Training.Shape, data.Training.Classes);
using var network = new TrainableNetwork(spec, data, new EngineOptions { Seed = 1 });
var pipeline = new CompressionPipeline(network);
int steps = network.StepsPerEpoch;
TrainingPhase Phase(string name, int epochs) => new(name, epochs * steps, new LearningRate.Cosine(2e-3));
AdmmOptions Admm(string name) => new() { Phase = name, Iterations = 2, StepsPerIteration = steps };

TrainedNetwork dense = pipeline.Pretrain(Phase("pretrain", 2));
var keep = new PerLayer(spec.Layers.ToDictionary(l => l.Name, IConstraint (l) => new Cardinality(l.WeightCount / 10)));
PrunedNetwork pruned = pipeline.Retrain(pipeline.HardPrune(pipeline.AdmmPrune(dense.Weights, keep, Admm("prune"))), Phase("retrain", 1));
IReadOnlyList<LayerLevels> levels = pipeline.FindLevels(pruned, [4, 3, 3, 3]);
CompressedNetwork compressed = pipeline.Snap(pipeline.AdmmQuantize(pruned, levels, Admm("quantize"))).Compress(spec);
compressed.Save("lenet5.admm");

CompressedNetwork read = CompressedNetwork.Load("lenet5.admm");
NetworkTensors tensors = NetworkTensors.Of(read);
SafetensorsFile.Write("lenet5.safetensors", tensors.Tensors, tensors.Metadata);
NetworkWeights back = NetworkTensors.Read(SafetensorsFile.Read("lenet5.safetensors"), spec);
if (!back.Weights.Zip(read.Decode().Weights).All(p => p.First.AsSpan().SequenceEqual(p.Second)))
{
    throw new InvalidOperationException("The weights of lenet5.safetensors are not those of lenet5.admm.");
}

var kept = new ChartSeries("kept", [1, 2, 3, 4], [.. read.Layers.Select(l => (double)l.Survivors)]);
LineChart.Scatter("Survivors of LeNet-5", "layer", "survivors", kept).Save("survivors.svg");
Platform platform = PlatformLibrary.Find("admm-nn-40nm");
Console.WriteLine(FormattableString.Invariant($"break-even of conv2: {1 / platform.BreakEvenKeepFraction(spec.Layers[1]):F2}"));
Console.WriteLine(FormattableString.Invariant($"validation: {dense.Validation.Accuracy:F2} dense, {pruned.Validation.Accuracy:F2} pruned"));
long bytes = new FileInfo("lenet5.admm").Length;
Console.WriteLine(FormattableString.Invariant($"{read.Survivors} of {spec.WeightCount} weights in {bytes} bytes"));
