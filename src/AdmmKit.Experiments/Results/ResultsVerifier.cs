using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Accounting;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Results;

/// <summary>What <see cref="ResultsVerifier"/> found.</summary>
/// <param name="Folders">Folders of results.</param>
/// <param name="Models">Model files in them.</param>
/// <param name="Evaluated">Models whose correct images were counted again.</param>
/// <param name="Skipped">What could not be checked here, and why.</param>
/// <param name="Problems">What is wrong, each with its place; empty if all is well.</param>
public sealed record VerificationReport(
    int Folders, int Models, int Evaluated, IReadOnlyList<string> Skipped, IReadOnlyList<string> Problems);

/// <summary>
/// Checks published results: whether rows, manifest and models of each folder agree with each other, whether each model
/// is byte for byte the one that was recorded, and whether it still classifies exactly as many test images correctly.
/// </summary>
public sealed class ResultsVerifier
{
    private readonly Func<string, DataSet?> openData;
    private readonly int threads;
    private readonly Action<string> tell;
    private readonly CancellationToken cancellation;
    private readonly List<string> problems = [];
    private readonly List<string> skipped = [];
    private readonly Dictionary<string, DataSet?> drawn = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DataSet?> opened = new(StringComparer.Ordinal);
    private int models;
    private int evaluated;

    private ResultsVerifier(Func<string, DataSet?> openData, int threads, Action<string> tell, CancellationToken cancellation) =>
        (this.openData, this.threads, this.tell, this.cancellation) = (openData, threads, tell, cancellation);

    /// <summary>Checks every folder of results at or below a directory: those with a manifest, rows or a model.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="openData">
    /// Opens one of <see cref="DataSource.Names"/>, or returns null where it is not at hand; called once for each that a model
    /// asks for. Synthetic digits are drawn again and need no data set.
    /// </param>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <param name="tell">Takes a line for each folder, model, problem and thing left out, as they come.</param>
    /// <param name="cancellation">Stops between two images.</param>
    /// <returns>All problems, not only the first.</returns>
    /// <exception cref="AdmmKitException">The directory cannot be read, or holds no results.</exception>
    public static VerificationReport Verify(
        string directory, Func<string, DataSet?> openData, int threads = 0, Action<string>? tell = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(openData);
        string[] folders = Folders(directory);
        var verifier = new ResultsVerifier(openData, threads, tell ?? (_ => { }), cancellation);
        foreach (string folder in folders)
        {
            string name = Path.GetRelativePath(directory, folder).Replace('\\', '/');
            verifier.Folder(folder, name == "." ? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) : name);
        }

