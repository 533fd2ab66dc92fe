using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// A constraint set S_i of one layer together with its exact Euclidean projection, eq. (7), sec. 3.2 in [Ren2019].
/// A new constraint is a new class in this folder; the laws that every one obeys are in the tests' ProjectionLaws.
/// </summary>
/// <remarks>
/// [Ren2019] A. Ren, T. Zhang, S. Ye, J. Li, W. Xu, X. Qian, X. Lin, Y. Wang: ADMM-NN: An Algorithm-Hardware Co-Design
/// Framework of DNNs Using Alternating Direction Methods of Multipliers. ASPLOS 2019, doi:10.1145/3297858.3304076.
/// </remarks>
public interface IConstraint
{
    /// <summary>The set in a few words, such as "at most 400 weights".</summary>
    string Description { get; }

    /// <summary>Checks that the set fits the layer and is not empty.</summary>
    /// <param name="layer">The layer to be constrained.</param>
    /// <exception cref="AdmmKitException">It does not; the message names the layer, the value and the bound.</exception>
    void Validate(LayerInfo layer);

    /// <summary>Writes the point of the set nearest to <paramref name="v"/>: Z = Pi_S(V), eq. (7) in [Ren2019].</summary>
    /// <param name="layer">The layer; gives rows, columns and kernel.</param>
    /// <param name="v">W + U, row-major, <see cref="LayerInfo.WeightCount"/> finite numbers.</param>
    /// <param name="z">Receives the projection; may be the same memory as <paramref name="v"/>.</param>
    /// <param name="rho">The penalty rho_i. A projection onto a set does not depend on it; a proximal step, where the
    /// "set" charges for what it keeps, does.</param>
    /// <exception cref="AdmmKitException">A value is not finite, or the set does not fit the layer.</exception>
    void Project(LayerInfo layer, ReadOnlySpan<float> v, Span<float> z, float rho);

    /// <summary>Told of each new Z, and at first of W, by those who project again and again; see
    /// <see cref="INetworkConstraint.Freeze"/>.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="z">The weights, row-major.</param>
    void Freeze(LayerInfo layer, ReadOnlySpan<float> z)
    {
    }

    /// <summary>Whether a point lies in the set, up to float rounding.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="z">The point, row-major.</param>
    bool Contains(LayerInfo layer, ReadOnlySpan<float> z);
}

/// <summary>A constraint on several layers together, such as one budget of weights for the whole network.</summary>
public interface INetworkConstraint
{
    /// <summary>Whether the layer is constrained at all. One that is not is trained without a penalty.</summary>
    /// <param name="layer">A layer of the network.</param>
    bool Applies(LayerInfo layer);

    /// <summary>Checks that the set fits the network and is not empty.</summary>
    /// <param name="layers">All layers of the network.</param>
    /// <exception cref="AdmmKitException">It does not.</exception>
    void Validate(IReadOnlyList<LayerInfo> layers);

    /// <summary>
    /// Projects all layers together: minimises sum_i rho_i/2 ||V_i - Z_i||^2 over the set, eq. (6) in [Ren2019].
    /// Layers to which the constraint does not apply are copied.
    /// </summary>
    /// <param name="layers">All layers of the network.</param>
    /// <param name="v">W_i + U_i of each layer.</param>
    /// <param name="z">Receives Z_i of each layer; an array may be the same as in <paramref name="v"/>.</param>
    /// <param name="rho">rho_i of each layer, positive.</param>
    void Project(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> v, IReadOnlyList<float[]> z, ReadOnlySpan<float> rho);

    /// <summary>
    /// Told of each new Z, and at first of W, by <see cref="Admm.AdmmTrainer"/>: a set that charges for what it keeps takes its
    /// statistics from there, and holds them for the next projection. They must follow from these weights alone, so that a run
    /// that goes on from a saved state goes on to the same bits. A set that charges nothing has nothing to do.
    /// </summary>
    /// <param name="layers">All layers of the network.</param>
    /// <param name="z">The weights of each layer.</param>
    void Freeze(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z)
    {
    }

    /// <summary>Whether a point lies in the set, up to float rounding.</summary>
    /// <param name="layers">All layers of the network.</param>
    /// <param name="z">The weights of each layer.</param>
    bool Contains(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z);
}
