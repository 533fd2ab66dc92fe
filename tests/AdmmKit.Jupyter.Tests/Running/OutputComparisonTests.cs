using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Running;

namespace AdmmKit.Jupyter.Tests.Running;

public class OutputComparisonTests
{
    [Theory]
    [InlineData("accuracy 0.98765432, 10 of 12", "accuracy 0.98765433, 10 of 12")]
    [InlineData("1.0e-3", "0.001")]
    [InlineData("<rect x=\"10.5\"/>", "<rect x=\"10.500001\"/>")]
    [InlineData("same", "same")]
    public void Texts_may_differ_in_the_last_digits_of_real_numbers(string before, string now) =>
        Assert.Null(OutputComparison.Difference(before, now));

    [Theory]
    [InlineData("9876 correct", "9877 correct", "line 1: '9877 correct' in place of '9876 correct'")]
    [InlineData("0.9876", "0.9877", "0.9877")]
    [InlineData("a\nb 1.5", "a\nb 1.6", "line 2")]
    [InlineData("conv1", "conv2", "conv2")]
    [InlineData("v1.5", "v1.5 ", "'v1.5 ' in place of 'v1.5'")]
    [InlineData("v1.5", "", "nothing in place of 'v1.5'")]
    [InlineData("1000000", "1000001", "1000001")]
    [InlineData("-0.5", "0.5", "0.5")]
    [InlineData("Infinity", "5.0", "5.0")]
    [InlineData("1e999", "0.5", "0.5")]
    [InlineData("1e999", "2e999", "2e999")]
    [InlineData("NaN", "0.5", "0.5")]
    public void Everything_else_has_to_be_the_same(string before, string now, string expected) =>
        Assert.Contains(expected, OutputComparison.Difference(before, now), StringComparison.Ordinal);

    private static JsonArray Outputs(string json) => (JsonArray)JsonNode.Parse(json)!;

    [Fact]
    public void Streams_are_compared_as_one_and_standard_error_is_not()
    {
        JsonArray one = Outputs("""[{"output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"]}]""");
        JsonArray two = Outputs("""
            [{"output_type": "stream", "name": "stdout", "text": "a\n"}, {"output_type": "stream", "name": "stderr", "text": "/tmp"},
             {"output_type": "stream", "name": "stdout", "text": "b\n"}]
            """);
        Assert.Null(OutputComparison.Difference(one, two));
        Assert.Equal("no stdout any more", OutputComparison.Difference(one, []));
        Assert.Contains("that was not there", OutputComparison.Difference([], one), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[1, 2]", "[1, 3]")]
    [InlineData("1.5", "2.5")]
    [InlineData("true", "null")]
    public void Json_is_compared_whatever_it_is(string before, string now)
    {
        static JsonArray Json(string data) => Outputs($$"""[{"output_type": "display_data", "data": {"application/json": {{data}} } }]""");
        Assert.Null(OutputComparison.Difference(Json(before), Json(before)));
        Assert.Contains("application/json", OutputComparison.Difference(Json(before), Json(now)), StringComparison.Ordinal);
    }

    [Fact]
    public void Figures_and_pages_are_compared_by_their_numbers()
    {
        JsonArray one = Outputs("""[{"output_type": "display_data", "data": {"application/vnd.plotly.v1+json": {"y": [1.25, 2]}, "text/html": ["<b>1.25</b>"]}}]""");
        JsonArray near = Outputs("""[{"output_type": "display_data", "data": {"text/html": "<b>1.2500001</b>", "application/vnd.plotly.v1+json": {"y": [1.2500001, 2]}}}]""");
        JsonArray other = Outputs("""[{"output_type": "display_data", "data": {"text/html": "<b>1.25</b>", "application/vnd.plotly.v1+json": {"y": [1.25, 3]}}}]""");
        Assert.Null(OutputComparison.Difference(one, near));
        Assert.Contains("plotly", OutputComparison.Difference(one, other), StringComparison.Ordinal);
    }
}
