using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using AdmmKit.Engine.Data;
using AdmmKit.Tests.Data;

namespace AdmmKit.Tests.Interop;

/// <summary>
/// A test that needs onnxruntime: ADMMKIT_ONNXRUNTIME names a folder in which `npm install onnxruntime-node` was called, and node is there.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnnxRuntimeFactAttribute : FactAttribute
{
    public OnnxRuntimeFactAttribute() => Skip = OnnxRuntime.Folder is null
        ? "ADMMKIT_ONNXRUNTIME names no folder with node_modules/onnxruntime-node (npm install --ignore-scripts onnxruntime-node)" : null;
}

/// <summary>Runs files in onnxruntime, in a process of its own.</summary>
internal static class OnnxRuntime
{
    /// <summary>Where it is installed; null where it is not.</summary>
    public static string? Folder { get; } = Environment.GetEnvironmentVariable("ADMMKIT_ONNXRUNTIME") is { Length: > 0 } folder
        && Directory.Exists(Path.Combine(folder, "node_modules", "onnxruntime-node")) ? folder : null;

    /// <summary>The outputs of each model for all images, pixels in [0, 1], one row an image.</summary>
    public static float[][][] Run(IReadOnlyList<(string Model, ImageSet Images)> jobs) =>
        Run([.. jobs.Select(j => (j.Model, Array.ConvertAll(j.Images.Pixels.ToArray(), p => p * (1f / 255)), ShapeOf(j.Images)))]);

    /// <summary>The outputs of each model, one row an image.</summary>
    public static float[][][] Run(IReadOnlyList<(string Model, float[] Input, int[] Shape)> jobs)
    {
        using var folder = new TemporaryFolder();
        string At(string name) => Path.Combine(folder.Path, name);
        for (int i = 0; i < jobs.Count; i++)
        {
            File.WriteAllBytes(At($"in{i}"), MemoryMarshal.AsBytes(jobs[i].Input.AsSpan()));
        }

        File.WriteAllText(At("job.json"), JsonSerializer.Serialize(jobs.Select((j, i) => new
        {
            model = Path.GetFullPath(j.Model),
            input = At($"in{i}"),
            shape = j.Shape,
            output = At($"out{i}"),
        })));
        string driver = Path.Combine(LayeringTests.Root, "tests", "AdmmKit.Tests", "Interop", "onnxruntime.mjs");
        using Process process = Process.Start(new ProcessStartInfo("node", [driver, Folder!, At("job.json")]) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(5)) && process.ExitCode == 0, errors);
        float[][] Rows(int job)
        {
            float[] all = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(At($"out{job}"))).ToArray();
            return [.. all.Chunk(all.Length / jobs[job].Shape[0])];
        }

        return [.. Enumerable.Range(0, jobs.Count).Select(Rows)];
    }

    private static int[] ShapeOf(ImageSet images) => [images.Count, images.Shape.Channels, images.Shape.Height, images.Shape.Width];

    /// <summary>The largest difference, as a part of the largest output.</summary>
    public static double Difference(float[][] expected, float[][] found)
    {
        Assert.Equal(expected.Select(r => r.Length), found.Select(r => r.Length));
        double scale = expected.Max(r => r.Max(v => Math.Abs((double)v)));
        return expected.Zip(found, (e, f) => e.Zip(f, (a, b) => Math.Abs((double)a - b)).Max()).Max() / scale;
    }
}
