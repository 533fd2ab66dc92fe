using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Data;

/// <summary>
/// Handwritten-looking digits that the program draws itself, a stand-in for MNIST where that cannot be had: 28 x 28 grey
/// pictures in ten classes, hard enough that accuracy means something. Results on them are never results on MNIST.
/// </summary>
public static partial class SyntheticDigits
{
    /// <summary>The name of every data set that is drawn here.</summary>
    public const string Name = "synthetic digits";

    /// <summary>Number of pictures for training and validation together, as in MNIST.</summary>
    public const int DefaultTraining = 60_000;

    /// <summary>Number of test pictures, as in MNIST.</summary>
    public const int DefaultTest = 10_000;

    /// <summary>
    /// Draws a data set. Every picture has its own random stream, named by the seed, the split and its index, so neither the
    /// number of threads nor the size of a split changes any picture.
    /// </summary>
    /// <param name="seed">The seed.</param>
    /// <param name="training">Pictures for training and validation together.</param>
    /// <param name="test">Pictures for the test set.</param>
    /// <param name="validation">How many of the last training pictures are held out.</param>
    /// <param name="cancellationToken">Stops the drawing.</param>
    /// <exception cref="AdmmKitException">The counts leave a split empty.</exception>
    public static DataSet Create(
        ulong seed,
        int training = DefaultTraining,
        int test = DefaultTest,
        int validation = 5000,
        CancellationToken cancellationToken = default) =>
        Create(seed, training, test, validation, -1, cancellationToken);

    /// <summary>Draws the data set again whose <see cref="DataSet.Source"/> is given, with one picture held out for validation.</summary>
    /// <param name="source">A sentence such as <see cref="Create(ulong, int, int, int, CancellationToken)"/> leaves in its data set.</param>
    /// <param name="cancellationToken">Stops the drawing.</param>
    /// <returns>The data set, or null where the sentence speaks of another one.</returns>
    /// <exception cref="AdmmKitException">The counts leave a split empty.</exception>
    public static DataSet? Again(string source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return SourcePattern().Match(source) is { Success: true } match
            && int.TryParse(match.Groups["training"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int training)
            && int.TryParse(match.Groups["test"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int test)
            && ulong.TryParse(match.Groups["seed"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)
            ? Create(seed, training, test, 1, cancellationToken) : null;
    }

    // What Create writes into Source.
    [GeneratedRegex("^(?<training>[0-9]+) \\+ (?<test>[0-9]+) digits drawn by AdmmKit from seed (?<seed>[0-9]+); not MNIST\\.$", RegexOptions.CultureInvariant)]
    private static partial Regex SourcePattern();

    internal static DataSet Create(ulong seed, int training, int test, int validation, int threads, CancellationToken cancellationToken)
    {
        const int most = int.MaxValue / (DigitPainter.Side * DigitPainter.Side);
        if (validation < 1 || test < 1 || training <= validation || training > most || test > most)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{training} synthetic training pictures with {validation} of them for validation, and {test} for testing: each split needs at least 1, and at most {most} can be drawn."));
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken };
        ImageSet all = DrawSplit(seed, "digits", training, options);
        ImageSet testing = DrawSplit(seed, "test digits", test, options);
        return new DataSet(
            Name,
            FormattableString.Invariant($"{training} + {test} digits drawn by AdmmKit from seed {seed}; not MNIST."),
            all.Slice(0, training - validation),
            all.Slice(training - validation, validation),
            testing,
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["training and validation pixels"] = Convert.ToHexStringLower(SHA256.HashData(all.Pixels.Span)),
                ["test pixels"] = Convert.ToHexStringLower(SHA256.HashData(testing.Pixels.Span)),
            });
    }

    private static ImageSet DrawSplit(ulong seed, string purpose, int count, ParallelOptions options)
    {
        var shape = new ImageShape(1, DigitPainter.Side, DigitPainter.Side);
        var pixels = new byte[count * shape.Size];
        var labels = new byte[count];
        Parallel.For(0, count, options, () => new DigitPainter(), (i, _, painter) =>
        {
            var random = new RandomStream(seed, purpose, i);
            labels[i] = (byte)random.NextInt(10);
            painter.Draw(labels[i], random, pixels.AsSpan(i * shape.Size, shape.Size));
            return painter;
        }, _ => { });
        return new ImageSet(shape, 10, pixels, labels);
    }
}
