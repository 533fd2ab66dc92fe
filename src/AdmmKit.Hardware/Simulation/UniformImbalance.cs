using MathNet.Numerics.Distributions;

namespace AdmmKit.Hardware.Simulation;

/// <summary>What waiting for the slowest costs where survivors are independent: the closed form beside the simulator.</summary>
public static class UniformImbalance
{
    /// <summary>The mean of the largest of several binomial numbers: the sum over x of 1 - P(X at most x)^elements.</summary>
    /// <param name="weights">Weights that each element draws from.</param>
    /// <param name="keepFraction">Probability of each to survive, in [0, 1].</param>
    /// <param name="elements">Elements, at least 1.</param>
    public static double ExpectedMaximum(int weights, double keepFraction, int elements)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(weights);
        ArgumentOutOfRangeException.ThrowIfLessThan(elements, 1);
        double sum = 0;
        for (int x = 0; x < weights; x++)
        {
            double more = 1 - Math.Pow(Binomial.CDF(keepFraction, weights, x), elements);
            if (more < 1e-12 && x > weights * keepFraction)
            {
                break;
            }

            sum += more;
        }

        return sum;
    }

    /// <summary>
    /// Cycles that a layer is expected to take on elements of one multiplier with a filter each, where each weight survives
    /// independently: rounds of filters, each as long as its largest, for each output.
    /// </summary>
    /// <param name="filters">Filters.</param>
    /// <param name="columns">Weights of a filter.</param>
    /// <param name="keepFraction">Probability of a weight to survive.</param>
    /// <param name="elements">Elements.</param>
    /// <param name="positions">Activations that each weight is multiplied with.</param>
    public static double Cycles(int filters, int columns, double keepFraction, int elements, int positions)
    {
        (int rounds, int rest) = Math.DivRem(filters, elements);
        double last = rest > 0 ? ExpectedMaximum(columns, keepFraction, rest) : 0;
        return positions * (last + (rounds > 0 ? rounds * ExpectedMaximum(columns, keepFraction, elements) : 0));
    }
}
