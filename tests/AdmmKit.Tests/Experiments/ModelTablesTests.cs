using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Pictures;
using AdmmKit.Networks;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;
using AdmmKit.Tests.Storage;

namespace AdmmKit.Tests.Experiments;

public class ModelTablesTests
{
    [Fact]
    public void The_five_sizes_stand_together()
    {
        CompressedNetwork model = RandomNetworks.Create(1);
        ModelSizes sizes = ModelSizes.Of(model);
        Table table = ModelTables.Sizes(model, "sizes");
        Assert.Equal("sizes", table.Title);
        double[] expected = [sizes.WeightDataBits, sizes.PaperBits, sizes.RelativeBits, sizes.FileBits, sizes.BoundBits];
        Assert.Equal(expected.Select(b => Math.Round(b / 8, 1)), table.Rows.Select(r => (double)r[1].Value!));
        double dense = 4.0 * model.Spec.WeightCount, all = dense + (4.0 * model.Spec.BiasCount);
        Assert.Equal([dense, dense, dense, all, dense], table.Rows.Select((r, i) => (double)r[2].Value! * expected[i] / 8), (a, b) => Math.Abs(a - b) < 1e-6 * a);
        var file = new MemoryStream();
        model.Write(file);
        Assert.Equal((double)file.Length, table.Rows[3][1].Value);
    }

    [Fact]
    public void Layers_and_what_is_left_of_their_structure_are_counted()
    {
        // Of 3 outputs the middle one keeps nothing; of 4 inputs the last one is never read.
        NetworkSpec spec = NetworkSpec.LeNet300100(NetworkSpec.Mnist, 3);
        CompressedLayer[] layers = [.. spec.Layers.Select(l => CompressedLayer.Unquantized(l, [0], [1f], new float[l.Rows]))];
        LayerInfo last = spec.Layers[2];
        layers[2] = CompressedLayer.Unquantized(last, [0, 1, last.Columns * 2], [1f, -2f, 3f], new float[3]);
        var model = new CompressedNetwork(spec, layers);

        IReadOnlyList<TableCell> row = ModelTables.Structure(model).Rows[2];
        Assert.Equal(["fc3", 3, 1, 1.0, 2, 100, 98], row.Select(c => c.Value));
        row = ModelTables.Layers(model).Rows[2];
        Assert.Equal(["fc3", "3x100", 300, 3, 1.0, 60.0], row.Take(6).Select(c => c.Value));
        Assert.Equal(100, ModelTables.Layers(model).Rows.Sum(r => (double)r[6].Value!), 1e-9);
        Assert.Equal([CompressedLayer.FloatBits, null], row.Skip(7).Select(c => c.Value));
        Assert.All(ModelTables.Layers(RandomNetworks.Create(1)).Rows.Zip(RandomNetworks.Create(1).Layers), p =>
            Assert.Equal(p.Second.IsQuantized ? p.Second.Q : null, p.First[8].Value));
    }

    [Fact]
    public void Images_stand_side_by_side()
    {
        ImageSet images = SyntheticDigits.Create(1, 10, 20, 1).Test;
        HeatMap picture = ImagePicture.Of(images, 3, 2);
        Assert.Equal((28, 57), (picture.Rows, picture.Columns));
        ReadOnlySpan<float> cells = picture.Values.Span;
        for (int y = 0; y < 28; y++)
        {
            Assert.True(float.IsNaN(cells[(y * 57) + 28]));
            for (int x = 0; x < 28; x++)
            {
                Assert.Equal(images.Pixels.Span[(3 * 784) + (y * 28) + x] / 255f, cells[(y * 57) + x]);
                Assert.Equal(images.Pixels.Span[(4 * 784) + (y * 28) + x] / 255f, cells[(y * 57) + 29 + x]);
            }
        }

        Assert.Contains(FormattableString.Invariant($"{images.Labels.Span[3]}, {images.Labels.Span[4]}"), picture.Title, StringComparison.Ordinal);
        picture.ToSvg();
        foreach ((int first, int count) in new[] { (-1, 1), (0, 0), (20, 1), (19, 2), (int.MaxValue, 1), (0, int.MaxValue) })
        {
            Assert.Contains("the set has 20", Assert.Throws<AdmmKitException>(() => ImagePicture.Of(images, first, count)).Message, StringComparison.Ordinal);
        }
    }
}
