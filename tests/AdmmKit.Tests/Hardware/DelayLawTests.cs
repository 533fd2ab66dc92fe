using AdmmKit.Hardware.Fitting;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Hardware;

public class DelayLawTests
{
    private static readonly IReadOnlyList<PublishedSpeedup> All = PublishedSpeedup.All;

    public static TheoryData<string> Methods => [.. PublishedSpeedup.Methods];

    // The points as they were once computed by hand from Tables 8 and 9, with three decimals, in descending order.
    [Fact]
    public void The_published_points_are_those_of_Tables_8_and_9()
    {
        double[] densities =
        [
            0.853, 0.839, 0.829, 0.45, 0.379, 0.373, 0.371, 0.351, 0.259, 0.240, 0.239, 0.233, 0.232, 0.224, 0.188, 0.147, 0.073,
            0.071, 0.069, 0.060, 0.025,
        ];
        double[] speedups = [0.15, 0.16, 0.17, 1, 1.4, 1.5, 1.5, 1.6, 2.6, 2.9, 2.9, 3, 3, 3, 3.8, 4.6, 7.1, 7.2, 7, 7.5, 8.75];
        PublishedSpeedup[] sorted = [.. All.OrderByDescending(p => p.Density)];
        Assert.Equal(densities, sorted.Select(p => Math.Round(p.Density, 3, MidpointRounding.AwayFromZero)));
        Assert.Equal(speedups, sorted.Select(p => Math.Round(p.Speedup, 6)));
        Assert.Equal(5, PublishedSpeedup.Methods.Count);
    }

    [Fact]
    public void The_logarithmic_law_meets_the_published_speedups_and_the_break_even()
    {
        var fit = LawFit.Logarithmic(All);
        Assert.InRange(fit.MeanError(All), 0, 0.02);
        Assert.InRange(fit.WorstError(All), 0, 0.05);
        Assert.InRange(1 / fit.BreakEvenKeepFraction, 2.17, 2.27);
        Assert.Equal(1, fit.Law.RelativeDelay(fit.BreakEvenKeepFraction), 1e-12);
        // Computed by another program from densities of three decimals.
        var law = Assert.IsType<LogarithmicLaw>(fit.Law);
        Assert.Equal(0.036, law.A, 0.001);
        Assert.Equal(0.573, law.B, 0.002);
        Assert.Equal(0.110, law.T, 0.001);
        Assert.Equal(1.23, law.Q, 0.005);
    }

