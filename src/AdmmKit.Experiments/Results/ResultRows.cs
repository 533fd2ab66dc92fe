using System.Globalization;
using AdmmKit.Storage;
using CsvHelper;

namespace AdmmKit.Experiments.Results;

/// <summary>Reads and writes <c>rows.csv</c>, the one long form that all results have.</summary>
public static class ResultRows
{
    /// <summary>The columns, in order.</summary>
    public static IReadOnlyList<string> Columns { get; } =
        ["row", "quantity", "unit", "paper", "ours", "spread", "seeds", "status", "source"];

    private static CsvReaderOptions Reading => new()
    {
        Separator = ',',
        HasHeader = false,
        MalformedData = CsvMalformedDataHandling.Throw,
        TrackLineNumbers = true,
        MaxRecordSize = 1 << 20,
    };

    /// <summary>Writes the rows; numbers come back the same when read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rows">The rows.</param>
    /// <exception cref="AdmmKitException">A value cannot be stored, or the file cannot be written.</exception>
    public static void Write(string path, IEnumerable<ResultRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        AtomicFile.Write(path, stream =>
        {
            using var csv = CsvWriter.Create(stream, new CsvWriterOptions { NewLine = "\n" }, leaveOpen: true);
            WriteLine(csv, Columns);
            foreach (ResultRow row in rows)
            {
                WriteLine(csv, [row.Row, row.Quantity, row.Unit, Number(row, row.Paper), Number(row, row.Ours), Number(row, row.Spread),
                    Seeds(row), Status(row), row.Source]);
            }
        });
    }

    /// <summary>Reads the rows.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadFileException">A column is missing, unknown or out of order, or a value is wrong; the message says in which line.</exception>
    /// <exception cref="AdmmKitException">The file cannot be read.</exception>
    public static IReadOnlyList<ResultRow> Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using FileStream stream = File.OpenRead(path);
            return Read(stream, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not read '{path}': {e.Message.TrimEnd('.')}. Check the name and that you may read it.", e);
        }
    }

    private static List<ResultRow> Read(Stream stream, string path)
    {
        using var csv = CsvReader.Create(stream, Reading, leaveOpen: true);
        var rows = new List<ResultRow>();
        try
        {
            string[] header = csv.Read() ? Fields(csv) : [];
            if (!header.SequenceEqual(Columns))
            {
                throw Bad(path, 1, $"the columns must be {string.Join(',', Columns)}, not {string.Join(',', header)}");
            }

            while (csv.Read())
            {
                rows.Add(Row(Fields(csv), path, csv.LineNumber));
            }
        }
        catch (CsvFormatException e)
        {
            throw new BadFileException($"'{path}', line {Text(e.LineNumber)}: {e.Message.TrimEnd('.')}. Is a quotation mark missing?", e);
        }

        return rows;
    }

    private static string[] Fields(CsvReader csv)
    {
        var fields = new string[csv.FieldCount];
        for (int i = 0; i < fields.Length; i++)
        {
            fields[i] = csv.GetString(i);
        }

        return fields;
    }

    private static ResultRow Row(string[] fields, string path, long line)
    {
        if (fields.Length != Columns.Count)
        {
            throw Bad(path, line, $"there are {Text(fields.Length)} fields, not {Text(Columns.Count)}");
        }

        double? Optional(int column) => fields[column].Length == 0 ? null
            : double.TryParse(fields[column], NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) ? value
            : throw Bad(path, line, $"'{fields[column]}' in column '{Columns[column]}' is not a number, such as 0.992");

        if (!int.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out int seeds))
        {
            throw Bad(path, line, $"'{fields[6]}' in column 'seeds' is not a count");
        }

        return ResultStatus.All.Contains(fields[7])
            ? new ResultRow(fields[0], fields[1], fields[2], Optional(3), Optional(4), Optional(5), seeds, fields[7], fields[8])
            : throw Bad(path, line, Names.Unknown("status", fields[7], Known));
    }

    private static string[] Known => [.. ResultStatus.All.Where(s => s.Length > 0)];

    private static void WriteLine(CsvWriter csv, IEnumerable<string> fields)
    {
        foreach (string field in fields)
        {
            csv.WriteField(field);
        }

        csv.EndRecord();
    }

    private static string Number(ResultRow row, double? value) => value switch
    {
        null => "",
        { } v when double.IsFinite(v) => v.ToString("R", CultureInfo.InvariantCulture),
        _ => throw new AdmmKitException($"'{row.Quantity}' of row '{row.Row}' is not a finite number: leave it out (null) where there is no value."),
    };

    private static string Seeds(ResultRow row) => row.Seeds >= 0
        ? Text(row.Seeds)
        : throw new AdmmKitException($"Row '{row.Row}' has {Text(row.Seeds)} seeds: give 0 where nothing is random.");

    private static string Status(ResultRow row) => ResultStatus.All.Contains(row.Status)
        ? row.Status
        : throw new AdmmKitException($"Row '{row.Row}': {Names.Unknown("status", row.Status, Known)}");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static BadFileException Bad(string path, long line, string what) => new($"'{path}', line {Text(line)}: {what.TrimEnd('.')}.");
}
