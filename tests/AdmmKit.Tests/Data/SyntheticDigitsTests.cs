using AdmmKit.Engine.Data;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Data;

public class SyntheticDigitsTests
{
    private static readonly DataSet Data = SyntheticDigits.Create(1, 5000, 2000, 500);

    private static ReadOnlySpan<byte> Picture(ImageSet set, int i) => set.Pixels.Span.Slice(i * set.Shape.Size, set.Shape.Size);

    [Fact]
    public void The_splits_have_the_sizes_asked_for()
    {
        Assert.Equal((4500, 500, 2000), (Data.Training.Count, Data.Validation.Count, Data.Test.Count));
        Assert.Equal((new ImageShape(1, 28, 28), 10), (Data.Test.Shape, Data.Test.Classes));
        Assert.Equal("synthetic digits", Data.Name);
        Assert.Contains("not MNIST", Data.Source, StringComparison.Ordinal);
        Assert.All(Data.Checksums.Values, sum => Assert.Matches("^[0-9a-f]{64}$", sum));
    }

    [Theory]
    [InlineData(0, 10, 1)]
    [InlineData(5, 10, 5)]
    [InlineData(5, 0, 1)]
    [InlineData(5, 10, 0)]
    [InlineData(int.MaxValue, 10, 1)]
    public void Splits_that_cannot_be_are_refused(int training, int test, int validation)
    {
        var e = Assert.Throws<AdmmKitException>(() => SyntheticDigits.Create(1, training, test, validation));
        Assert.Contains("each split needs", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_same_seed_draws_the_same_pictures_whatever_the_threads_and_sizes(int threads)
    {
        DataSet again = SyntheticDigits.Create(1, 700, 300, 10, threads, CancellationToken.None);
        Assert.True(again.Training.Pixels.Span.SequenceEqual(Data.Training.Pixels.Span[..again.Training.Pixels.Length]));
        Assert.True(again.Test.Pixels.Span.SequenceEqual(Data.Test.Pixels.Span[..again.Test.Pixels.Length]));
        Assert.True(again.Test.Labels.Span.SequenceEqual(Data.Test.Labels.Span[..300]));
    }

    [Fact]
    public void Another_seed_and_the_other_split_draw_other_pictures()
    {
        DataSet other = SyntheticDigits.Create(2, 200, 200, 10);
        Assert.False(Picture(other.Training, 0).SequenceEqual(Picture(Data.Training, 0)));
        Assert.False(Picture(Data.Test, 0).SequenceEqual(Picture(Data.Training, 0)));
        Assert.NotEqual(Data.Checksums["test pixels"], other.Checksums["test pixels"]);
    }

    [Fact]
    public void A_data_set_is_drawn_again_from_what_it_says_of_itself()
    {
        DataSet data = SyntheticDigits.Create(ulong.MaxValue, 40, 30, 5);
        DataSet again = SyntheticDigits.Again(data.Source)!;
        Assert.Equal((data.Name, data.Source), (again.Name, again.Source));
        Assert.Equal(data.Checksums, again.Checksums);
        Assert.True(again.Test.Labels.Span.SequenceEqual(data.Test.Labels.Span));
        foreach (string other in new[] { "", "MNIST as published.", data.Source + " ", data.Source.Replace("40", "99999999999", StringComparison.Ordinal) })
        {
            Assert.Null(SyntheticDigits.Again(other));
        }
    }

    [Fact]
    public void Every_picture_is_different_and_has_ink_and_paper()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < Data.Test.Count; i++)
        {
            ReadOnlySpan<byte> picture = Picture(Data.Test, i);
            Assert.True(seen.Add(Convert.ToBase64String(picture)));
            int dark = 0;
            int paper = 0;
            foreach (byte b in picture)
            {
                dark += b >= 100 ? 1 : 0;
                paper += b < 30 ? 1 : 0;
            }

            Assert.InRange(dark, 8, 350);
            Assert.InRange(paper, 350, 776);
        }
    }

    [Fact]
    public void Classes_are_balanced()
    {
        var counts = new int[10];
        foreach (byte label in Data.Training.Labels.Span)
        {
            counts[label]++;
        }

        // 450 expected, standard deviation 20.
        Assert.All(counts, count => Assert.InRange(count, 350, 550));
    }

    [Fact]
    public void The_nearest_mean_is_right_often_but_not_nearly_always()
    {
        int size = Data.Training.Shape.Size;
        var means = new double[10, size];
        var counts = new int[10];
        for (int i = 0; i < Data.Training.Count; i++)
        {
            int label = Data.Training.Labels.Span[i];
            counts[label]++;
            for (int p = 0; p < size; p++)
            {
                means[label, p] += Picture(Data.Training, i)[p];
            }
        }

        int right = 0;
        for (int i = 0; i < Data.Test.Count; i++)
        {
            ReadOnlySpan<byte> picture = Picture(Data.Test, i);
            (double best, int nearest) = (double.MaxValue, -1);
            for (int digit = 0; digit < 10; digit++)
            {
                double distance = 0;
                for (int p = 0; p < size; p++)
                {
                    double d = picture[p] - (means[digit, p] / counts[digit]);
                    distance += d * d;
                }

                (best, nearest) = distance < best ? (distance, digit) : (best, nearest);
            }

            right += nearest == Data.Test.Labels.Span[i] ? 1 : 0;
        }

        Assert.InRange((double)right / Data.Test.Count, 0.60, 0.95);
    }

    [Fact]
    public void Drawing_can_be_stopped()
    {
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => SyntheticDigits.Create(1, cancellationToken: stopped.Token));
    }

    [Fact]
    public void Every_digit_has_several_styles_inside_their_box()
    {
        Assert.Equal(10, DigitStrokes.Styles.Length);
        Assert.All(DigitStrokes.Styles, styles => Assert.True(styles.Length >= 4));
        Assert.All(DigitStrokes.Styles.SelectMany(styles => styles).SelectMany(style => style.Strokes), stroke =>
        {
            Assert.All(stroke.X.Concat(stroke.Y), v => Assert.InRange(v, -0.02, 1.02));
            Assert.InRange(stroke.X.Length, 2, 20);
        });
    }
}
