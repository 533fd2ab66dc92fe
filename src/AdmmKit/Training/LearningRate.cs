namespace AdmmKit.Training;

/// <summary>A learning rate over a phase of training.</summary>
public abstract record LearningRate
{
    /// <summary>The rate at one step.</summary>
    /// <param name="step">Steps done so far, from 0.</param>
    /// <param name="steps">Steps of the whole phase.</param>
    public abstract double At(int step, int steps);

    /// <summary>The same rate throughout.</summary>
    /// <param name="Rate">The rate.</param>
    public sealed record Constant(double Rate) : LearningRate
    {
        /// <inheritdoc/>
        public override double At(int step, int steps) => Rate;
    }

    /// <summary>Multiplied by a factor at equal distances.</summary>
    /// <param name="Rate">The first rate.</param>
    /// <param name="Factor">The factor at each drop, such as 0.1.</param>
    /// <param name="Every">Steps between two drops, at least 1.</param>
    public sealed record Steps(double Rate, double Factor, int Every) : LearningRate
    {
        /// <inheritdoc/>
        public override double At(int step, int steps) => Rate * Math.Pow(Factor, step / Every);
    }

    /// <summary>Half a cosine wave from the first rate to the last.</summary>
    /// <param name="Rate">The first rate.</param>
    /// <param name="Final">The rate that the last step approaches.</param>
    public sealed record Cosine(double Rate, double Final = 0) : LearningRate
    {
        /// <inheritdoc/>
        public override double At(int step, int steps) =>
            Final + ((Rate - Final) * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(step, steps) / Math.Max(1, steps))));
    }

    /// <summary>Rises evenly to the inner rate in the first steps.</summary>
    /// <param name="Inner">The rate after that.</param>
    /// <param name="Rise">Steps of the rise, at least 1.</param>
    public sealed record WarmUp(LearningRate Inner, int Rise) : LearningRate
    {
        /// <inheritdoc/>
        public override double At(int step, int steps) => Inner.At(step, steps) * Math.Min(1, (step + 1.0) / Rise);
    }

    /// <summary>Starts over every period: ADMM solves a new subproblem in each iteration, and each starts at the full rate.</summary>
    /// <param name="Inner">The rate within a period.</param>
    /// <param name="Period">Steps of a period, at least 1.</param>
    public sealed record Restarting(LearningRate Inner, int Period) : LearningRate
    {
        /// <inheritdoc/>
        public override double At(int step, int steps) => Inner.At(step % Period, Period);
    }
}
