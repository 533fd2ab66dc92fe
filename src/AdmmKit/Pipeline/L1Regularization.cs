using AdmmKit.Training;

namespace AdmmKit.Pipeline;

/// <summary>
/// Pruning by L1 regularization, to compare with: training with lambda ||W_i||_1 added to the loss makes small weights
/// smaller, magnitude pruning then takes them away, and masked retraining without the penalty repairs.
/// </summary>
/// <remarks>
/// Sec. 3.1 in [Han2015] compares L1 with L2 in this role and finds L1 better before retraining and worse after it. Sec. 3.2
/// in [Ren2019] sets conventional regularization against ADMM, whose target Z - U is moved in each iteration. The
/// penalty's subgradient does not bring a weight to exactly zero, which is why a projection must follow.
/// <para>[Han2015] S. Han, J. Pool, J. Tran, W. J. Dally: Learning both Weights and Connections for Efficient Neural Networks.
/// NIPS 2015, arXiv:1506.02626. [Ren2019]: see <see cref="Constraints.IConstraint"/>.</para>
/// </remarks>
public static class L1Regularization
{
    /// <summary>Adds lambda ||W_i||_1 to the loss of the given layers, in place of the penalty before; the others lose
    /// theirs.</summary>
    /// <param name="network">The network.</param>
    /// <param name="lambda">The weight of the term, positive and finite.</param>
    /// <param name="only">Names of the layers that are penalized; null for all.</param>
    /// <exception cref="AdmmKitException">lambda is out of range, or there is no such layer.</exception>
    public static void Set(ITrainable network, float lambda, IReadOnlyCollection<string>? only = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (!(lambda > 0 && float.IsFinite(lambda)))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"lambda is {lambda}, but must be positive and finite: 1e-5 to 1e-3 are usual."));
        }

        string[] names = [.. network.Layers.Select(l => l.Name)];
        if (only?.FirstOrDefault(name => !names.Contains(name)) is { } unknown)
        {
            throw new AdmmKitException(Names.Unknown("layer", unknown, names));
        }

        for (int i = 0; i < names.Length; i++)
        {
            network.SetPenalty(i, only is null || only.Contains(names[i]) ? new Penalty.L1(lambda) : Penalty.None);
        }
    }

    /// <summary>Takes the penalty off all layers.</summary>
    /// <param name="network">The network.</param>
    public static void Remove(ITrainable network)
    {
        ArgumentNullException.ThrowIfNull(network);
        for (int i = 0; i < network.Layers.Count; i++)
        {
            network.SetPenalty(i, Penalty.None);
        }
    }
}
