using AdmmKit.Networks;

namespace AdmmKit.Engine.Data;

/// <summary>Digits that the program draws itself. For now the pictures are blank.</summary>
public static class SyntheticDigits
{
    /// <summary>Number of training images, validation included, that are drawn unless said otherwise.</summary>
    public const int DefaultTraining = 60_000;

    /// <summary>Number of test images that are drawn unless said otherwise.</summary>
    public const int DefaultTest = 10_000;

    /// <summary>Draws.</summary>
    public static DataSet Create(ulong seed, int training = DefaultTraining, int test = DefaultTest, int validation = 5000, CancellationToken cancellationToken = default)
    {
        var s = new ImageSet(new ImageShape(1, 28, 28), 10, new byte[784 * training], new byte[training]);
        var t = new ImageSet(new ImageShape(1, 28, 28), 10, new byte[784 * test], new byte[test]);
        return new DataSet("synthetic digits", "", s.Slice(0, training - validation), s.Slice(training - validation, validation), t, new Dictionary<string, string>());
    }
}
