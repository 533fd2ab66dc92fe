using AdmmKit.Experiments.Results;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Storage;

public sealed class AtomicFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Content_is_written_and_replaced_and_folders_are_made()
    {
        string path = Path.Combine(folder, "a", "b", "x.bin");
        AtomicFile.Write(path, s => s.Write([1, 2, 3]));
        AtomicFile.Write(path, s => s.Write([4]));
        Assert.Equal([4], File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void A_writer_that_fails_leaves_the_old_file_and_nothing_else()
    {
        string path = Path.Combine(folder, "x.bin");
        AtomicFile.Write(path, s => s.Write([1, 2, 3]));
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, s =>
        {
            s.Write(new byte[100_000]);
            throw new InvalidOperationException("stopped half-way");
        }));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(folder));
    }

    [Fact]
    public void A_disk_that_fills_up_leaves_the_old_file_and_says_what_to_do()
    {
        string path = Path.Combine(folder, "x.bin");
        AtomicFile.Write(path, s => s.Write([1, 2, 3]));
        foreach (int room in new[] { 0, 10, 99_999 })
        {
            var e = Assert.Throws<AdmmKitException>(() =>
                AtomicFile.Write(path, s => s.Write(new byte[100_000]), name => new FullDisk(name, room)));
            Assert.Contains(path, e.Message, StringComparison.Ordinal);
            Assert.Contains("Free some space", e.Message, StringComparison.Ordinal);
            Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
            Assert.Equal([path], Directory.GetFiles(folder));
        }
    }

    [Fact]
    public void A_disk_that_fills_up_only_when_the_buffers_are_emptied_leaves_the_old_file()
    {
        string path = Path.Combine(folder, "x.bin");
        AtomicFile.Write(path, s => s.Write([1, 2, 3]));
        var e = Assert.Throws<AdmmKitException>(() => AtomicFile.Write(path, s => s.Write([4]), name => new FullAtFlush(name)));
        Assert.Contains("Free some space", e.Message, StringComparison.Ordinal);
        Assert.Contains("unchanged", e.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(folder));
    }

    [Fact]
    public void A_disk_without_room_for_one_more_file_leaves_the_old_one()
    {
        string path = Path.Combine(folder, "x.bin");
        AtomicFile.Write(path, s => s.Write([1, 2, 3]));
        var e = Assert.Throws<AdmmKitException>(() => AtomicFile.Write(path, s => s.Write([4]), _ => throw new IOException("No space left on device.", NoSpace)));
        Assert.Contains("Free some space", e.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(folder));
    }

    [LinuxTheory]
    [InlineData("/dev/full", "Free some space")]
    [InlineData("/proc/admmkit", "Check that")]
    public void Everything_that_is_written_says_so_when_it_cannot_be(string path, string advice)
    {
        Action[] writers =
        [
            () => RandomNetworks.Create(1).Save(path),
            () => new Manifest { CommandLine = new string('x', 10_000) }.Save(path),
            () => ResultRows.Write(path, [new(new string('x', 10_000), "top1", "%", null, null, null, 0, ResultStatus.None, "")]),
        ];
        Assert.All(writers, write =>
        {
            var e = Assert.Throws<AdmmKitException>(write);
            Assert.Contains($"'{path}'", e.Message, StringComparison.Ordinal);
            Assert.Contains(advice, e.Message, StringComparison.Ordinal);
        });
    }

    [LinuxFact]
    public void The_device_that_is_always_full_is_reported_and_stays_a_device()
    {
        var e = Assert.Throws<AdmmKitException>(() => AtomicFile.Write("/dev/full", s => s.Write(new byte[100_000])));
        Assert.Contains("Free some space", e.Message, StringComparison.Ordinal);
        AtomicFile.Write("/dev/null", s => s.Write([1]));
        Assert.Empty(File.ReadAllBytes("/dev/null"));
    }

    [LinuxFact]
    public void A_folder_that_nobody_can_write_is_reported()
    {
        // /proc takes no files even from root, whom permissions do not stop.
        var e = Assert.Throws<AdmmKitException>(() => AtomicFile.Write("/proc/admmkit.bin", s => s.Write([1])));
        Assert.Contains("/proc/admmkit.bin", e.Message, StringComparison.Ordinal);
        Assert.Contains("Check that", e.Message, StringComparison.Ordinal);
    }

    [UnprivilegedFact]
    public void A_read_only_folder_is_reported_and_unchanged()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        string path = Path.Combine(folder, "x.bin");
        AtomicFile.Write(path, s => s.Write([1]));
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.Throws<AdmmKitException>(() => AtomicFile.Write(path, s => s.Write([2])));
            Assert.Equal([1], File.ReadAllBytes(path));
        }
        finally
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public void A_folder_or_a_file_in_the_way_is_reported()
    {
        string file = Path.Combine(folder, "file");
        AtomicFile.Write(file, s => s.Write([1]));
        Assert.Throws<AdmmKitException>(() => AtomicFile.Write(folder, s => s.Write([1])));
        Assert.Throws<AdmmKitException>(() => AtomicFile.Write(Path.Combine(file, "below"), s => s.Write([1])));
        Assert.Throws<AdmmKitException>(() => AtomicFile.Write("/", s => s.Write([1])));
        Assert.Equal([file], Directory.GetFiles(folder));
    }

    [LinuxFact]
    public void A_link_is_followed()
    {
        string real = Path.Combine(folder, "real.bin"), link = Path.Combine(folder, "link.bin");
        File.CreateSymbolicLink(link, real);
        AtomicFile.Write(link, s => s.Write([7]));
        AtomicFile.Write(link, s => s.Write([8]));
        Assert.Equal([8], File.ReadAllBytes(real));
        Assert.Equal(real, new FileInfo(link).LinkTarget);
    }

    [Fact]
    public void Writers_at_the_same_time_never_mix()
    {
        string path = Path.Combine(folder, "x.bin");
        Parallel.For(0, 40, i => AtomicFile.Write(path, s =>
        {
            for (int k = 0; k < 10; k++)
            {
                s.Write(Enumerable.Repeat((byte)i, 1000).ToArray());
            }
        }));
        byte[] bytes = File.ReadAllBytes(path);
        Assert.Equal(10_000, bytes.Length);
        Assert.All(bytes, b => Assert.Equal(bytes[0], b));
        Assert.Equal([path], Directory.GetFiles(folder));
    }

    // ENOSPC.
    private const int NoSpace = 28;

    /// <summary>A real file on a disk that takes only so many bytes.</summary>
    private sealed class FullDisk(string path, int room) : FileStream(path, FileMode.CreateNew, FileAccess.Write)
    {
        private int left = room;

        // In a class derived from FileStream the overload for spans calls this one.
        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, Math.Min(left, count));
            left -= count;
            if (left < 0)
            {
                throw new IOException("No space left on device.", NoSpace);
            }
        }
    }

    /// <summary>A disk that takes everything into its buffers and then has no room for it.</summary>
    private sealed class FullAtFlush(string path) : FileStream(path, FileMode.CreateNew, FileAccess.Write)
    {
        public override void Flush() => throw new IOException("No space left on device.", NoSpace);
    }

    private sealed class LinuxTheoryAttribute : TheoryAttribute
    {
        public LinuxTheoryAttribute() => Skip = OperatingSystem.IsLinux() ? null : "Needs /dev and /proc of Linux.";
    }

    private sealed class LinuxFactAttribute : FactAttribute
    {
        public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "Needs /dev and /proc of Linux.";
    }

    private sealed class UnprivilegedFactAttribute : FactAttribute
    {
        public UnprivilegedFactAttribute() => Skip = Environment.IsPrivilegedProcess ? "Permissions do not stop root." : null;
    }
}
