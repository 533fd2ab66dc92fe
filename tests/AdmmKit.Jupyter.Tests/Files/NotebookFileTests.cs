using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Files;
using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Jupyter.Tests.Files;

public class NotebookFileTests
{
    private static NotebookFile Parse(string json) => NotebookFile.Parse(Encoding.UTF8.GetBytes(json), "test.ipynb");

    private static string Notebook(string cells, string kernel = ".net-csharp") =>
        $$$"""{"cells": [{{{cells}}}], "metadata": {"kernelspec": {"name": "{{{kernel}}}"}}, "nbformat": 4, "nbformat_minor": 5}""";

    // As json.dumps(..., indent=1, sort_keys=True, ensure_ascii=False) of Python writes it, which Jupyter uses.
    private const string AsJupyter = """
        {
         "cells": [
          {
           "cell_type": "code",
           "execution_count": null,
           "id": "a",
           "metadata": {
            "other": {
             "kept": [
              1.50,
              -0.0,
              1e-05,
              true,
              null
             ]
            },
            "tags": []
           },
           "outputs": [],
           "source": [
            "var s = \"é😀\\n\t\";\n",
            "s"
           ]
          }
         ],
         "metadata": {
          "kernelspec": {
           "display_name": ".NET (C#)",
           "name": ".net-csharp"
          },
          "unknown": {}
         },
         "nbformat": 4,
         "nbformat_minor": 5
        }

        """;

    [Fact]
    public void What_Jupyter_writes_is_written_again_byte_by_byte()
    {
        string text = AsJupyter.Replace("\t", "\\t", StringComparison.Ordinal).ReplaceLineEndings("\n");
        NotebookFile notebook = Parse(text);
        Assert.Equal(text, notebook.ToJson());
        Assert.Equal("var s = \"é😀\\n\t\";\ns", notebook.Cells[0].Source);
    }

    [Fact]
    public void Cells_without_a_name_get_one_of_their_own()
    {
        NotebookFile notebook = Parse(Notebook("""
            {"cell_type": "markdown", "metadata": {}, "source": "text"},
            {"cell_type": "code", "id": "cell-1", "metadata": {}, "source": "1", "outputs": [], "execution_count": null}
            """).Replace("\"nbformat_minor\": 5", "\"nbformat_minor\": 2", StringComparison.Ordinal));
        string[] ids = [.. notebook.Cells.Select(c => (string)c.Json["id"]!)];
        Assert.Equal(2, ids.Distinct().Count());
        Assert.Equal("cell-1", ids[1]);
        Assert.Contains("\"nbformat_minor\": 5", notebook.ToJson(), StringComparison.Ordinal);
        Assert.Contains("\"display_name\": \".net-csharp\"", notebook.ToJson(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".net-fsharp", "", CellLanguage.FSharp)]
    [InlineData("admmkit-csharp", "", CellLanguage.CSharp)]
    [InlineData("csharp", "\"dotnet_interactive\": {\"language\": \"fsharp\"}", CellLanguage.FSharp)]
    [InlineData("fsharp", "\"polyglot_notebook\": {\"kernelName\": \"csharp\"}", CellLanguage.CSharp)]
    public void The_language_of_a_cell_is_its_own_or_that_of_the_notebook(string kernel, string metadata, CellLanguage expected)
    {
        NotebookFile notebook = Parse(Notebook($$$"""{"cell_type": "code", "metadata": {{{{metadata}}}}, "source": "1"}""", kernel));
        Assert.Equal(expected, notebook.Cells[0].Language(notebook.Language));
    }

    [Theory]
    [InlineData("", "no valid JSON")]
    [InlineData("{\"cells\": [", "no valid JSON, line 1")]
    [InlineData("[]", "no JSON object")]
    [InlineData("{\"a\": 1, \"a\": 2}", "no valid JSON")]
    [InlineData("{\"nbformat\": \"4\"}", "no number 'nbformat'")]
    [InlineData("{\"nbformat\": 3, \"worksheets\": []}", "jupyter nbconvert")]
    [InlineData("{\"nbformat\": 4}", "'cells' a list")]
    [InlineData("{\"nbformat\": 4, \"cells\": [1]}", "cell 1")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": 5}]}", "'source' of cell 1")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": \"\", \"metadata\": 1}]}", "'metadata' of cell 1")]
    [InlineData("{\"nbformat\": 4, \"cells\": []}", "does not say which kernel")]
    [InlineData("{\"nbformat\": 4, \"cells\": [], \"metadata\": {\"kernelspec\": {\"name\": \"python3\"}}}", "'python3'")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"raw\", \"source\": \"\\ud800\"}]}", "no valid JSON")]
    public void What_is_no_notebook_is_refused_in_words(string json, string expected)
    {
        var error = Assert.Throws<BadFileException>(() => Parse(json));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("test.ipynb", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Depth_and_size_are_bounded()
    {
        Assert.Throws<BadFileException>(() => Parse(new string('[', 100_000)));
        var error = Assert.Throws<BadFileException>(() => NotebookFile.Parse(new byte[(64 * 1024 * 1024) + 1], "big.ipynb"));
        Assert.Contains("64 MiB", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_told_by_its_name()
    {
        var error = Assert.Throws<AdmmKitException>(() => NotebookFile.Read("missing.ipynb"));
        Assert.Contains("missing.ipynb", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_notebooks_are_refused_in_words_or_can_be_written()
    {
        string output = """{"output_type": "stream", "name": "stdout", "text": ["a\n"]}, {"output_type": "display_data", "data": {"a/json": {"x": [1.5, null]}}, "metadata": {}}""";
        byte[][] sources =
        [
            Encoding.UTF8.GetBytes(AsJupyter),
            Encoding.UTF8.GetBytes(Notebook($$"""{"cell_type": "code", "metadata": {"tags": ["volatile"]}, "source": ["1\n", "2"], "outputs": [{{output}}]}""")),
        ];
        Mutants.Outcome outcome = Mutants.Check(Mutants.Of("notebooks", 10_000, sources), bytes =>
        {
            var notebook = NotebookFile.Parse(bytes, "mutant");
            return () =>
            {
                foreach (NotebookCell cell in notebook.Cells.Where(c => c.IsCode))
                {
                    _ = cell.Source.Length + cell.Tags.Count + cell.Outputs.Count;
                }

                // What is read is what is written, however odd it is.
                string written = notebook.ToJson();
                Assert.Equal(written, NotebookFile.Parse(Encoding.UTF8.GetBytes(written), "again").ToJson());
            };
        });
        Assert.Equal(10_000, outcome.Count);
        Assert.InRange(outcome.Valid, 100, 9_000);
        Assert.InRange(outcome.Messages.Count, 10, 10_000);
    }

    [Fact]
    public void Writing_does_not_depend_on_the_culture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            comma.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = comma;
            Assert.Contains("0.5", NotebookJson.Write(new JsonObject { ["x"] = 0.5 }), StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
