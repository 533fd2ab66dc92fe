namespace AdmmKit.Interop;

/// <summary>
/// A .caffemodel file: the binary protobuf message NetParameter of Caffe, in which the layers of a trained network stand with their
/// numbers. Both messages for a layer are read, LayerParameter and the older V1LayerParameter; not read are layers as they were
/// written before 2014, files of text (.prototxt), and HDF5 (.caffemodel.h5).
/// </summary>
public sealed class CaffeModelFile
{
    private CaffeModelFile(string name, string network, IReadOnlyList<CaffeLayer> layers) =>
        (Name, Network, Layers) = (name, network, layers);

    /// <summary>What it is called in errors.</summary>
    public string Name { get; }

    /// <summary>The name that the network has in the file, such as "LeNet"; often none.</summary>
    public string Network { get; }

    /// <summary>All layers in the order of the file, in which each comes after those that it reads; also those without numbers.</summary>
    public IReadOnlyList<CaffeLayer> Layers { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadFileException">It is no Caffe model, or is damaged.</exception>
    /// <exception cref="AdmmKitException">It cannot be read at all.</exception>
    public static CaffeModelFile Read(string path) => Read(ForeignFile.Read(path).Span, path);

    /// <summary>Reads the bytes of one file.</summary>
    /// <param name="bytes">All of them.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="BadFileException">It is no Caffe model, or is damaged.</exception>
    public static CaffeModelFile Read(ReadOnlySpan<byte> bytes, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        try
        {
            (string network, List<CaffeLayer> layers) = CaffeModelParser.Parse(bytes);
            return new CaffeModelFile(name, network, layers);
        }
        catch (BadFileException e)
        {
            throw new BadFileException(
                $"'{name}' is no Caffe model that can be read: {e.Message}. Fetch it again; it has to be the binary .caffemodel, neither a .prototxt nor HDF5.", e);
        }
    }
}
