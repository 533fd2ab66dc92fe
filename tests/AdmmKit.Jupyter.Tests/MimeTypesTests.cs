using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Tests;

public class MimeTypesTests
{
    [Fact]
    public void Media_types_are_those_that_viewers_know() =>
        Assert.Equal("application/vnd.plotly.v1+json", MimeTypes.Plotly);
}
