namespace AdmmKit.Storage.Coding;

/// <summary>
/// Mixes predictions by logistic regression that goes on learning: the log odds of the result are a weighted sum of log odds, and
/// each bit moves the weights down the gradient of its cost (Mahoney 2005, "Adaptive weighing of context models").
/// </summary>
/// <param name="weights">Weights at the start, in 1/65,536.</param>
/// <param name="rate">Learning rate in 1/256 of a weight for an input of one nat and an error of one.</param>
internal sealed class Mixer(int[] weights, int rate)
{
    private const int MaxWeight = 16 << 16;

    private readonly int[] weights = [.. weights];
    private readonly int[] inputs = new int[weights.Length];
    private int mixed;

    /// <summary>Log odds to be mixed, in 1/256 nat; to be filled before each prediction.</summary>
    public Span<int> Inputs => inputs;

    /// <summary>The probability that the inputs give together.</summary>
    public int Predict()
    {
        long sum = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            sum += (long)weights[i] * inputs[i];
        }

        mixed = Logistic.Squash((int)Math.Clamp(sum >> 16, -Logistic.MaxOdds, Logistic.MaxOdds));
        return mixed;
    }

    /// <summary>Learns the bit that <see cref="Predict"/> was for.</summary>
    public void Learn(bool bit)
    {
        long error = ((bit ? Logistic.One : 0) - mixed) * (long)rate;
        for (int i = 0; i < inputs.Length; i++)
        {
            weights[i] = (int)Math.Clamp(weights[i] + ((inputs[i] * error) >> 16), -MaxWeight, MaxWeight);
        }
    }
}
