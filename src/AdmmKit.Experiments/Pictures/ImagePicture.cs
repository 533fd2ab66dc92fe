using AdmmKit.Engine.Data;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Pictures;

/// <summary>Images of a data set as a picture: their first channel, scaled to 0 to 1 as the network reads it.</summary>
public static class ImagePicture
{
    /// <summary>Images side by side, an empty column between two.</summary>
    /// <param name="images">The images.</param>
    /// <param name="first">The first one to show.</param>
    /// <param name="count">How many, at least 1; so many as fit in 160 columns are shown pixel by pixel.</param>
    /// <param name="title">The title; null: their labels.</param>
    /// <exception cref="AdmmKitException">There are no such images.</exception>
    public static HeatMap Of(ImageSet images, int first = 0, int count = 5, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (first < 0 || count < 1 || first > images.Count - count)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"There are no {count} images from {first} on: the set has {images.Count}, counted from 0."));
        }

        (int rows, int width) = (images.Shape.Height, images.Shape.Width);
        int columns = (count * (width + 1)) - 1;
        var cells = new float[rows * columns];
        Array.Fill(cells, float.NaN);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> pixels = images.Pixels.Span.Slice((first + i) * images.Shape.Size, rows * width);
            for (int p = 0; p < pixels.Length; p++)
            {
                cells[(p / width * columns) + (i * (width + 1)) + (p % width)] = pixels[p] / 255f;
            }
        }

        string labels = string.Join(", ", images.Labels.Span.Slice(first, count).ToArray());
        return new HeatMap(title ?? $"labels: {labels}", rows, columns, cells)
        {
            Unit = "ink (0 to 1)",
            Ends = (0, 1),
            Absent = "between two images",
        };
    }
}
