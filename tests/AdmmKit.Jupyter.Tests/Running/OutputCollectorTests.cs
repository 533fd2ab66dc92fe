using System.Diagnostics;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Running;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Tests.Running;

public class OutputCollectorTests
{
    private readonly OutputCollector collector = new();

    [Fact]
    public void Many_writes_take_as_long_as_they_are_many()
    {
        JsonArray outputs = collector.Begin(1, null);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 200_000; i++)
        {
            collector.Stream(false, "a line\n");
        }

        collector.Finish();
        Assert.Equal(200_000, ((JsonArray)outputs.Single()!["text"]!).Count);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void Streams_are_whole_wherever_another_output_comes_between()
    {
        JsonArray outputs = collector.Begin(1, null);
        collector.Stream(false, "a");
        collector.Stream(false, "b\nc");
        collector.Stream(true, "d");
        collector.Display(new MimeBundle(new Dictionary<string, string> { [MimeTypes.Text] = "e", [MimeTypes.Plotly] = "{" }), null);
        collector.Stream(false, "\u001b[31mf");
        collector.Finish();
        Assert.Equal(
            """["ab\n","c"] ["d"] {"text/plain":["e"]} ["f"]""",
            string.Join(' ', outputs.Select(o => (o!["text"] ?? o["data"])!.ToJsonString())));
    }
}
