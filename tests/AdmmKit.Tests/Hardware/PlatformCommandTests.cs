using AdmmKit.Hardware.Platforms;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Experiments;

namespace AdmmKit.Tests.Hardware;

/// <summary>`admmkit platform`. It writes to the console, as the tests of the tool do.</summary>
[Collection(nameof(CommandLineTests))]
public class PlatformCommandTests
{
    private static readonly string Examples = Path.Combine(LayeringTests.Root, "docs", "platforms");

    [Fact]
    public void List_names_every_preset_and_says_what_it_is()
    {
        string[] lines = Succeed("list").TrimEnd().Split('\n');
        Assert.Equal(PlatformLibrary.Presets.Count, lines.Length);
        Assert.All(lines.Zip(PlatformLibrary.Presets), p => Assert.StartsWith(p.Second + ": ", p.First, StringComparison.Ordinal));
    }

    [Fact]
    public void Show_of_a_law_has_its_curve_and_each_layer()
    {
        string text = Succeed("show", "admm-nn-40nm", "--architecture", "alexnet");
        Assert.Contains("0.572043 ln d", text, StringComparison.Ordinal);
        Assert.Contains("It is a fit", text, StringComparison.Ordinal);
        string[] half = Cells(text, "50 %");
        Assert.Equal(["0.5", "1.209", "0.827"], half);
        // 105,415,200 MACs, as Table 8 has them: 211M operations.
        Assert.Equal(["96x3x11x11", "105,415,200", "105,415,200", "6.15x", "0.4571", "2.19"], Cells(text, "conv1"));
        Assert.Equal(6, Cells(text, "fc3").Length);
    }

    [Fact]
    public void Show_of_measured_times_is_in_microseconds_and_leaves_out_what_was_not_timed()
    {
        string file = Path.Combine(Examples, "example-processor.json");
        // fc2 breaks even at 0.5 - 0.2 / 1.3 x 0.45.
        string text = Succeed("show", file, "--architecture", "lenet-300-100");
        Assert.Equal(["100x300", "30,000", "1.6", "2.48x", "0.4308", "2.32"], Cells(text, "fc2"));
        (int code, string output, string error) = CommandLineTests.Run(["platform", "show", file]);
        Assert.Equal((1, true), (code, error.Contains("not timed on layers like 'conv1'", StringComparison.Ordinal)));
        Assert.DoesNotContain("conv1", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_says_which_layers_a_chip_has_no_room_for()
    {
        string text = Succeed("show", Path.Combine(Examples, "small-accelerator.json"), "--architecture", "alexnet");
        Assert.Equal(["4096x9216", "37,748,736", "-", "-", "-", "-"], Cells(text, "fc1"));
        Assert.Contains("no area for processing elements beside the 37748736 weights of 'fc1'", text, StringComparison.Ordinal);
        Assert.DoesNotContain("-", Cells(text, "conv1"));
    }

    [Fact]
    public void Check_accepts_what_is_right_and_names_what_is_wrong()
    {
        string file = Path.Combine(Examples, "small-accelerator.json");
        Assert.StartsWith(file + ": valid. small-accelerator", Succeed("check", file), StringComparison.Ordinal);
        using var folder = new TemporaryFolder();
        string bad = Path.Combine(folder.Path, "bad.json");
        File.WriteAllText(bad, File.ReadAllText(file).Replace("\"areaMm2\": 8", "\"areaMm2\": -8", StringComparison.Ordinal));
        (int code, _, string error) = CommandLineTests.Run(["platform", "check", bad]);
        Assert.Equal(1, code);
        Assert.Equal($"error: '{bad}', structure.areaMm2: -8 is not in (0, 1000000].", error.TrimEnd());
    }

    [Theory]
    [InlineData(1, "show admm-nn-40n", "Did you mean 'admm-nn-40nm'?")]
    [InlineData(1, "show missing/file.json", "Could not read the platform 'missing/file.json'")]
    [InlineData(1, "check missing.json", "missing.json")]
    [InlineData(2, "show admm-nn-40nm --architecture lenet6", "Did you mean 'lenet5'?")]
    [InlineData(2, "shwo admm-nn-40nm", "Did you mean 'show' instead of 'shwo'?")]
    [InlineData(2, "show", "Try 'admmkit platform show --help'.")]
    [InlineData(2, "check a.json --quick", "--quick")]
    public void What_is_wrong_is_told_with_its_exit_code(int expected, string arguments, string message)
    {
        (int code, _, string error) = CommandLineTests.Run(["platform", .. arguments.Split(' ')]);
        Assert.Equal(expected, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    private static string Succeed(params string[] arguments)
    {
        (int code, string output, string error) = CommandLineTests.Run(["platform", .. arguments]);
        Assert.True(code == 0, error);
        return output;
    }

    /// <summary>The cells after the first of the row that begins so.</summary>
    private static string[] Cells(string text, string first) => Assert.Single(
        text.Split('\n').Select(l => l.Trim()), l => l.StartsWith(first + "  ", StringComparison.Ordinal))
        [first.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
