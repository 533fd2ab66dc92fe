namespace AdmmKit.Experiments.Results;

/// <summary>
/// Takes single values out of rows. What is not there is an error that suggests the nearest name, so that no picture loses a bar
/// unseen.
/// </summary>
public static class RowSelection
{
    /// <summary>One quantity of one line.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="row">The line.</param>
    /// <param name="quantity">The quantity.</param>
    /// <exception cref="AdmmKitException">There is no such line or quantity; the nearest one is suggested.</exception>
    public static ResultRow Find(this IEnumerable<ResultRow> rows, string row, string quantity)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ResultRow[] all = [.. rows], line = [.. all.Where(r => r.Row == row)];
        return line.FirstOrDefault(r => r.Quantity == quantity) ?? throw new AdmmKitException(line.Length > 0
            ? Names.Unknown($"quantity of '{row}' named", quantity, [.. line.Select(r => r.Quantity)])
            : Names.Unknown("row named", row, [.. all.Select(r => r.Row).Distinct()]));
    }

    /// <summary>Our value of one quantity of one line.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="row">The line.</param>
    /// <param name="quantity">The quantity.</param>
    /// <exception cref="AdmmKitException">There is no such line or quantity, or only the paper has a value.</exception>
    public static double Ours(this IEnumerable<ResultRow> rows, string row, string quantity) => rows.Find(row, quantity).Ours
        ?? throw new AdmmKitException($"Of '{quantity}' of '{row}' there is the paper's value alone: take Paper of Find, or Known.");

    /// <summary>One quantity of one line: our value, and where there is none the paper's.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="row">The line.</param>
    /// <param name="quantity">The quantity.</param>
    /// <exception cref="AdmmKitException">There is no such line or quantity, or neither value.</exception>
    public static double Known(this IEnumerable<ResultRow> rows, string row, string quantity) =>
        rows.Find(row, quantity) is var found && (found.Ours ?? found.Paper) is { } value ? value
            : throw new AdmmKitException($"There is no value of '{quantity}' of '{row}', neither the paper's nor ours.");
}
