using System.Globalization;

namespace AdmmKit.Interop.Onnx;

/// <summary>
/// What the layers of a graph are called: by the node, where a person named it; else as PyTorch's users know them, by the weights
/// ("layer1.0.conv1.weight"); else by the modules around ("/layer1/layer1.0/conv1/Conv"); else by their number.
/// </summary>
internal sealed class OnnxNames
{
    // No layer has a name longer than that; neither file nor terminal shall have to bear one.
    private const int MaxLength = 200;

    private static readonly string[] WeightEndings =
    [
        ".weight", "_weight", "/weight", ".kernel", "/kernel", ".gamma", "/gamma", "_gamma", "_scale", "_W", "_w", ".W",
    ];

    private readonly HashSet<string> taken = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> repeated = new(StringComparer.Ordinal);

    /// <summary>A name that no other layer has, and whether the file says nothing that could be one.</summary>
    /// <param name="node">The operator.</param>
    /// <param name="weights">The name of its weights, or of its scales.</param>
    /// <param name="kind">What a name is made of where there is none: "conv", "fc", "bn".</param>
    public (string Name, bool Made) For(OnnxNode node, string weights, string kind)
    {
        int number = numbers[kind] = numbers.GetValueOrDefault(kind) + 1;
        string? said = FromNode(node) ?? FromWeights(weights) ?? FromPath(node);
        string name = said ?? FormattableString.Invariant($"{kind}{number}");
        string unique = name;
        while (!taken.Add(unique))
        {
            int again = repeated[name] = repeated.GetValueOrDefault(name, 1) + 1;
            unique = FormattableString.Invariant($"{name}_{again}");
        }

        return (unique, said is null);
    }

    private static string? FromNode(OnnxNode node) =>
        node.Name.Contains('/', StringComparison.Ordinal) || IsCounted(node.Name, node.Operator) ? null : Valid(node.Name);

    private static string? FromWeights(string weights)
    {
        if (weights.StartsWith("onnx::", StringComparison.Ordinal) || weights.All(char.IsAsciiDigit))
        {
            return null;
        }

        string? ending = Array.Find(WeightEndings, e => weights.EndsWith(e, StringComparison.Ordinal) && weights.Length > e.Length);
        return ending is null ? null : Valid(weights[..^ending.Length]);
    }

    /// <summary>"/layer1/layer1.0/conv1/Conv" is the operator of conv1 in layer1.0; "/layer1/" stands in it twice.</summary>
    private static string? FromPath(OnnxNode node)
    {
        var parts = new List<string>();
        foreach (string part in node.Name.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (parts.Count > 0 && part.StartsWith(parts[^1] + ".", StringComparison.Ordinal))
            {
                parts.RemoveAt(parts.Count - 1);
            }

            parts.Add(part);
        }

        if (parts.Count > 0 && (parts[^1] == node.Operator || IsCounted(parts[^1], node.Operator)))
        {
            parts.RemoveAt(parts.Count - 1);
        }

        return Valid(string.Join('.', parts));
    }

    /// <summary>Whether an exporter made the name: "Conv_12".</summary>
    private static bool IsCounted(string name, string type) => name == type || (name.StartsWith(type + "_", StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(type.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _));

    private static string? Valid(string name) =>
        name.Length is > 0 and <= MaxLength && !name.Any(c => char.IsControl(c) || c == '\uFFFD') ? name : null;
}
