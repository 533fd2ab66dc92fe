using AdmmKit.Notebooks;
using Deedle;

namespace AdmmKit.Interactive;

/// <summary>Frames of Deedle as rows and tables.</summary>
public static class FrameRecords
{
    /// <summary>
    /// The rows of a frame as records: what a record's constructor asks for and its other properties take are read from the columns
    /// of the same names; further columns are left out.
    /// </summary>
    /// <remarks>
    /// The way back from <see cref="FrameExtensions.ToFrame{T}"/>, and from a frame that Deedle read from a file: numbers are converted
    /// where nothing is lost by it, text becomes numbers and names of enumerations. A missing value is null, and NaN where there is
    /// no null.
    /// </remarks>
    /// <typeparam name="T">The record.</typeparam>
    /// <param name="frame">The frame.</param>
    /// <exception cref="AdmmKitException">
    /// A column is missing, a value does not fit its property, or the record refuses its values; the message says which row it is.
    /// </exception>
    public static IReadOnlyList<T> ToRecords<T>(this IFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return FrameContent.Of(frame).ToRecords<T>();
    }

    /// <summary>A frame as a table, with its row keys where they say more than a number of the row.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="title">What it shows, or null.</param>
    /// <param name="rows">The most rows that are taken; the table's note says if there are more.</param>
    public static Table ToTable(this IFrame frame, string? title = null, int rows = Table.ShownRows)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return FrameContent.Of(frame).ToTable(title, rows);
    }
}
