using System.Security.Cryptography;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Results;

/// <summary>
/// What a manifest says about one model beside it. Everything here can be found again from the file and the test images
/// alone, to the last image on any machine: <see cref="ResultsVerifier"/> does.
/// </summary>
/// <param name="File">The file's name, without a folder.</param>
/// <param name="Row">The row of <c>rows.csv</c> that it belongs to; a row's values are means over its models.</param>
/// <param name="Sha256">SHA-256 of the file, in lower-case hexadecimal.</param>
/// <param name="Bytes">Length of the file.</param>
/// <param name="Survivors">Weights that are not zero.</param>
/// <param name="WeightDataBits">Bits of their values: the paper's "data size".</param>
/// <param name="Correct">Test images that <see cref="ScalarNetwork"/> classifies correctly.</param>
/// <param name="Images">Test images in all.</param>
public sealed record ModelRecord(
    string File, string Row, string Sha256, long Bytes, int Survivors, long WeightDataBits, int Correct, int Images)
{
    /// <summary>Describes a model that is or will be saved, and evaluates it.</summary>
    /// <param name="file">The file; only its name is kept.</param>
    /// <param name="model">The model.</param>
    /// <param name="row">The row of <c>rows.csv</c> that it belongs to.</param>
    /// <param name="test">The test images.</param>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <param name="cancellation">Stops between two images.</param>
    /// <exception cref="AdmmKitException">The images do not fit the model.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public static ModelRecord Of(
        string file, CompressedNetwork model, string row, ImageSet test, int threads = 0, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(test);
        return Of(file, model, row, new Evaluation(ScalarNetwork.CountCorrect(model, test, threads, cancellation), test.Count, 0));
    }

    /// <summary>Describes a model whose correct images have been counted already.</summary>
    /// <param name="file">The file; only its name is kept.</param>
    /// <param name="model">The model.</param>
    /// <param name="row">The row of <c>rows.csv</c> that it belongs to.</param>
    /// <param name="test">The count, by <see cref="ScalarNetwork"/>.</param>
    public static ModelRecord Of(string file, CompressedNetwork model, string row, Evaluation test)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(test);
        byte[] bytes = Encode(model);
        return new ModelRecord(
            Path.GetFileName(file), row, Hash(bytes), bytes.Length, model.Survivors, model.WeightDataBits, test.Correct, test.Count);
    }

    internal static byte[] Encode(CompressedNetwork model)
    {
        var bytes = new MemoryStream();
        model.Write(bytes);
        return bytes.ToArray();
    }

    internal static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
