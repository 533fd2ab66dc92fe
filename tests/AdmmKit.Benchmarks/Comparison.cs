using System.Text.Json;
using System.Text.Json.Nodes;

namespace AdmmKit.Benchmarks;

/// <summary>One quantity of our job over all rounds, beside the peer's if it measures such a one.</summary>
/// <param name="Key">Our name of it.</param>
/// <param name="PeerKey">The peer's, or null.</param>
/// <param name="Ours">Our values, one a round.</param>
/// <param name="Theirs">The peer's, one a round; empty without a peer.</param>
internal sealed record Comparison(string Key, string? PeerKey, IReadOnlyList<double> Ours, IReadOnlyList<double> Theirs)
{
    private static readonly Dictionary<string, string> Titles = new(StringComparer.Ordinal)
    {
        ["train_dense"] = "dense training",
        ["train_admm"] = "training with the ADMM penalty",
        ["train_masked"] = "training, masked at 85x",
        ["infer_batch256"] = "inference, batch 256",
        ["infer_batch1_us"] = "inference, one image",
        ["infer_batch1_us_p50"] = "inference, one image, median call",
        ["infer_batch1_us_p99"] = "inference, one image, 99th percentile",
        ["top_k_37.7M_projection_ms"] = "projection of 37.7M weights",
    };

    /// <summary>Unit by the name's ending.</summary>
    public string Unit =>
        Key.EndsWith("_ms", StringComparison.Ordinal) ? "ms" : Key.Contains("_us", StringComparison.Ordinal) ? "us" : "images/s";

    /// <summary>What it is called in tables.</summary>
    public string Title => Titles.GetValueOrDefault(Key, Key) + (PeerKey is null || PeerKey == Key ? "" : $" (peer: {PeerKey})");

    /// <summary>How many times as fast as the peer, round by round: what drifts from round to round drops out.</summary>
    public IReadOnlyList<double> TimesPeer =>
        [.. Ours.Zip(Theirs, (ours, theirs) => Unit == "images/s" ? ours / theirs : theirs / ours)];

    /// <summary>All quantities of our job, in its order. A quantity that the peer measures in two ways comes twice.</summary>
    /// <param name="ours">What our job printed, one object a round.</param>
    /// <param name="theirs">What the peer printed; as many, or none.</param>
    public static IReadOnlyList<Comparison> Of(IReadOnlyList<JsonObject> ours, IReadOnlyList<JsonObject> theirs)
    {
        string[] peerKeys = theirs.Count == 0 ? [] : Keys(theirs[0]);
        return [.. Keys(ours[0]).SelectMany(key => Partners(key, peerKeys).Select(partner => new Comparison(
            key, partner, Values(ours, key), partner is null ? [] : Values(theirs, partner))))];
    }

    private static string[] Keys(JsonObject output) =>
    [
        .. output.Where(p => p.Value?.GetValueKind() == JsonValueKind.Number && p.Key is not ("threads" or "batch")).Select(p => p.Key),
    ];

    private static double[] Values(IReadOnlyList<JsonObject> rounds, string key) => [.. rounds.Select(r => r[key]?.GetValue<double>()
        ?? throw new AdmmKitException(
            $"A round lacks '{key}', which the first round has: the program must print the same quantities each time."))];

    /// <summary>The peer's quantities of the same work: of our name, of our name without "sparse_", or of the same "top_k_...M".</summary>
    private static string?[] Partners(string key, string[] peerKeys)
    {
        string dense = key.Replace("sparse_", "", StringComparison.Ordinal);
        string? same = peerKeys.FirstOrDefault(k => k == key) ?? peerKeys.FirstOrDefault(k => k == dense);
        string size = string.Join('_', key.Split('_').Take(3)) + "_";
        string[] projections = key.StartsWith("top_k_", StringComparison.Ordinal)
            ? [.. peerKeys.Where(k => k.StartsWith(size, StringComparison.Ordinal))]
            : [];
        return same is not null ? [same] : projections.Length > 0 ? projections : new string?[] { null };
    }
}
