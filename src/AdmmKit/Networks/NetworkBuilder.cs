namespace AdmmKit.Networks;

/// <summary>
/// Puts a network together step by step. Each call gives the position of the new step, by which later ones can read it.
/// </summary>
/// <param name="name">The architecture's name.</param>
/// <param name="input">Shape of one image.</param>
public sealed class NetworkBuilder(string name, ImageShape input)
{
    private readonly List<Node> nodes = [];
    private readonly List<IReadOnlyList<int>> inputs = [];

    /// <summary>Position of the last step; <see cref="NetworkSpec.Image"/> before the first.</summary>
    public int Last => nodes.Count - 1;

    /// <summary>Adds a step.</summary>
    /// <param name="node">The step.</param>
    /// <param name="from">What it reads; the last step where nothing is named.</param>
    /// <returns>The step's position.</returns>
    public int Add(Node node, params int[] from)
    {
        ArgumentNullException.ThrowIfNull(from);
        inputs.Add(from.Length == 0 ? [Last] : from);
        nodes.Add(node);
        return Last;
    }

    /// <summary>The network of all steps added so far.</summary>
    /// <exception cref="AdmmKitException">A step does not fit its inputs, or two layers share a name.</exception>
    public NetworkSpec Build() => new(name, input, [.. nodes], [.. inputs]);
}
