using AdmmKit.Networks;

namespace AdmmKit.Storage.Coding;

/// <summary>
/// Follows through a network how many survivors write each channel: what a layer's rows hold is context for the columns of the
/// layers that read them.
/// </summary>
internal static class ChannelActivity
{
    /// <summary>Goes through the layers in order.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="code">Codes a layer; returns the survivors of each of its rows.</param>
    public static void Walk(NetworkSpec spec, Func<int, LayerPlan, int[]> code)
    {
        // Null where the channels are those of the image: of these nothing is known.
        var activities = new int[]?[spec.Nodes.Count];
        int layers = 0;
        for (int i = 0; i < activities.Length; i++)
        {
            int?[] from = [.. spec.Inputs[i].Select(f => f == NetworkSpec.Image ? (int?)null : f)];
            int[]?[] read = [.. from.Select(f => f is { } step ? activities[step] : null)];
            ImageShape input = from[0] is { } first ? spec.Shapes[first] : spec.Input;
            if (spec.Nodes[i].Layer(input) is { } layer)
            {
                // What a loose layer reads is not known.
                activities[i] = code(layers++, spec.Nodes[i] is Node.LooseLayer ? LayerPlan.Alone(layer) : Plan(layer, input, read[0]));
                continue;
            }

            activities[i] = spec.Nodes[i] switch
            {
                Node.Add => Sum(read),
                Node.Concat => read.Contains(null) ? null : [.. read.SelectMany(a => a!)],
                Node.Shortcut shortcut => Widened(read[0], shortcut.Filters),
                _ => read[0],
            };
        }
    }

    private static LayerPlan Plan(LayerInfo layer, ImageShape input, int[]? activity)
    {
        if (layer.Kind == LayerKind.FullyConnected)
        {
            return new LayerPlan(layer, input.Height, input.Width, activity);
        }

        // The groups of a convolution have their columns in common.
        int[]? columns = activity;
        if (activity is not null && activity.Length != layer.InputChannels)
        {
            columns = new int[layer.InputChannels];
            for (int channel = 0; channel < activity.Length; channel++)
            {
                columns[channel % columns.Length] += activity[channel];
            }
        }

        return new LayerPlan(layer, layer.KernelHeight, layer.KernelWidth, columns);
    }

    private static int[]? Sum(int[]?[] activities)
    {
        if (activities.Contains(null))
        {
            return null;
        }

        var sum = new int[activities[0]!.Length];
        foreach (int[]? activity in activities)
        {
            for (int channel = 0; channel < sum.Length; channel++)
            {
                sum[channel] += activity![channel];
            }
        }

        return sum;
    }

    private static int[]? Widened(int[]? activity, int channels)
    {
        if (activity is null)
        {
            return null;
        }

        var wider = new int[channels];
        activity.CopyTo(wider, (channels - activity.Length) / 2);
        return wider;
    }
}
