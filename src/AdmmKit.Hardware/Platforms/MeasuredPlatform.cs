using AdmmKit.Networks;

namespace AdmmKit.Hardware.Platforms;

/// <summary>A layer with a part of its weights, timed.</summary>
/// <param name="KeepFraction">Survivors as a share of the weights, in (0, 1].</param>
/// <param name="Seconds">Time for one image with the survivors alone; the median of several.</param>
public sealed record TimedPoint(double KeepFraction, double Seconds);

/// <summary>One kind of layer, timed dense and sparse.</summary>
/// <param name="Name">The first layer of that kind, for people.</param>
/// <param name="Kind">Convolution or fully connected.</param>
/// <param name="Shape">As <see cref="LayerInfo.Shape"/>.</param>
/// <param name="Macs">As <see cref="LayerInfo.Macs"/>: with the shape it says how many outputs a filter has.</param>
/// <param name="DenseSeconds">Time for one image with all weights; the median of several.</param>
/// <param name="Points">Times with survivors alone, by ascending keepFraction; at least two.</param>
public sealed record TimedLayer(
    string Name, LayerKind Kind, string Shape, long Macs, double DenseSeconds, IReadOnlyList<TimedPoint> Points);

/// <summary>A machine whose own kernels were timed, layer by layer.</summary>
public sealed class MeasuredPlatform : Platform
{
    /// <summary>What was timed.</summary>
    public required IReadOnlyList<TimedLayer> Layers { get; init; }

    /// <inheritdoc/>
    public override string DelayUnit => "s";

    /// <inheritdoc/>
    public override bool RunsPrunedDense => true;

    /// <inheritdoc/>
    public override double DenseDelay(LayerInfo layer) => Timed(layer).DenseSeconds;

    /// <summary>
    /// Delay with survivors alone: on the straight line between the points timed next to it, level beyond the first and last.
    /// </summary>
    /// <inheritdoc/>
    public override double SparseDelay(LayerInfo layer, double keepFraction)
    {
        IReadOnlyList<TimedPoint> points = Timed(layer).Points;
        int next = 0;
        while (next < points.Count && points[next].KeepFraction < keepFraction)
        {
            next++;
        }

        if (next == 0 || next == points.Count)
        {
            return points[Math.Min(next, points.Count - 1)].Seconds;
        }

        (TimedPoint below, TimedPoint above) = (points[next - 1], points[next]);
        double part = (keepFraction - below.KeepFraction) / (above.KeepFraction - below.KeepFraction);
        return below.Seconds + (part * (above.Seconds - below.Seconds));
    }

    /// <summary>
    /// The largest keepFraction, not above the largest timed one, at which a layer takes no longer sparse than dense: the last
    /// crossing, as measured times need not grow with the survivors. 0 where there is none.
    /// </summary>
    /// <inheritdoc/>
    public override double BreakEvenKeepFraction(LayerInfo layer)
    {
        TimedLayer timed = Timed(layer);
        int last = timed.Points.Count - 1;
        while (last >= 0 && timed.Points[last].Seconds > timed.DenseSeconds)
        {
            last--;
        }

        if (last < 0 || last == timed.Points.Count - 1)
        {
            return last < 0 ? 0 : timed.Points[last].KeepFraction;
        }

        (TimedPoint below, TimedPoint above) = (timed.Points[last], timed.Points[last + 1]);
        double part = (timed.DenseSeconds - below.Seconds) / (above.Seconds - below.Seconds);
        return below.KeepFraction + (part * (above.KeepFraction - below.KeepFraction));
    }

    private TimedLayer Timed(LayerInfo layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return Layers.FirstOrDefault(l => l.Kind == layer.Kind && l.Shape == layer.Shape && l.Macs == layer.Macs)
            ?? throw new AdmmKitException(FormattableString.Invariant(
                $"The platform '{Name}' was not timed on layers like '{layer.Name}' ({layer.Shape}, {layer.Macs} MACs an image): ")
                + "time the network that has it with 'admmkit platform measure'.");
    }
}
