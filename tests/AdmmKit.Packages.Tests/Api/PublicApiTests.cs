using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace AdmmKit.Packages.Tests.Api;

/// <summary>What each package offers is listed in src/PACKAGE/PublicApi.txt; a change of it changes that file, and so is seen.</summary>
public class PublicApiTests
{
    private const string Update = "ADMMKIT_UPDATE_API";

    private const string HowToAccept =
        "If that is meant: ADMMKIT_UPDATE_API=1 dotnet test tests/AdmmKit.Packages.Tests -c Release --filter PublicApiTests, "
        + "and commit src/*/PublicApi.txt.";

    private const string Gone = "gone, which breaks those who use it: ", Owed = "new, which breaks those who implement or create it: ";

    public static TheoryData<string> Packages => [.. PackedProjects.Libraries];

    [Theory]
    [MemberData(nameof(Packages))]
    public void The_public_api_is_the_listed_one(string package)
    {
        PortableExecutableReference assembly = Loaded.All.Single(r => Path.GetFileName(r.FilePath) == package + ".dll");
        IReadOnlyList<string> lines = PublicApi.Lines(assembly, Loaded.All.Where(r => r != assembly));
        string file = Path.Combine(PackedProjects.FolderOf(package), "PublicApi.txt");
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            File.WriteAllText(file, PublicApi.Text(lines));
        }

        Assert.True(File.Exists(file), $"There is no {file}. {HowToAccept}");
        Assert.Null(PublicApi.Difference(package, File.ReadAllLines(file), lines, HowToAccept));
    }

    private const string Before = """
        namespace N;
        /// <summary>A set.</summary>
        public interface ISet { bool Has(int x); bool HasNot(int x) => !Has(x); }
        public abstract record Shape(string Name)
        {
            public const int Most = 3;
            public int Sides { get; init; }
            public required string? Note { get; set; }
            public System.Func<int>? Make { get; init; }
            protected internal virtual double Area(double scale = 1, params int[] rest) => 0;
            internal void Hidden() { }
            private protected void HiddenToo() { }
        }
        public sealed class Square : ISet
        {
            private Square() { }
            public static Square Unit { get; } = new();
            public bool Has(int x) => true;
            internal int Secret { get; set; }
            public int ReadByAll { get; private set; }
        }
        public interface IMark { }
        public enum Side { Left, Right = 4 }
        public delegate void Done(Square? by);
        public static class More { public static T Twice<T>(this T x, in int y) where T : class => x; }
        internal class Inner { public class Visible { public int X; } }
        """;

    [Fact]
    public void Everything_that_users_see_is_listed_and_nothing_else() => Assert.Equal(
        """
        delegate N.Done(Square? by) -> void
        interface N.IMark
        interface N.ISet
          Has(int x) -> bool
          default HasNot(int x) -> bool
        static class N.More
          static Twice<T>(this T x, in int y) where T : class -> T
        abstract record N.Shape
          Make { get; init; } -> Func<int>?
          Name { get; init; } -> string
          Sides { get; init; } -> int
          const Most = 3 -> int
          protected Shape(string Name)
          protected virtual Area(double scale = 1, params int[] rest) -> double
          required Note { get; set; } -> string?
        enum N.Side
          Left = 0
          Right = 4
        sealed class N.Square : ISet
          Has(int x) -> bool
          ReadByAll { get; } -> int
          static Unit { get; } -> Square

        """, PublicApi.Text(Listed(Before)));

    [Theory]
    [InlineData("IMark { }", "IMark { void New(); }", Owed + "interface N.IMark: New() -> void")]
    [InlineData("IMark { }", "IMark { void New() { } }", "new: interface N.IMark: default New() -> void")]
    [InlineData("bool HasNot(int x) => !Has(x);", "", Gone + "interface N.ISet: default HasNot(int x) -> bool")]
    [InlineData("private Square()", "public bool Has(long x) => true; private Square()", "new: sealed class N.Square: Has(long x) -> bool")]
    [InlineData("ISet { bool Has(int x);", "ISet { bool Has(int y);", Gone + "interface N.ISet: Has(int x) -> bool")]
    [InlineData("scale = 1", "scale = 2", Gone + "abstract record N.Shape: protected virtual Area(double scale = 1,")]
    [InlineData("string? Note", "string Note", Gone + "abstract record N.Shape: required Note { get; set; } -> string?")]
    [InlineData("public int Sides", "public required int Sides", Owed + "abstract record N.Shape: required Sides")]
    [InlineData("(string Name)", "(string Name, int More)", Gone + "abstract record N.Shape: protected Shape(string Name)")]
    [InlineData("public enum Side { Left, Right = 4 }", "public enum Side { Left, Right }", Gone + "enum N.Side: Right = 4")]
    [InlineData("class Square : ISet", "class Square", Gone + "sealed class N.Square: sealed class N.Square : ISet")]
    [InlineData("{ get; } = new();", "{ get; set; } = new();", Gone + "sealed class N.Square: static Unit { get; }")]
    [InlineData("where T : class", "", "where T : class")]
    [InlineData("Done(Square? by)", "Done(Square by)", Gone + "delegate N.Done(Square? by) -> void")]
    public void A_change_is_seen(string before, string after, string expected)
    {
        Assert.Contains(before, Before, StringComparison.Ordinal);
        IReadOnlyList<string> now = Listed(Before.Replace(before, after, StringComparison.Ordinal));
        string difference = PublicApi.Difference("N", Listed(Before), now, HowToAccept)!;
        Assert.Contains(expected, difference, StringComparison.Ordinal);
        Assert.EndsWith(HowToAccept, difference, StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Listed(string source)
    {
        var compilation = CSharpCompilation.Create(
            "planted",
            [CSharpSyntaxTree.ParseText(source)],
            Loaded.All,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        using var stream = new MemoryStream();
        Assert.DoesNotContain(compilation.Emit(stream).Diagnostics, d => d.Severity == DiagnosticSeverity.Error);
        return PublicApi.Lines(MetadataReference.CreateFromImage(stream.ToArray()), Loaded.All);
    }
}
