using System.Text;
using AdmmKit.Experiments.Results;

namespace AdmmKit.Tests.Results;

public sealed class ResultRowsTests : IDisposable
{
    private const string Header = "row,quantity,unit,paper,ours,spread,seeds,status,source";

    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    private string File_ => Path.Combine(folder, "new", "rows.csv");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Rows_come_back_the_same_in_a_culture_with_commas()
    {
        using var culture = new CommaCulture();
        ResultRow[] rows =
        [
            new("AdmmKit 85x", "top1", "%", 99.2, 0.1 + 0.2, 1e-300, 5, ResultStatus.Matched, "admmkit run table1"),
            new("with, comma and \"quotes\"", "survivors", "", null, -1234.5, null, 0, ResultStatus.None, "line\nbreak"),
            new("π", "bytes", "B", double.MaxValue, double.Epsilon, 0, 1, ResultStatus.Trend, ""),
        ];
        ResultRows.Write(File_, rows);
        Assert.Equal(rows, ResultRows.Read(File_));
        string text = File.ReadAllText(File_, Encoding.UTF8);
        Assert.StartsWith(Header + "\nAdmmKit 85x,top1,%,99.2,0.30000000000000004,1E-300,5,matched,admmkit run table1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
        Assert.Equal((byte)'r', File.ReadAllBytes(File_)[0]);
    }

    [Fact]
    public void No_rows_are_a_file_with_a_header()
    {
        ResultRows.Write(File_, []);
        Assert.Equal(Header + "\n", File.ReadAllText(File_));
        Assert.Empty(ResultRows.Read(File_));
    }

    [Theory]
    [InlineData("", "line 1")]
    [InlineData("row,quantity,unit,paper,ours,spread,seeds,status\n", "columns must be")]
    [InlineData("row,quantity,unit,paper,ours,spread,seeds,status,source,more\n", "more")]
    [InlineData("quantity,row,unit,paper,ours,spread,seeds,status,source\n", "columns must be")]
    [InlineData(Header + "\na,b,c,1,2,3,4,matched\n", "line 2: there are 8 fields")]
    [InlineData(Header + "\na,b,c,1,2,3,4,matched,s\na,b,c,1,2,3,4,matched,s,t\n", "line 3: there are 10 fields")]
    [InlineData(Header + "\n\na,b,c,x,2,3,4,matched,s\n", "line 3: 'x' in column 'paper'")]
    [InlineData(Header + "\na,b,c,1,\"2,5\",3,4,matched,s\n", "line 2: '2,5' in column 'ours'")]
    [InlineData(Header + "\na,b,c,1,2,NaN,4,matched,s\n", "line 2: 'NaN' in column 'spread'")]
    [InlineData(Header + "\na,b,c,1,2,3,-4,matched,s\n", "line 2: '-4' in column 'seeds'")]
    [InlineData(Header + "\na,b,c,1,2,3,4,match,s\n", "line 2: There is no status 'match'. Did you mean 'matched'")]
    [InlineData(Header + "\na,b,c,1,2,3,4,matched,\"s\n", "line 2")]
    public void Bad_files_are_errors_with_a_line_number(string text, string expected)
    {
        string path = Path.Combine(folder, "bad.csv");
        File.WriteAllText(path, text);
        var e = Assert.Throws<BadFileException>(() => ResultRows.Read(path));
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_could_not_be_read_again_is_not_written()
    {
        var row = new ResultRow("a", "b", "c", null, null, null, 0, ResultStatus.None, "");
        Assert.Throws<AdmmKitException>(() => ResultRows.Write(File_, [row with { Ours = double.NaN }]));
        Assert.Throws<AdmmKitException>(() => ResultRows.Write(File_, [row with { Paper = double.PositiveInfinity }]));
        Assert.Throws<AdmmKitException>(() => ResultRows.Write(File_, [row with { Status = "good" }]));
        Assert.Throws<AdmmKitException>(() => ResultRows.Write(File_, [row with { Seeds = -1 }]));
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(File_)!));
        Assert.Throws<AdmmKitException>(() => ResultRows.Read(File_));
    }
}
