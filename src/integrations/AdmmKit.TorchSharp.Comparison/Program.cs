using System.Globalization;
using AdmmKit;
using AdmmKit.Engine.Data;
using AdmmKit.TorchSharp.Comparison;

// The same LeNet-5, recipe and seeds on AdmmKit's own engine and on TorchSharp: rows and models as all results have them.
// Without replicates (0) only how fast both are, without rounds (0) only what they make.
// [--replicates N] [--images N] [--rounds N] [--steps N] [--data DIR] [--out DIR]
try
{
    var settings = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["--replicates"] = "3",
        ["--images"] = "20000",
        ["--rounds"] = "5",
        ["--steps"] = "100",
        ["--data"] = "",
        ["--out"] = "results/torchsharp",
    };
    for (int i = 0; i < args.Length; i += 2)
    {
        settings[settings.ContainsKey(args[i]) && i + 1 < args.Length
            ? args[i] : throw new AdmmKitException(Names.Unknown("option with a value", args[i], settings.Keys))] = args[i + 1];
    }

    int Count(string name, int least = 1) =>
        int.TryParse(settings[name], NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count >= least
        ? count : throw new AdmmKitException(FormattableString.Invariant($"{name} {settings[name]} is no count: give a whole number of at least {least}."));

    DataSet data = DataSource.Open(new DataRequest { Directory = settings["--data"] }, Console.Error.WriteLine);
    Comparison.Run(data, args, Count("--replicates", 0), Count("--images"), Count("--rounds", 0), Count("--steps"), settings["--out"]);
    return 0;
}
catch (AdmmKitException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
