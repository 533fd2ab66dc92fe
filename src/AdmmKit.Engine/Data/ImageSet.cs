using AdmmKit.Networks;

namespace AdmmKit.Engine.Data;

/// <summary>Labelled images, one byte a value, as they come from the file; the engine scales them to [0, 1].</summary>
public sealed class ImageSet
{
    /// <summary>Wraps images and labels.</summary>
    /// <param name="shape">Shape of one image.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="pixels">Images one after the other, each channel by channel, row by row.</param>
    /// <param name="labels">One label an image.</param>
    /// <exception cref="AdmmKitException">The counts differ, or a label is outside the classes.</exception>
    public ImageSet(ImageShape shape, int classes, ReadOnlyMemory<byte> pixels, ReadOnlyMemory<byte> labels)
    {
        if (pixels.Length != (long)shape.Size * labels.Length)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{labels.Length} labels but {pixels.Length} pixels, which is not {labels.Length} images of {shape}: the image and label files do not belong together."));
        }

        int bad = labels.Span.IndexOfAnyExceptInRange((byte)0, (byte)(classes - 1));
        if (bad >= 0)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Label {labels.Span[bad]} of image {bad} is outside the {classes} classes 0..{classes - 1}: correct the label file or the number of classes."));
        }

        Shape = shape;
        Classes = classes;
        Pixels = pixels;
        Labels = labels;
    }

    /// <summary>Shape of one image.</summary>
    public ImageShape Shape { get; }

    /// <summary>Number of classes; labels are 0 .. Classes - 1.</summary>
    public int Classes { get; }

    /// <summary>All images, <see cref="ImageShape.Size"/> bytes each.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>All labels.</summary>
    public ReadOnlyMemory<byte> Labels { get; }

    /// <summary>Number of images.</summary>
    public int Count => Labels.Length;

    /// <summary>A run of consecutive images; nothing is copied.</summary>
    /// <param name="first">The first image.</param>
    /// <param name="count">How many.</param>
    public ImageSet Slice(int first, int count) =>
        new(Shape, Classes, Pixels.Slice(first * Shape.Size, count * Shape.Size), Labels.Slice(first, count));
}

/// <summary>A data set split for training, and where it came from.</summary>
/// <param name="Name">What stands in tables and pictures: "MNIST", "CIFAR-10", "synthetic digits", or the folder's name.</param>
/// <param name="Source">Where it came from, in a sentence.</param>
/// <param name="Training">The images that training sees.</param>
/// <param name="Validation">Held out of the training set; every choice is made on these.</param>
/// <param name="Test">The test set.</param>
/// <param name="Checksums">File name to SHA-256 in lower-case hexadecimal, of the content after any gzip; for drawn data, of the pixels.</param>
public sealed record DataSet(
    string Name, string Source, ImageSet Training, ImageSet Validation, ImageSet Test, IReadOnlyDictionary<string, string> Checksums)
{
    /// <summary>What the test images are, where accuracy on them is told: "test", or a part such as "first 1,000 test images".</summary>
    public string TestName { get; init; } = "test";
}
