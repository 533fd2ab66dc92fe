using System.Xml.Linq;
using AdmmKit.Experiments.Report;

namespace AdmmKit.Tests.Report;

public class SafeSvgTests
{
    private const string Start = "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"0 0 9 9\">";

    private static string Clean(string content) => SafeSvg.Clean(Start + content + "</svg>", "p1");

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("<foreignObject><body xmlns=\"http://www.w3.org/1999/xhtml\"><p>x</p></body></foreignObject>")]
    [InlineData("<a href=\"https://example.com/\"><text>x</text></a>")]
    [InlineData("<image href=\"https://example.com/x.png\"/>")]
    [InlineData("<use xlink:href=\"https://example.com/x.svg#a\"/>")]
    [InlineData("<animate attributeName=\"href\" to=\"javascript:alert(1)\"/>")]
    [InlineData("<iframe xmlns=\"http://www.w3.org/1999/xhtml\" src=\"https://example.com/\"/>")]
    [InlineData("<rect xmlns=\"urn:other\" width=\"3\"/>")]
    [InlineData("stray text")]
    public void What_is_no_shape_is_left_out(string content) =>
        Assert.Empty(XElement.Parse(Clean(content)).Nodes());

    [Theory]
    [InlineData("onload=\"alert(1)\"")]
    [InlineData("onclick=\"alert(1)\"")]
    [InlineData("style=\"background:url(https://example.com/)\"")]
    [InlineData("href=\"https://example.com/\"")]
    [InlineData("xlink:href=\"https://example.com/\"")]
    [InlineData("fill=\"url(https://example.com/#a)\"")]
    [InlineData("fill=\"url( 'https://example.com/#a' )\"")]
    [InlineData("clip-path=\"URL(#a b)\"")]
    [InlineData("fill=\"url(\"")]
    [InlineData("id=\"a b\"")]
    [InlineData("xml:base=\"https://example.com/\"")]
    public void Attributes_that_run_link_or_load_are_left_out(string attribute) =>
        Assert.Empty(XElement.Parse(Clean($"<rect {attribute}/>")).Elements().Single().Attributes());

    [Fact]
    public void Names_hold_in_the_picture_alone()
    {
        XElement svg = XElement.Parse(Clean("<clipPath id=\"c\"><rect width=\"1\"/></clipPath><path clip-path=\"url(#c)\" fill=\"url('#c') red\" d=\"M0 0\"/>"));
        Assert.Equal("p1-c", (string?)svg.Elements().First().Attribute("id"));
        XElement path = svg.Elements().Last();
        Assert.Equal(("url(#p1-c)", "url(#p1-c) red", "M0 0"), ((string?)path.Attribute("clip-path"), (string?)path.Attribute("fill"), (string?)path.Attribute("d")));
    }

    [Theory]
    [InlineData("text { fill: #24292f } .a.b, .c > g { stroke-width: 1.8; fill: none }", "#p1 text{fill: #24292f}#p1 .a.b,#p1 .c > g{stroke-width: 1.8;fill: none}")]
    [InlineData("@media (prefers-color-scheme: dark) { .ground { fill: #161b22 } text { fill: #fff } }", "@media screen and (prefers-color-scheme: dark){#p1 .ground{fill: #161b22}#p1 text{fill: #fff}}")]
    [InlineData("/* .x { fill: red } */ rect { fill: url(#a) }", "#p1 rect{fill: url(#p1-a)}")]
    [InlineData("rect { fill: url(https://example.com/#a); opacity: 1 }", "#p1 rect{opacity: 1}")]
    [InlineData("svg { position: fixed; top: 0; display: none; content: 'x'; fill: red }", "#p1 svg{fill: red}")]
    [InlineData(".admmkit .ground { fill: red }", "#p1 .admmkit .ground{fill: red}")]
    [InlineData("rect { background: \\75rl(x); behavior: url(x) }", "#p1 rect{}")]
    [InlineData("@import 'https://example.com/x.css'; text { fill: red }", "")]
    [InlineData("@font-face { src: url(https://example.com/x) } text { fill: red }", "#p1 text{fill: red}")]
    [InlineData("@media print { text { fill: red } } g { fill: blue }", "#p1 g{fill: blue}")]
    [InlineData("a[href^='x'] { fill: red } g { fill: blue } }", "#p1 g{fill: blue}")]
    [InlineData("text { fill: red", "#p1 text{fill: red}")]
    [InlineData("/* never closed", "")]
    public void Style_rules_hold_in_the_picture_alone_and_load_nothing(string style, string expected) =>
        Assert.Equal(expected, XElement.Parse(Clean($"<style><![CDATA[{style}]]></style>")).Elements().Single().Value);

    [Theory]
    [InlineData("<!DOCTYPE svg [<!ENTITY a \"aaaa\">]><svg xmlns=\"http://www.w3.org/2000/svg\">&a;</svg>", "DTD")]
    [InlineData("<html/>", "no SVG picture")]
    [InlineData("<svg/>", "no SVG picture")]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\"><g></svg>", "no picture that can be read")]
    [InlineData("", "no picture that can be read")]
    public void What_is_no_picture_is_refused(string text, string message) =>
        Assert.Contains(message, Assert.Throws<BadFileException>(() => SafeSvg.Clean(text, "p1")).Message, StringComparison.Ordinal);

    [Fact]
    public void Deep_and_large_pictures_are_refused()
    {
        string deep = string.Concat(Enumerable.Repeat("<g>", 100_000)) + string.Concat(Enumerable.Repeat("</g>", 100_000));
        Assert.Contains("nested deeper", Assert.Throws<BadFileException>(() => Clean(deep)).Message, StringComparison.Ordinal);
        Assert.Contains("4000000", Assert.Throws<BadFileException>(() => Clean(new string(' ', SafeSvg.MaxLength))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_stays_text()
    {
        XElement svg = XElement.Parse(Clean("<title>a &lt;b&gt;</title><text x=\"1\">x &amp; <tspan>y</tspan></text>"));
        Assert.Equal(["a <b>", "x & y"], svg.Elements().Select(e => e.Value));
        Assert.Contains("a &lt;b&gt;", svg.ToString(), StringComparison.Ordinal);
    }
}
