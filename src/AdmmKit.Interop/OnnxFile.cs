using AdmmKit.Interop.Onnx;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Interop;

/// <summary>
/// A file in the ONNX format: a graph of operators with the numbers of a network, as PyTorch, TensorFlow and others export it, and as
/// onnxruntime and others run it. Read are convolutional and fully connected networks for images, see docs/formats.md.
/// </summary>
public static class OnnxFile
{
    private const int MaxName = 100;

    // Names that exporters give every graph.
    private static readonly string[] NoNames = ["torch_jit", "torch-jit-export", "main_graph", "main", "graph", "tf2onnx"];

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What it does not say itself; null for nothing.</param>
    /// <exception cref="BadFileException">It is no ONNX file, or is damaged.</exception>
    /// <exception cref="AdmmKitException">
    /// It cannot be read at all, or computes something that is not supported; the message names the node.
    /// </exception>
    public static OnnxNetwork Read(string path, OnnxImport? options = null) => Read(ForeignFile.Read(path), path, options);

    /// <summary>Reads the bytes of one file; they must not change as long as the network's weights were not asked for.</summary>
    /// <param name="bytes">All of them.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <param name="options">What it does not say itself; null for nothing.</param>
    /// <exception cref="BadFileException">It is no ONNX file, or is damaged.</exception>
    /// <exception cref="AdmmKitException">It computes something that is not supported; the message names the node.</exception>
    public static OnnxNetwork Read(ReadOnlyMemory<byte> bytes, string name, OnnxImport? options = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        OnnxModel model;
        try
        {
            model = OnnxParser.Parse(bytes);
        }
        catch (BadFileException e)
        {
            throw new BadFileException($"'{name}' is no ONNX model that can be read: {e.Message}. Fetch it again, or export it anew.", e);
        }

        return new OnnxImporter(model, name, options ?? new OnnxImport()).Import(NetworkName(model, name));
    }

    /// <summary>Writes a file; a reader sees the old one or the new one, never a part.</summary>
    /// <param name="path">The file.</param>
    /// <param name="spec">The network.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="options">How it is written; null for dense float32.</param>
    /// <returns>The layers that could not be written in the form that was asked for, and why; mostly none.</returns>
    /// <exception cref="AdmmKitException">
    /// The network has a step that ONNX lacks, is longer than a file may be, or cannot be written.
    /// </exception>
    public static IReadOnlyList<string> Write(string path, NetworkSpec spec, NetworkWeights weights, OnnxExport? options = null)
    {
        var exporter = new OnnxExporter(spec, weights, options ?? new OnnxExport());
        AtomicFile.Write(path, exporter.Message.WriteTo);
        return exporter.Notes;
    }

    /// <summary>Writes a file; a reader sees the old one or the new one, never a part.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The network.</param>
    /// <param name="options">How it is written; null for dense float32.</param>
    /// <returns>The layers that could not be written in the form that was asked for, and why; mostly none.</returns>
    /// <exception cref="AdmmKitException">
    /// The network has a step that ONNX lacks, is longer than a file may be, or cannot be written.
    /// </exception>
    public static IReadOnlyList<string> Write(string path, CompressedNetwork model, OnnxExport? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        var exporter = new OnnxExporter(
            model.Spec, model.Decode(), options ?? new OnnxExport(), [.. model.Layers.Select(l => l.Q)]);
        AtomicFile.Write(path, exporter.Message.WriteTo);
        return exporter.Notes;
    }

    /// <summary>Writes the bytes of a file.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="spec">The network.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="options">How it is written; null for dense float32.</param>
    /// <returns>The layers that could not be written in the form that was asked for, and why; mostly none.</returns>
    /// <exception cref="AdmmKitException">The network has a step that ONNX lacks, or is longer than a file may be.</exception>
    public static IReadOnlyList<string> Write(Stream stream, NetworkSpec spec, NetworkWeights weights, OnnxExport? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var exporter = new OnnxExporter(spec, weights, options ?? new OnnxExport());
        exporter.Message.WriteTo(stream);
        return exporter.Notes;
    }

    private static string NetworkName(OnnxModel model, string file)
    {
        string graph = model.Metadata.GetValueOrDefault("architecture") ?? (NoNames.Contains(model.Graph.Name) ? "" : model.Graph.Name);
        return graph.Length is > 0 and <= MaxName && !graph.Any(char.IsControl) ? graph
            : Path.GetFileNameWithoutExtension(file) is { Length: > 0 } stem ? ForeignFile.Short(stem) : "network";
    }
}
