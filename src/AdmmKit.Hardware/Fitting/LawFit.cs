using AdmmKit.Hardware.Platforms;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.Optimization;

namespace AdmmKit.Hardware.Fitting;

/// <summary>A parameter of a fitted law with its 95 % interval.</summary>
/// <param name="Name">The law's own letter.</param>
/// <param name="Value">The least-squares estimate.</param>
/// <param name="Low">The interval's lower end.</param>
/// <param name="High">Its upper end.</param>
public sealed record FittedParameter(string Name, double Value, double Low, double High);

/// <summary>
/// A law of four parameters fitted to published speedups: least squares of the logarithm, so that being 10 % off counts the same
/// at 0.15x as at 8.75x, by Levenberg and Marquardt's method. Nothing is random.
/// </summary>
public sealed class LawFit
{
    // Positive parameters are fitted as logarithms, Q as that of Q - 1, and intervals are symmetric there.
    private const double Interval = 0.975;

    // A law that gives up (infinite delay) must still give a number, or no step back could be found.
    private const double LongestDelay = 1e9;

    private LawFit(IDelayLaw law, IReadOnlyList<FittedParameter> parameters) => (Law, Parameters) = (law, parameters);

    /// <summary>The fitted law.</summary>
    public IDelayLaw Law { get; }

    /// <summary>Its parameters, A, B, T and Q.</summary>
    public IReadOnlyList<FittedParameter> Parameters { get; }

    /// <summary>The density at which it says that sparse is as fast as dense.</summary>
    public double BreakEvenKeepFraction => BreakEven.KeepFraction(1, Law.RelativeDelay);

    /// <summary>Fits a <see cref="LogarithmicLaw"/>.</summary>
    /// <param name="points">What is fitted; at least five points.</param>
    /// <exception cref="AdmmKitException">There are too few points, or the search found no minimum.</exception>
    public static LawFit Logarithmic(IReadOnlyList<PublishedSpeedup> points) =>
        Of(points, [0.1, 0.5, 0.1, 2], p => new LogarithmicLaw(p[0], p[1], p[2], p[3]));

    /// <summary>Fits a <see cref="LinearAreaLaw"/>.</summary>
    /// <inheritdoc cref="Logarithmic"/>
    public static LawFit LinearArea(IReadOnlyList<PublishedSpeedup> points) =>
        Of(points, [1, 1, 0.1, 2], p => new LinearAreaLaw(p[0], p[1], p[2], p[3]));

    /// <summary>How far the law is from a published speedup, as a share of it: +0.02 is 2 % too fast.</summary>
    /// <param name="point">The point.</param>
    public double Error(PublishedSpeedup point)
    {
        ArgumentNullException.ThrowIfNull(point);
        return (1 / Law.RelativeDelay(point.Density) / point.Speedup) - 1;
    }

    /// <summary>The mean of <see cref="Error"/> without its sign.</summary>
    /// <param name="points">The points.</param>
    public double MeanError(IEnumerable<PublishedSpeedup> points) => points.Average(p => Math.Abs(Error(p)));

    /// <summary>The largest <see cref="Error"/> without its sign.</summary>
    /// <param name="points">The points.</param>
    public double WorstError(IEnumerable<PublishedSpeedup> points) => points.Max(p => Math.Abs(Error(p)));

    private static LawFit Of(IReadOnlyList<PublishedSpeedup> points, double[] start, Func<double[], IDelayLaw> create)
    {
        ArgumentNullException.ThrowIfNull(points);
        if (points.Count <= start.Length)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"A law of {start.Length} parameters cannot be fitted to {points.Count} points: give at least {start.Length + 1}."));
        }

        var densities = Vector<double>.Build.DenseOfEnumerable(points.Select(p => p.Density));
        var speedups = Vector<double>.Build.DenseOfEnumerable(points.Select(p => Math.Log(p.Speedup)));
        IObjectiveModel model = ObjectiveFunction.NonlinearModel(LogSpeedups, (p, x) => Jacobian(p, x), densities, speedups);
        NonlinearMinimizationResult result = new LevenbergMarquardtMinimizer(maximumIterations: 1000).FindMinimum(
            model, Vector<double>.Build.DenseOfEnumerable(start.Select((v, i) => Math.Log(v - Least(i)))));
        if (result.ReasonForExit is ExitCondition.ExceedIterations or ExitCondition.InvalidValues)
        {
            throw new AdmmKitException($"The law could not be fitted to these points ({result.ReasonForExit}): "
                + "are their speedups positive, and do they grow as the density falls?");
        }

        Vector<double> best = result.MinimizingPoint;
        double[] values = Values(best), halves = HalfWidths(best);
        string[] names = ["a", "b", "t", "q"];
        return new LawFit(create(values), [.. names.Select((name, i) => new FittedParameter(
            name, values[i], Least(i) + Math.Exp(best[i] - halves[i]), Least(i) + Math.Exp(best[i] + halves[i])))]);

        Vector<double> LogSpeedups(Vector<double> p, Vector<double> x)
        {
            IDelayLaw law = create(Values(p));
            return x.Map(d => -Math.Log(Math.Min(law.RelativeDelay(d), LongestDelay)));
        }

        Matrix<double> Jacobian(Vector<double> p, Vector<double> x)
        {
            // Central differences: the cube root of the rounding is the step that balances both errors.
            const double step = 6e-6;
            var columns = new Vector<double>[p.Count];
            for (int i = 0; i < p.Count; i++)
            {
                (Vector<double> below, Vector<double> above) = (p.Clone(), p.Clone());
                (below[i], above[i]) = (p[i] - step, p[i] + step);
                columns[i] = (LogSpeedups(above, x) - LogSpeedups(below, x)) / (2 * step);
            }

            return Matrix<double>.Build.DenseOfColumnVectors(columns);
        }

        // Covariance s^2 (J'J)^-1 at the minimum, s^2 the mean square of the residuals over the degrees of freedom.
        double[] HalfWidths(Vector<double> p)
        {
            Matrix<double> jacobian = Jacobian(p, densities);
            Vector<double> residuals = speedups - LogSpeedups(p, densities);
            int freedom = points.Count - p.Count;
            double variance = residuals.DotProduct(residuals) / freedom, student = StudentT.InvCDF(0, 1, freedom, Interval);
            return [.. jacobian.TransposeThisAndMultiply(jacobian).Inverse().Diagonal().Select(v => student * Math.Sqrt(variance * v))];
        }
    }

    private static double[] Values(Vector<double> logarithms) => [.. logarithms.Select((v, i) => Least(i) + Math.Exp(v))];

    // A, B and T are above 0, Q is above 1: below it the law would be slower than its two parts together.
    private static double Least(int parameter) => parameter == 3 ? 1 : 0;
}
