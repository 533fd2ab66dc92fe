using System.Diagnostics;
using System.Text.Json;
using AdmmKit.Engine.Sparse;
using AdmmKit.Storage;

namespace AdmmKit.Benchmarks;

/// <summary>The mode <c>decode</c>: how long it takes from the bytes of a compressed file to a network that can classify.</summary>
internal static class Decoding
{
    public const string Takes = "[file] [--rounds N]";

    public static void Run(Arguments arguments)
    {
        int rounds = arguments.Count("--rounds", 201);
        string file = arguments.Text("file") ?? throw new UsageException("Say which file.");
        byte[] bytes = File.ReadAllBytes(file);
        (double decode, double compile) first = Once(bytes, file);
        (double Decode, double Compile)[] times = [.. Enumerable.Range(0, rounds).Select(_ => Once(bytes, file))];
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            file,
            bytes = bytes.Length,
            rounds,
            firstMs = first.decode + first.compile,
            decodeMs = Median(times.Select(t => t.Decode)),
            compileMs = Median(times.Select(t => t.Compile)),
            bothMs = Median(times.Select(t => t.Decode + t.Compile)),
        }));
    }

    private static (double Decode, double Compile) Once(byte[] bytes, string file)
    {
        long start = Stopwatch.GetTimestamp();
        CompressedNetwork network = CompressedNetwork.Read(bytes, file);
        double decode = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        SparseNetwork.Compile(network);
        return (decode, Stopwatch.GetElapsedTime(start).TotalMilliseconds - decode);
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);
}