        return new VerificationReport(folders.Length, verifier.models, verifier.evaluated, verifier.skipped, verifier.problems);
    }

    private static string[] Folders(string directory)
    {
        // A link to a folder above would otherwise be followed round and round.
        var everyFolder = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = FileAttributes.ReparsePoint };
        try
        {
            string[] folders = [.. Directory.EnumerateDirectories(directory, "*", everyFolder).Prepend(directory)
                .Where(f => !File.Exists(Path.Combine(f, Runs.StoredRun.Name))) // a kept run, from which results are made
                .Where(f => File.Exists(Path.Combine(f, "manifest.json")) || File.Exists(Path.Combine(f, "rows.csv")) || ModelFiles(f).Length > 0)
                .Order(StringComparer.Ordinal)];
            return folders.Length > 0 ? folders : throw new AdmmKitException(
                $"There is nothing to verify at or below '{directory}', neither a manifest.json nor rows.csv nor a model (*.admm, *.safetensors): give the folder that 'admmkit reproduce' wrote.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not read the folder '{directory}': {e.Message.TrimEnd('.')}. Check its name and that you may read it and all below.", e);
        }
    }

    private static string[] ModelFiles(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.admm").Concat(Directory.EnumerateFiles(folder, "*" + StoredModel.DenseExtension))
            .Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private void Folder(string folder, string name)
    {
        string[] modelFiles = ModelFiles(folder);
        Manifest? manifest = Read(name, () => Manifest.Load(Path.Combine(folder, "manifest.json")));
        IReadOnlyList<ResultRow> rows = Read(name, () => ResultRows.Read(Path.Combine(folder, "rows.csv"))) ?? [];
        tell(FormattableString.Invariant(
            $"{name}: {rows.Count} rows, {modelFiles.Length} models; commit {manifest?.Commit ?? "unknown"}, data {manifest?.Data?.Name ?? "none"}"));
        string? standIn = manifest?.Data?.Name == SyntheticDigits.Name ? SyntheticDigits.Name : null;
        Report($"{name}/rows.csv", RowChecks.AmongRows(rows, standIn));
        IReadOnlyList<ModelRecord> records = manifest?.Models ?? [];
        if (manifest is not null)
        {
            bool measured = modelFiles.Length > 0 || rows.Any(r => r.Ours is not null && r.Status != ResultStatus.Accounting && !RowChecks.IsTime(r));
            Report($"{name}/manifest.json", ManifestProblems(manifest, measured, modelFiles));
            Report($"{name}/rows.csv", RowChecks.AgainstModels(rows, [.. records.Where(IsPossible)]));
        }

        ImageSet? test = records.Count > 0 && modelFiles.Length > 0 ? TestImages(name, manifest!.Data) : null;
        var compressed = new List<(string Row, CompressedNetwork Model)>();
        foreach (string file in modelFiles)
        {
            ModelRecord? record = records.FirstOrDefault(r => r.File == file);
            if (Model(folder, name, file, record, test) is { } model && record is not null)
            {
                compressed.Add((record.Row, model));
            }
        }

        Report($"{name}/rows.csv", Read(name, () => HardwareQuantities.Problems(folder, rows, compressed.ToLookup(m => m.Row, m => m.Model)).ToList()) ?? []);
        if (AccountingTables.Names.Contains(Path.GetFileName(name)))
        {
            Report($"{name}/rows.csv", RowChecks.AgainstRecomputed(rows, AccountingTables.Create(Path.GetFileName(name)).Rows));
        }
    }

    private static bool IsPossible(ModelRecord record) => record.Images > 0 && record.Correct >= 0 && record.Correct <= record.Images;

    private static IEnumerable<string> ManifestProblems(Manifest manifest, bool measured, string[] modelFiles)
    {
        if (manifest.Commit is not { Length: >= 40 } commit || !commit.All(char.IsAsciiHexDigit))
        {
            yield return "it names no commit of the source that ran";
        }

        if (manifest.Dirty != false)
        {
            yield return "the source that ran had changes that are in no commit (dirty)";
        }

        foreach (RunRecord run in manifest.Runs.Where(r => r.Dirty != false))
        {
            yield return FormattableString.Invariant($"its run '{run.Variant}', seed {run.Seed}, was done by a program with changes that are in no commit (dirty)");
        }

        if (measured && manifest.Data is not { Name.Length: > 0, Checksums.Count: > 0 })
        {
            yield return "it names no data with checksums, although something was measured";
        }

        foreach (ModelRecord record in manifest.Models)
        {
            if (!modelFiles.Contains(record.File))
            {
                yield return $"it has a record of '{record.File}', but there is no such file";
            }

            if (!IsPossible(record))
            {
                yield return FormattableString.Invariant($"its record of '{record.File}' counts {record.Correct} correct of {record.Images} images");
            }
        }

        foreach (var group in manifest.Models.GroupBy(m => m.File).Where(g => g.Count() > 1))
        {
            yield return FormattableString.Invariant($"it has {group.Count()} records of '{group.Key}'");
        }
    }

    /// <summary>The test images that the manifest names, or null, with the reason told, where they are not at hand.</summary>
    private ImageSet? TestImages(string name, DataOrigin? origin)
    {
        if (origin is null)
        {
            return null; // A problem by now.
        }

        DataSet? data;
        if (origin.Name == SyntheticDigits.Name)
        {
            if (!drawn.TryGetValue(origin.Source, out data))
            {
                drawn[origin.Source] = data = Read(name, () => SyntheticDigits.Again(origin.Source, cancellation));
            }

            if (data is null)
            {
                Report($"{name}/manifest.json", ["its data source does not say which synthetic digits were drawn"]);
                return null;
            }

            if (!Same(origin, data))
            {
                Report($"{name}/manifest.json", ["the synthetic digits drawn here from its data source have other checksums: it was changed, or this machine computes sines and logarithms otherwise"]);
                return null;
            }

            return data.Test;
        }

        string dataSet = DataSource.NameOf(origin.Name);
        if (!opened.TryGetValue(dataSet, out DataSet? files))
        {
            opened[dataSet] = files = openData(dataSet);
        }

        if (files is null || !Same(origin, files))
        {
            Skip($"{name}: images are not counted again: {(files is null ? $"the data '{origin.Name}' are not at hand" : $"the data at hand, '{files.Name}', are not those of the manifest, '{origin.Name}'")}. Give them with --data DIR or ADMMKIT_DATA.");
            return null;
        }

        return files.Test;
    }

    // Contents alone: the same file may be called t10k-images-idx3-ubyte or t10k-images.idx3-ubyte.gz.
    private static bool Same(DataOrigin origin, DataSet data) =>
        origin.Checksums.Values.Order(StringComparer.Ordinal).SequenceEqual(data.Checksums.Values.Order(StringComparer.Ordinal));

    /// <summary>Checks a model; returns it if it is a compressed one that can be read.</summary>
    private CompressedNetwork? Model(string folder, string name, string file, ModelRecord? record, ImageSet? test)
    {
        models++;
        string place = $"{name}/{file}";
        if (record is null)
        {
            Report(place, ["there is no record of it in the manifest"]);
        }

        if (Read(place, () => ReadBytes(Path.Combine(folder, file))) is not { } bytes)
        {
            return null;
        }

        if (record is not null)
        {
            Report(place, Compare(record, ("SHA-256", record.Sha256, ModelRecord.Hash(bytes)), ("length", record.Bytes, bytes.LongLength)));
        }

        if (Read(place, () => StoredModel.Read(bytes, file)) is not { } model)
        {
            return null;
        }

        if (model.Compressed is { } compressed && !ModelRecord.Encode(compressed).AsSpan().SequenceEqual(bytes))
        {
            Report(place, ["it is written again with other bytes"]);
        }

        string counted = "";
        if (record is not null)
        {
            Report(place, Compare(
                record, ("survivors", record.Survivors, model.Survivors), ("weight data bits", record.WeightDataBits, model.WeightDataBits)));
            if (test is not null && Read(place, () => (int?)ScalarNetwork.CountCorrect(model.Spec, model.Decode, test, threads, cancellation)) is { } correct)
            {
                evaluated++;
                counted = FormattableString.Invariant($", {correct} of {test.Count} images correct");
                Report(place, Compare(record, ("correct images", record.Correct, correct), ("test images", record.Images, test.Count)));
            }
        }

        tell(FormattableString.Invariant($"{place}: {bytes.Length} B, {model.Survivors} survivors{counted}"));
        return model.Compressed;
    }

    private static IEnumerable<string> Compare(ModelRecord record, params (string What, object Recorded, object Found)[] values) =>
        values.Where(v => !v.Recorded.Equals(v.Found)).Select(v => FormattableString.Invariant(
            $"its {v.What} is {v.Found}, but {v.Recorded} is recorded for '{record.Row}'"));

    private static byte[] ReadBytes(string path)
    {
        try
        {
            long length = new FileInfo(path).Length;
            return length <= NetworkFile.MaxBytes ? File.ReadAllBytes(path) : throw new BadFileException(FormattableString.Invariant(
                $"it has {length} bytes, more than the {NetworkFile.MaxBytes} that a model may have"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"it cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    private T? Read<T>(string place, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (AdmmKitException e)
        {
            Report(place, [e.Message]);
            return default;
        }
    }

    private void Report(string place, IEnumerable<string> found)
    {
        foreach (string problem in found)
        {
            problems.Add($"{place}: {problem.TrimEnd('.')}.");
            tell("PROBLEM " + problems[^1]);
        }
    }

    private void Skip(string what)
    {
        skipped.Add(what);
        tell("skipped " + what);
    }
}
