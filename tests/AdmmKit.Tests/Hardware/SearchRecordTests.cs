using AdmmKit.Experiments.Search;
using AdmmKit.Hardware.Search;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Tests.Data;
using AdmmKit.Training;

namespace AdmmKit.Tests.Hardware;

public sealed class SearchRecordTests : IDisposable
{
    private static readonly NetworkSpec Spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);

    private readonly TemporaryFolder folder = new();

    private string File => Path.Combine(folder.Path, SearchRecord.FileName);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_kept_of_a_search_comes_back()
    {
        SearchRecord[] searches = [Searched(0.01), Searched(0.02) with { Objective = "survivors", Unit = "", Bits = [] }];
        SearchRecord.Write(File, searches);
        IReadOnlyList<SearchRecord> read = SearchRecord.Load(File);
        Assert.Equal(["delay on mine", "survivors"], read.Select(s => s.Objective));
        Assert.Equal(searches[0].Bits, read[0].Bits);
        Assert.Equal(searches[1].Dense, read[1].Dense);
        Assert.Equal(searches[1].Result.Restored, read[1].Result.Restored);
        foreach ((SearchRecord expected, SearchRecord actual) in searches.Zip(read))
        {
            Assert.Equal(expected.Result.DenseCost, actual.Result.DenseCost);
            Assert.Equal(expected.Result.Best.KeepFraction, actual.Result.Best.KeepFraction);
            Assert.Equal(
                expected.Result.Path.Select(p => (p.Candidate.Step, p.Candidate.Cost, p.Validation, p.Accepted)),
                actual.Result.Path.Select(p => (p.Candidate.Step, p.Candidate.Cost, p.Validation, p.Accepted)));
            Assert.Equal(
                SearchChart.Create(expected.Objective, Spec, expected.Result).ToSvg(), SearchChart.Create(actual.Objective, Spec, actual.Result).ToSvg());
        }
    }

    [Fact]
    public void Each_probe_is_in_the_picture()
    {
        SearchResult result = Searched(0.01).Result;
        LineChart chart = SearchChart.Create("delay on mine", Spec, result);
        Assert.Equal(3, chart.Panels.Count);
        double[] accepted = [.. chart.Panels[0].Series[0].Y], refused = [.. chart.Panels[0].Series[1].Y];
        Assert.Equal(result.Path.Count, accepted.Length);
        Assert.Equal(result.Path.Select(p => p.Accepted), accepted.Select(double.IsFinite));
        Assert.Equal(result.Path.Select(p => !p.Accepted), refused.Select(double.IsFinite));
        Assert.Equal(Spec.Layers.Select(l => l.Name), chart.Panels[2].Series.Select(s => s.Name));
        Assert.Equal(result.Path.Select(p => 100 * p.Candidate.KeepFraction[1]), chart.Panels[2].Series[1].Y);

        Assert.Null(chart.Panels[0].Reference);
        Assert.Equal(98.5, SearchChart.Create("", Spec, result, leastAccuracy: 0.985).Panels[0].Reference!.Value);

        NetworkSpec other = NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10);
        Assert.Contains("has 3", Assert.Throws<AdmmKitException>(() => SearchChart.Create("", other, result)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_record_is_told_in_words()
    {
        Assert.Contains("Could not read", Assert.Throws<AdmmKitException>(() => SearchRecord.Load(File)).Message, StringComparison.Ordinal);
        SearchRecord.Write(File, [Searched(0.01)]);
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        string path = Path.Combine(folder.Path, "mutant.json");
        Mutants.Outcome outcome = Mutants.Check(Mutants.Of("search records", 2_000, bytes), mutant =>
        {
            System.IO.File.WriteAllBytes(path, mutant);
            IReadOnlyList<SearchRecord> read = SearchRecord.Load(path);
            return () => Assert.All(read, s => Assert.NotEmpty(s.Result.Path));
        });
        Assert.InRange(outcome.Valid, 1, outcome.Count - 1);
    }

    [Theory]
    [InlineData("[null]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[{}]")]
    [InlineData("""[{"objective":"x","unit":"","dense":{"correct":1,"count":1,"loss":0},"bits":[],"result":{"best":null,"path":[],"restored":[],"denseCost":1}}]""")]
    public void What_is_not_whole_is_no_record(string json)
    {
        System.IO.File.WriteAllText(File, json);
        Assert.Contains("admmkit search", Assert.Throws<BadFileException>(() => SearchRecord.Load(File)).Message, StringComparison.Ordinal);
    }

    /// <summary>A search whose accuracy falls with the weights that are left.</summary>
    private static SearchRecord Searched(double budget)
    {
        var dense = new Evaluation(990, 1000, 0.03);
        SearchResult result = CompressionSearch.Run(Spec, dense, new SurvivorsObjective(), new SearchOptions { Budget = budget, Bisections = 3 }, candidate =>
            new Evaluation((int)(990 + (15 * Math.Log10(candidate.Cost / Spec.WeightCount))), 1000, 0.1));
        return new("delay on mine", "s", dense, result, [new ProbedBits(3, 2, dense, true)]);
    }
}