    [Fact]
    public void The_linear_law_is_worse_and_gives_up_before_all_weights_are_there()
    {
        var fit = LawFit.LinearArea(All);
        Assert.Equal(0.0295, fit.MeanError(All), 0.0005);
        Assert.Equal(0.093, fit.WorstError(All), 0.0005);
        Assert.Equal(2.119, 1 / fit.BreakEvenKeepFraction, 0.0005);
        Assert.Equal(double.PositiveInfinity, fit.Law.RelativeDelay(1));
        Assert.True(fit.MeanError(All) > LawFit.Logarithmic(All).MeanError(All));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Layers_of_a_method_that_was_left_out_are_predicted(string method)
    {
        var fit = LawFit.Logarithmic([.. All.Where(p => p.Method != method)]);
        Assert.InRange(fit.MeanError(All.Where(p => p.Method == method)), 0.001, 0.05);
    }

    [Fact]
    public void The_fit_is_a_minimum_and_its_intervals_hold_it()
    {
        var fit = LawFit.Logarithmic(All);
        double[] best = [.. fit.Parameters.Select(p => p.Value)];
        Assert.Equal(["a", "b", "t", "q"], fit.Parameters.Select(p => p.Name));
        for (int i = 0; i < best.Length; i++)
        {
            Assert.InRange(best[i], fit.Parameters[i].Low, fit.Parameters[i].High);
            foreach (double factor in new[] { 0.999, 1.001 })
            {
                double[] beside = [.. best];
                beside[i] *= factor;
                Assert.True(Squares(beside) > Squares(best));
            }
        }

        static double Squares(double[] p)
        {
            var law = new LogarithmicLaw(p[0], p[1], p[2], p[3]);
            return All.Sum(point => Math.Pow(Math.Log(1 / law.RelativeDelay(point.Density) / point.Speedup), 2));
        }
    }

    [Fact]
    public void Known_parameters_are_found_again_and_their_intervals_are_as_narrow_as_the_noise()
    {
        var law = new LogarithmicLaw(0.2, 0.4, 0.07, 1.8);
        double[] densities = [.. Enumerable.Range(1, 19).Select(i => i / 20.0)];
        LawFit Fit(double noise) => LawFit.Logarithmic([.. densities.Select((d, i) =>
            new PublishedSpeedup("made", "", d, Math.Exp(i % 2 == 0 ? noise : -noise) / law.RelativeDelay(d)))]);
        var exact = (LogarithmicLaw)Fit(0).Law;
        double[] found = [exact.A, exact.B, exact.T, exact.Q], wanted = [0.2, 0.4, 0.07, 1.8];
        Assert.All(found.Zip(wanted), p => Assert.Equal(p.Second, p.First, 1e-6));
        (LawFit little, LawFit more) = (Fit(0.001), Fit(0.004));
        Assert.All(little.Parameters.Zip(more.Parameters), p => Assert.InRange(
            Math.Log(p.Second.High / p.Second.Value) / Math.Log(p.First.High / p.First.Value), 2, 8));
        Assert.All(little.Parameters.Zip(wanted), p => Assert.InRange(p.Second, p.First.Low, p.First.High));
    }

    [Fact]
    public void The_preset_is_the_fit_and_says_that_it_is_one()
    {
        LawPlatform preset = Assert.IsType<LawPlatform>(PlatformLibrary.Find("admm-nn-40nm"));
        var fitted = (LogarithmicLaw)LawFit.Logarithmic(All).Law;
        var law = Assert.IsType<LogarithmicLaw>(preset.Law);
        Assert.Equal(1, law.A / fitted.A, 1e-5);
        Assert.Equal(1, law.B / fitted.B, 1e-5);
        Assert.Equal(1, law.T / fitted.T, 1e-5);
        Assert.Equal(1, law.Q / fitted.Q, 1e-5);
        Assert.Contains("It is a fit", preset.Description, StringComparison.Ordinal);
        Assert.Equal(preset.Name, Assert.Single(PlatformLibrary.Presets, n => n == "admm-nn-40nm"));
        Assert.Equal(16, preset.Energy?.WordBits);
        LayerInfo conv4 = NetworkSpec.Create("alexnet", NetworkSpec.ImageNet, 1000).Layers[3];
        Assert.InRange(1 / preset.BreakEvenKeepFraction(conv4), 2.17, 2.27);
        Assert.Equal(1, preset.Speedup(conv4, 1));
        Assert.InRange(preset.Speedup(conv4, 0.9999), 0, 0.1);
    }

    // By hand: d = 1/4, a = 0.5, b = 1: 0.25 / 0.25 = 1, and with t = 1, q = 2 the square root of 2.
    [Fact]
    public void Laws_are_what_their_formulas_say()
    {
        Assert.Equal(Math.Sqrt(2), new LinearAreaLaw(0.5, 1, 1, 2).RelativeDelay(0.25), 1e-15);
        Assert.Equal(double.PositiveInfinity, new LinearAreaLaw(0.5, 1, 1, 2).RelativeDelay(0.5));
        // -ln(1/e) = 1: (1/e) / (0.5 + 0.5), and as much as the floor.
        Assert.Equal(2 / Math.E, new LogarithmicLaw(0.5, 0.5, 1 / Math.E, 1).RelativeDelay(1 / Math.E), 1e-15);
        Assert.Equal(0.3, new LogarithmicLaw(0.5, 0.5, 0.3, 2).RelativeDelay(0), 1e-15);
    }

    // Where one of the two is far above the other it is the delay, however large or small their powers are.
    [Theory]
    [InlineData(1e6, 100, 1e6)]
    [InlineData(5e-4, 100, 1e-3)]
    [InlineData(1e-6, 100, 1e-3)]
    public void Laws_neither_overflow_nor_vanish(double t, double q, double delay)
    {
        Assert.Equal(1, new LinearAreaLaw(1, 0, t, q).RelativeDelay(1e-3) / delay, 1e-12);
        Assert.Equal(1, new LogarithmicLaw(1, 0, t, q).RelativeDelay(1e-3) / delay, 1e-12);
        double both = new LinearAreaLaw(1, 0, 5e-4, q).RelativeDelay(5e-4);
        Assert.Equal(5e-4 * Math.Pow(2, 1 / q), both, 1e-15);
    }

    [Fact]
    public void Too_few_points_are_refused()
    {
        var e = Assert.Throws<AdmmKitException>(() => LawFit.Logarithmic([.. All.Take(4)]));
        Assert.Contains("give at least 5", e.Message, StringComparison.Ordinal);
    }
}
