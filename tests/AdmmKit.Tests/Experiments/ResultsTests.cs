using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Results;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Experiments;

/// <summary>What results/ claims, checked against the committed models themselves.</summary>
public class ResultsTests
{
    // Instruction sets round differently, which can move an image that sits on the fence between two classes.
    private const double ImagesOnTheFence = 3;

    private static string Results => Path.Combine(LayeringTests.Root, "results");

    public static TheoryData<string, string> Models()
    {
        var models = new TheoryData<string, string>();
        foreach (string file in Directory.EnumerateFiles(Results, "*.admm", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            models.Add(Path.GetFileName(Path.GetDirectoryName(file))!, Path.GetFileName(file));
        }

        return models;
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Survivors_and_bytes_are_those_of_the_file(string folder, string file)
    {
        CompressedNetwork model = CompressedNetwork.Load(Path.Combine(Results, folder, file));
        Dictionary<string, double> claims = Claims(folder, file);
        Assert.Equal(claims["survivors"], model.Survivors);
        Assert.Equal(model.Size.TotalBytes, new FileInfo(Path.Combine(Results, folder, file)).Length);
        if (claims.TryGetValue("fileBytes", out double bytes))
        {
            Assert.Equal(bytes, model.Size.TotalBytes);
            Assert.Equal(claims["weightDataBytes"], model.WeightDataBits / 8.0);
        }

        Assert.True(File.Exists(Path.Combine(Results, folder, "convergence.svg")));
        Manifest manifest = Manifest.Load(Path.Combine(Results, folder, "manifest.json"));
        Assert.False(manifest.Dirty);
        Assert.NotNull(manifest.Commit);
    }

    [MnistTheory]
    [MemberData(nameof(Models))]
    public void Accuracy_is_that_of_the_decoded_file(string folder, string file)
    {
        CompressedNetwork model = CompressedNetwork.Load(Path.Combine(Results, folder, file));
        DataSet data = DataSource.Open(new DataRequest());
        Assert.Equal(Manifest.Load(Path.Combine(Results, folder, "manifest.json")).Data!.Name, data.Name);
        using var network = new Network(model.Spec, 64, 1);
        network.SetWeights(model.Decode());
        int correct = network.Evaluate(data.Test).Correct;
        Assert.Equal(Claims(folder, file)["top1"] * data.Test.Count / 100, correct, ImagesOnTheFence);
    }

    /// <summary>The quantities of the row that a model belongs to: lenet5-85x.admm is "AdmmKit 85x".</summary>
    private static Dictionary<string, double> Claims(string folder, string file)
    {
        ResultRow[] ours = [.. ResultRows.Read(Path.Combine(Results, folder, "rows.csv")).Where(r => r.Ours is not null && r.Row.StartsWith("AdmmKit", StringComparison.Ordinal))];
        string name = Path.GetFileNameWithoutExtension(file).Replace("lenet5-", "AdmmKit ", StringComparison.Ordinal);
        ResultRow[] rows = folder == "table1" ? [.. ours.Where(r => r.Row == name)] : ours;
        return rows.ToDictionary(r => r.Quantity, r => r.Ours!.Value);
    }

    /// <summary>Runs only where MNIST is named by ADMMKIT_DATA; otherwise says that it did not.</summary>
    private sealed class MnistTheoryAttribute : TheoryAttribute
    {
        public MnistTheoryAttribute()
        {
            if (Environment.GetEnvironmentVariable("ADMMKIT_DATA") is null or "")
            {
                Skip = "ADMMKIT_DATA does not name a folder with MNIST.";
            }
        }
    }
}
