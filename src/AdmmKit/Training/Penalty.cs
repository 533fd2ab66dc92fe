namespace AdmmKit.Training;

/// <summary>A term that training adds to the loss, for one layer.</summary>
public abstract record Penalty
{
    /// <summary>No term.</summary>
    public static Penalty None { get; } = new NoPenalty();

    /// <summary>Nothing is added.</summary>
    public sealed record NoPenalty : Penalty;

    /// <summary>
    /// rho/2 ||W - target||^2 with target = Z - U, eq. (5) in [Ren2019]; the norm is squared, so the gradient is
    /// rho (W - target). The engine may read the target where it stands instead of copying it: leave the array as it is
    /// while the network trains with this penalty.
    /// </summary>
    /// <param name="Rho">The penalty rho_i, positive.</param>
    /// <param name="Target">Z_i - U_i, row-major.</param>
    public sealed record Quadratic(float Rho, ReadOnlyMemory<float> Target) : Penalty;

    /// <summary>lambda ||W||_1; the subgradient is lambda sign(W), 0 at 0.</summary>
    /// <param name="Lambda">The weight of the term, positive.</param>
    public sealed record L1(float Lambda) : Penalty;
}
