using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Hardware.Search;

/// <summary>How the bits of weights are searched.</summary>
public sealed record BitsOptions
{
    /// <summary>Bits with which the search begins, 1 to 8.</summary>
    public int MostBits { get; init; } = 5;

    /// <summary>Bits below which it does not go, 1 to <see cref="MostBits"/>.</summary>
    public int FewestBits { get; init; } = 2;

    /// <summary>How far the quantized network may lie below the pruned one, as a share of the images; not negative.</summary>
    public double Budget { get; init; } = 0.005;
}

/// <summary>Bits of all convolutions and of all fully connected layers, and how the network did with them.</summary>
/// <param name="ConvolutionBits">n of convolutions.</param>
/// <param name="FullyConnectedBits">n of fully connected layers.</param>
/// <param name="Validation">Its accuracy on the validation images.</param>
/// <param name="Accepted">Whether that is within the budget.</param>
public sealed record ProbedBits(int ConvolutionBits, int FullyConnectedBits, Evaluation Validation, bool Accepted);

/// <summary>
/// Chooses bits, the last step of Fig. 5 in [Ren2019]: convolutions, which make up most of the computation, give up bits first,
/// as long as the accuracy allows; then fully connected layers.
/// </summary>
public static class BitsSearch
{
    /// <summary>Finds what is wrong with options before anything is probed.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="AdmmKitException">One is out of range.</exception>
    public static void Check(BitsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options is not { FewestBits: >= 1, MostBits: <= 8 } || options.FewestBits > options.MostBits || !(options.Budget >= 0))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Bits {options.FewestBits} to {options.MostBits} with a budget of {options.Budget} cannot be searched: bits are 1 to 8, fewest first, and the budget is not negative."));
        }
    }

    /// <summary>Searches.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="pruned">The pruned network's accuracy on the validation images.</param>
    /// <param name="options">How.</param>
    /// <param name="probe">Quantizes shortly to so many bits (convolutions, fully connected) and says the accuracy.</param>
    /// <returns>What was tried, in order; the last accepted one is the choice.</returns>
    /// <exception cref="AdmmKitException">An option is out of range, or not even the most bits are within the budget.</exception>
    public static IReadOnlyList<ProbedBits> Run(
        NetworkSpec spec, Evaluation pruned, BitsOptions options, Func<int, int, Evaluation> probe)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(pruned);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(probe);
        Check(options);
        var path = new List<ProbedBits>();
        bool Try(int convolution, int fullyConnected)
        {
            Evaluation validation = probe(convolution, fullyConnected);
            path.Add(new ProbedBits(convolution, fullyConnected, validation, validation.Accuracy >= pruned.Accuracy - options.Budget));
            return path[^1].Accepted;
        }

        (int conv, int fc) = (options.MostBits, options.MostBits);
        if (!Try(conv, fc))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"With {conv} bits for all weights the validation accuracy is {100 * path[0].Validation.Accuracy:f2} %, more than {100 * options.Budget:f2} points below the pruned network's: allow more bits or a larger budget."));
        }

        if (spec.Layers.Any(l => l.Kind == LayerKind.Convolution))
        {
            while (conv > options.FewestBits && Try(conv - 1, fc))
            {
                conv--;
            }
        }

        while (fc > options.FewestBits && spec.Layers.Any(l => l.Kind == LayerKind.FullyConnected) && Try(conv, fc - 1))
        {
            fc--;
        }

        return path;
    }
}
