namespace AdmmKit.Engine;

/// <summary>How the engine trains.</summary>
public sealed record EngineOptions
{
    /// <summary>The optimizer.</summary>
    public Optimizer Optimizer { get; init; } = new Optimizer.Adam();

    /// <summary>Images in a mini-batch.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Training images are moved by up to this many pixels each way; 0 leaves them where they are.</summary>
    public int MaxShift { get; init; }

    /// <summary>Whether each training image is mirrored left to right with probability 1/2, anew in each epoch.</summary>
    public bool Flip { get; init; }

    /// <summary>The seed of every random choice.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads; 0 means all cores. The result does not depend on it.</summary>
    public int Threads { get; init; }
}

/// <summary>How gradients become steps. Weight decay is decay/2 ||W||^2 added to the loss.</summary>
public abstract record Optimizer
{
    /// <summary>Weight decay; biases are not decayed.</summary>
    public float Decay { get; init; }

    /// <summary>Adam (Kingma and Ba 2015).</summary>
    public sealed record Adam : Optimizer
    {
        /// <summary>Decay of the first moment.</summary>
        public float Beta1 { get; init; } = 0.9f;

        /// <summary>Decay of the second moment.</summary>
        public float Beta2 { get; init; } = 0.999f;

        /// <summary>Added to the root of the second moment.</summary>
        public float Epsilon { get; init; } = 1e-8f;
    }

    /// <summary>Stochastic gradient descent: v = momentum v + rate g; w = w - v.</summary>
    public sealed record Sgd : Optimizer
    {
        /// <summary>Share of the velocity that is kept.</summary>
        public float Momentum { get; init; } = 0.9f;
    }
}
