using AdmmKit;
using AdmmKit.Benchmarks;
using BenchmarkDotNet.Running;

(string Name, string Takes, string What, Action<Arguments> Run)[] modes =
[
    ("job", Job.Takes, "images/s and microseconds of LeNet-5: training, inference, projection; one JSON line", Job.Run),
    ("peak", PeakMode.Takes, "what the machine can do at most: multiply-adds and bytes a second; one JSON object", PeakMode.Run),
    ("roofline", Roofline.Takes, "kernels and training steps against the peak; roofline.svg, .csv, .json and .md", Roofline.Run),
    ("cost", Cost.Takes, "time and memory of a training step, network by network; JSON, and cost.json and .md with --out", Cost.Run),
    ("sparse", SparseInference.Takes, "latency and throughput of a compiled sparse network beside the dense one; one JSON object", SparseInference.Run),
    ("decode", Decoding.Takes, "time from the bytes of a compressed file to a network that can classify; one JSON object", Decoding.Run),
    ("masked", SparseTraining.Takes, "masked training with survivors alone against dense arrays, and where the two take as long", SparseTraining.Run),
    ("compare", Compare.Takes, "'job' and another program of the same output in turn; a folder of results", Compare.Run),
];

if (args is ["-h" or "--help"])
{
    Usage(Console.Out);
    return 0;
}

if (args is [['-', ..], ..])
{
    // Everything that begins with an option is for BenchmarkDotNet: --filter '*', --list flat.
    BenchmarkSwitcher.FromAssembly(typeof(Arguments).Assembly).Run(args);
    return 0;
}

try
{
    if (args.Length == 0)
    {
        throw new UsageException("Say what to measure.");
    }

    var mode = modes.FirstOrDefault(m => m.Name == args[0]);
    if (mode.Run is null)
    {
        throw new UsageException(Names.Unknown("mode", args[0], [.. modes.Select(m => m.Name)]));
    }

    mode.Run(new Arguments(args[1..], mode.Takes));
    return 0;
}
catch (UsageException e)
{
    Console.Error.WriteLine("error: " + e.Message);
    Usage(Console.Error);
    return 2;
}
catch (AdmmKitException e)
{
    Console.Error.WriteLine("error: " + e.Message);
    return 1;
}

void Usage(TextWriter to)
{
    to.WriteLine("Usage: dotnet run -c Release --project tests/AdmmKit.Benchmarks -- MODE, on quiet cores. Modes:");
    foreach ((string name, string takes, string what, _) in modes)
    {
        to.WriteLine($"  {name} {takes}\n      {what}");
    }

    to.WriteLine("  --filter '*'\n      single kernels with BenchmarkDotNet, and its other options");
}
