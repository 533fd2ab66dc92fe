using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Purification;

/// <summary>Small networks of all kinds of steps, with empty rows, empty columns and scattered survivors.</summary>
internal static class RandomGraphs
{
    public static NetworkSpec Spec(ulong seed)
    {
        var random = new RandomStream(seed, "graph");
        var shape = new ImageShape(1 + random.NextInt(2), 9, 8);
        var net = new NetworkBuilder("random", shape);
        int names = 0;
        string Name() => FormattableString.Invariant($"step{++names}");
        void Add(Node node, params int[] from)
        {
            net.Add(node, from);
            shape = node.OutputShape(shape);
        }

        Add(new Node.Convolution(Name(), 4 + (2 * random.NextInt(2)), 3, Padding: random.NextInt(2)));
        for (int step = 0; step < 6; step++)
        {
            (int trunk, ImageShape before) = (net.Last, shape);
            switch (random.NextInt(10))
            {
                case 0 when shape.Width >= 3:
                    int groups = shape.Channels % 2 == 0 ? 1 + random.NextInt(2) : 1;
                    bool biased = random.NextInt(4) > 0;
                    Add(new Node.Convolution(Name(), 4, 3, 1 + random.NextInt(2), random.NextInt(2), groups, biased));
                    break;
                case 1 when shape.Width >= 3:
                    Add(new Node.MaxPool(3, 2, random.NextInt(2)));
                    break;
                case 2 when shape.Width >= 3:
                    Add(random.NextInt(2) == 0 ? new Node.AveragePool(2) : new Node.AveragePool(3, 2, random.NextInt(2), random.NextInt(2) == 0));
                    break;
                case 3:
                    Add(new Node.BatchNorm(Name()));
                    break;
                case 4:
                    Add(new Node.LocalResponseNorm(3, 0.5));
                    break;
                case 5:
                    Add(new Node.Shortcut(shape.Channels + random.NextInt(4), 1));
                    break;
                case 6:
                    Add(new Node.Dropout(0.5));
                    break;
                case 7 when shape.Width >= 2:
                    Add(new Node.Convolution(Name(), shape.Channels, 3, Padding: 1));
                    Add(new Node.Relu());
                    Add(new Node.Add(), net.Last, trunk);
                    break;
                case 8:
                    Add(new Node.Convolution(Name(), 3, 1));
                    int branch = net.Last;
                    net.Add(new Node.Relu(), trunk);
                    net.Add(new Node.Concat(), branch, net.Last, trunk);
                    shape = before with { Channels = 3 + (2 * before.Channels) };
                    break;
                default:
                    Add(new Node.Relu());
                    break;
            }
        }

        if (random.NextInt(3) == 0)
        {
            Add(new Node.GlobalAveragePool());
        }

        Add(new Node.FullyConnected(Name(), 8));
        Add(new Node.Relu());
        Add(new Node.FullyConnected(Name(), 6));
        Add(new Node.Relu());
        Add(new Node.FullyConnected(Name(), 3));
        return net.Build();
    }

    public static NetworkWeights Weights(NetworkSpec spec, ulong seed, double keepFraction = 0.4)
    {
        var random = new RandomStream(seed, "weights of a graph");
        static float[] Draw(int count, Func<int, double> value) => [.. Enumerable.Range(0, count).Select(i => (float)value(i))];
        bool Chance(double p) => random.NextDouble(0, 1) < p;
        HashSet<string> unbiased = [.. spec.Nodes.OfType<Node.Convolution>().Where(c => !c.Biased).Select(c => c.Name)];
        return new NetworkWeights(
            [.. spec.Layers.Select(l =>
            {
                bool[] rows = [.. Enumerable.Range(0, l.Rows).Select(_ => Chance(0.7))];
                bool[] channels = [.. Enumerable.Range(0, l.InputChannels).Select(_ => Chance(0.7))];
                return Enumerable.Range(0, l.WeightCount).Select(j =>
                {
                    float w = (float)random.NextDouble(-0.5, 0.5);
                    return rows[j / l.Columns] && channels[j % l.Columns * l.InputChannels / l.Columns] && Chance(keepFraction) ? w : 0;
                }).ToArray();
            })],
            [.. spec.Layers.Select(l => Draw(l.Rows, _ => unbiased.Contains(l.Name) || Chance(0.3) ? 0 : random.NextDouble(-0.5, 0.5)))])
        {
            // Scales and variances around 1, shifts and means around 0.
            Normalizations =
            [
                .. spec.Normalizations.Select(n => Draw(n.Count, j => random.NextDouble(-0.3, 0.3) + (j / n.Channels is 0 or 3 ? 1 : 0))),
            ],
        };
    }
}
