using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Tables;
using AdmmKit.Networks;
using AdmmKit.Tests.Engine;

namespace AdmmKit.Tests.Experiments;

public class RecipeTests
{
    [Fact]
    public void A_recipe_that_never_ends_or_is_too_long_is_refused()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, new byte[(1 << 20) + 1]);
            foreach (string path in File.Exists("/dev/zero") ? new[] { file, "/dev/zero" } : [file])
            {
                Assert.Contains("larger than a recipe can be", Assert.Throws<BadFileException>(() => RecipeJson.Load(path)).Message, StringComparison.Ordinal);
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_recipe_survives_the_round_trip()
    {
        foreach (Recipe recipe in new[] { PaperRecipes.Quick, PaperRecipes.Full, new Recipe() })
        {
            string json = RecipeJson.Write(recipe);
            Assert.Equal(json, RecipeJson.Write(RecipeJson.Parse(json, "test")));
        }
    }

    [Fact]
    public void What_is_left_out_of_a_recipe_keeps_its_default()
    {
        Recipe recipe = RecipeJson.Parse("""{ "prune": [{ "keepFraction": { "fc1": 0.01 } }], "quantize": { "bits": { "fc2": 4 } } }""", "test");
        Assert.Equal("lenet5", recipe.Architecture);
        Assert.Equal(3e-3f, recipe.Prune[0].Admm.Rho);
        Assert.Equal(3, recipe.Quantize!.ConvolutionBits);
        Assert.Equal(4, recipe.Quantize.Bits["fc2"]);
    }

    [Theory]
    [InlineData("""{ "architectur": "lenet5" }""", "Did you mean 'architecture'?")]
    [InlineData("""{ "prune": [{ "admm": { "roh": 1 } }] }""", "recipe.prune[0].admm: There is no key 'roh'. Did you mean 'rho'?")]
    [InlineData("""{ "quantize": { "convBits": 3 } }""", "recipe.quantize")]
    [InlineData("""{ "seed": "one" }""", "seed")]
    [InlineData("""{ "seed": -1 }""", "seed")]
    [InlineData("""{ "seed": 1, "seed": 2 }""", "not a recipe")]
    [InlineData("""{ "pretrain": null }""", "pretrain")]
    [InlineData("""{ "prune": [null] }""", "prune")]
    [InlineData("""{ "prune": [{ "admm": null }] }""", "admm")]
    [InlineData("null", "null")]
    [InlineData("[", "not a recipe")]
    [InlineData("", "not a recipe")]
    public void A_wrong_recipe_is_refused_with_the_place(string json, string message)
    {
        var e = Assert.Throws<BadFileException>(() => RecipeJson.Parse(json, "my.json"));
        Assert.Contains("my.json", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    public static TheoryData<Recipe, string> Impossible() => new()
    {
        { Lenet(new() { ["conv3"] = 5 }), "Did you mean 'conv" },
        { Lenet(new() { ["conv1"] = 501 }), "501" },
        { Lenet(new() { ["conv1"] = -1 }), "-1" },
        { Lenet([]), "names no layer" },
        { Lenet(new() { ["fc1"] = 0 }) with { Quantize = new() }, "keep at least one" },
        { new Recipe { Prune = [new() { KeepFraction = new Dictionary<string, double> { ["conv1"] = 0.0001 } }] }, "keeps none" },
        { Lenet(new() { ["conv1"] = 5 }) with { Architecture = "lenet" }, "Did you mean 'lenet5'?" },
        { Lenet(new() { ["conv1"] = 5 }) with { Quantize = new() { ConvolutionBits = 9 } }, "1 to 8" },
        { Lenet(new() { ["conv1"] = 5 }) with { Quantize = new() { FullyConnectedBits = 0 } }, "1 to 8" },
        { Lenet(new() { ["conv1"] = 5 }) with { Quantize = new() { Bits = new Dictionary<string, int> { ["fc9"] = 2 } } }, "fc9" },
        { Lenet(new() { ["conv1"] = 5 }) with { BatchSize = 0 }, "batchSize" },
        { Lenet(new() { ["conv1"] = 5 }) with { Pretrain = new() { LearningRate = double.NaN } }, "pretrain" },
        { Lenet(new() { ["conv1"] = 5 }) with { Pretrain = new() { Epochs = -1 } }, "epochs" },
        { new Recipe { Prune = [new() { KeepFraction = new Dictionary<string, double> { ["fc1"] = 85 } }] }, "share that stays" },
        { new Recipe { Prune = [new() { Survivors = new Dictionary<string, int> { ["fc1"] = 1 }, KeepFraction = new Dictionary<string, double> { ["fc1"] = 0.5 } }] }, "both" },
        { new Recipe { Prune = [new() { Survivors = new Dictionary<string, int> { ["fc1"] = 1 }, Admm = new() { Rho = 0 } }] }, "rho" },
        { Stage(p => p with { Admm = new() { RhoPerLayer = new Dictionary<string, float> { ["fc3"] = 1 } } }), "Did you mean 'fc" },
        { Stage(p => p with { Admm = new() { RhoPerLayer = new Dictionary<string, float> { ["fc1"] = -1 } } }), "rhoPerLayer" },
        { Stage(p => p with { Method = "magnitud" }), "Did you mean 'magnitude'?" },
        { Stage(p => p with { TotalSurvivors = 100 }), "give one of them" },
        { Stage(p => p with { TotalSurvivors = 3, Survivors = new Dictionary<string, int>() }), "totalSurvivors is 3" },
        { Stage(p => p with { L1 = new() { Lambda = -1 } }), "lambda" },
        { Stage(p => p with { Name = " " }), "a name of its own" },
        { Stage(p => p) with { Prune = [Stage(p => p).Prune[0], Stage(p => p).Prune[0]] }, "a name of its own" },
        { new Recipe { Quantize = new() { Method = "ternery" } }, "Did you mean 'ternary'?" },
        { new Recipe { Quantize = new() { Rounds = [0.5, 0.4] } }, "the share 0.4" },
        { new Recipe { Quantize = new() { RoundOrder = "nearst" } }, "Did you mean 'nearest'?" },
        { new Recipe { Quantize = new() { Rounds = [1] } }, "less than 1" },
        { new Recipe { Quantize = new() { Method = QuantizeMethods.Joint } }, "needs survivors for every layer" },
        { Stage(p => p with { Rate = new() { Lambda = 1e-6 } }), "beside a rate" },
        { Rated(new() { CodedBytes = 900 }, survivors: 100), "networkSurvivors beside rate.codedBytes" },
        { Rated(new() { CodedBytes = 900, Lambda = 1e-6 }), "finds the lambda itself" },
        { Rated(new() { CodedBytes = 0 }), "codedBytes is 0" },
        { Rated(new()), "rate.lambda is 0" },
        { Rated(new() { Lambda = double.NaN }), "rate.lambda is NaN" },
        { Rated(new() { Lambda = 1e-6 }, survivors: 1_000_000), "1000000" },
        { Rated(new() { Lambda = 1e-6, ValueBits = -1 }), "valueBits" },
        { Rated(new() { Lambda = 1e-6 }, PruneMethods.Magnitude), "only the method 'admm'" },
        { new Recipe { Quantize = new() { LevelRate = -1 } }, "levelRate is -1" },
        { new Recipe { Quantize = new() { LevelRate = 1e-6, Rounds = [0.5] } }, "without rounds" },
        { new Recipe { Quantize = new() { LevelRate = 1e-6, Method = QuantizeMethods.Ternary } }, "only the method 'levels'" },
        { new Recipe { Quantize = new() { Survivors = new Dictionary<string, int> { ["fc1"] = 5 } } }, "only the method 'joint'" },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void What_cannot_be_done_is_refused_before_training(Recipe recipe, string message)
    {
        var e = Assert.Throws<AdmmKitException>(() => new CompressionRun(recipe, TestData.BlobData(NetworkSpec.Mnist, 10, 100)));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_full_recipe_is_at_the_papers_points()
    {
        int At(string stage) => PaperRecipes.Full.Prune.Single(p => p.Name == stage).Survivors.Values.Sum();
        Assert.InRange(At("85x"), 1, 5_064);
        Assert.InRange(At("167x"), 1, 2_577);
        Assert.Equal("167x", PaperRecipes.Full.Prune[^1].Name);
        IReadOnlyDictionary<string, int> last = PaperRecipes.Full.Prune[^1].Survivors;
        Assert.InRange(((3 * (last["conv1"] + last["conv2"])) + (2 * (last["fc1"] + last["fc2"]))) / 8.0, 1, 890);
    }

    private static Recipe Rated(RateRecipe rate, string method = PruneMethods.Admm, int? survivors = null) =>
        new() { Prune = [new() { Method = method, Rate = rate, NetworkSurvivors = survivors }] };

    private static Recipe Stage(Func<PruneRecipe, PruneRecipe> change) =>
        new() { Prune = [change(new() { Survivors = new Dictionary<string, int> { ["fc1"] = 5 } })] };

    private static Recipe Lenet(Dictionary<string, int> survivors) => new() { Prune = [new() { Survivors = survivors }] };
}
