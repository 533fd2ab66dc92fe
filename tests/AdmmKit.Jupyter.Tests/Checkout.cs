namespace AdmmKit.Jupyter.Tests;

/// <summary>The checkout that the tests run in.</summary>
internal static class Checkout
{
    /// <summary>Its top folder.</summary>
    public static string Root { get; } = Find();

    /// <summary>
    /// Why a test is skipped that lacks a program, or null where it may not be skipped (ADMMKIT_REQUIRE_JUPYTER=1): it is run, and fails.
    /// </summary>
    public static string? SkipFor(string? lacking) => Environment.GetEnvironmentVariable("ADMMKIT_REQUIRE_JUPYTER") == "1" ? null : lacking;

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "AdmmKit.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No AdmmKit.sln above {AppContext.BaseDirectory}: run the tests from a checkout.");
    }
}
