namespace AdmmKit.Networks;

/// <summary>Networks of the paper's other tables, and those that are small enough to train on a CPU.</summary>
public static class NetworkLibrary
{
    // Of ImageNet's training images; the usual choice for CIFAR-10 too.
    private static readonly float[] Means = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Deviations = [0.229f, 0.224f, 0.225f];

    /// <summary>
    /// AlexNet with two groups in conv2, conv4 and conv5, as Caffe's BVLC model has it: 60.95M weights on 227 x 227 images.
    /// </summary>
    /// <param name="input">Shape of one image.</param>
    /// <param name="classes">Number of classes; 1,000 in the paper.</param>
    /// <param name="caffeNet">Whether pooling comes before response normalization: the architecture "caffenet".</param>
    public static NetworkSpec AlexNet(ImageShape input, int classes, bool caffeNet = false)
    {
        Node[] shrink = caffeNet
            ? [new Node.Relu(), new Node.MaxPool(3, 2), new Node.LocalResponseNorm()]
            : [new Node.Relu(), new Node.LocalResponseNorm(), new Node.MaxPool(3, 2)];
        return new NetworkSpec(caffeNet ? "caffenet" : "alexnet", input,
        [
            new Node.Convolution("conv1", 96, 11, Stride: 4),
            .. shrink,
            new Node.Convolution("conv2", 256, 5, Padding: 2, Groups: 2),
            .. shrink,
            new Node.Convolution("conv3", 384, 3, Padding: 1),
            new Node.Relu(),
            new Node.Convolution("conv4", 384, 3, Padding: 1, Groups: 2),
            new Node.Relu(),
            new Node.Convolution("conv5", 256, 3, Padding: 1, Groups: 2),
            new Node.Relu(),
            new Node.MaxPool(3, 2),
            .. Classifier(4096, 4096, classes),
        ]);
    }

    /// <summary>VGG-16 (configuration D of Simonyan and Zisserman 2015): 138.3M weights on 224 x 224 images.</summary>
    /// <param name="input">Shape of one image.</param>
    /// <param name="classes">Number of classes; 1,000 in the paper.</param>
    public static NetworkSpec Vgg16(ImageShape input, int classes) => new("vgg16", input,
    [
        .. VggStage(1, 64, 2), .. VggStage(2, 128, 2), .. VggStage(3, 256, 3), .. VggStage(4, 512, 3), .. VggStage(5, 512, 3),
        .. Classifier(4096, 4096, classes),
    ]);

    /// <summary>A small VGG for 32 x 32 images: six convolutions with batch normalization, two fully connected layers.</summary>
    /// <param name="input">Shape of one image.</param>
    /// <param name="classes">Number of classes.</param>
    public static NetworkSpec VggSmall(ImageShape input, int classes) => new("vgg-small", input,
    [
        new Node.Standardize(Means, Deviations),
        .. VggStage(1, 64, 2, normalized: true), .. VggStage(2, 128, 2, normalized: true), .. VggStage(3, 256, 2, normalized: true),
        new Node.FullyConnected("fc1", 512),
        new Node.Relu(),
        new Node.Dropout(0.5),
        new Node.FullyConnected("fc2", classes),
    ]);

    /// <summary>
    /// The residual network of depth 6n + 2 for CIFAR-10 (He et al. 2016, sec. 4.2) with shortcuts without weights; ResNet-20 has
    /// 268,336 weights for 10 classes. Pixels are standardized first. Layers are named as in the usual PyTorch models.
    /// </summary>
    /// <param name="depth">6n + 2: 20, 32, 44, 56, 110 ...</param>
    /// <param name="input">Shape of one image.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="AdmmKitException">The depth is not 6n + 2.</exception>
    public static NetworkSpec ResNet(int depth, ImageShape input, int classes)
    {
        int blocks = (depth - 2) / 6;
        if (blocks < 1 || depth != (6 * blocks) + 2)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"A residual network for small images has a depth of 6n + 2 (8, 14, 20, 32 ...), not {depth}: take {(6 * Math.Max(1, blocks)) + 2}."));
        }

        var net = new NetworkBuilder(FormattableString.Invariant($"resnet{depth}"), input);
        net.Add(new Node.Standardize(Means, Deviations));
        Normalized(net, new Node.Convolution("conv1", 16, 3, Padding: 1, Biased: false), "bn1");
        int last = net.Add(new Node.Relu());
        for (int stage = 0; stage < 3; stage++)
        {
            int filters = 16 << stage;
            for (int block = 0; block < blocks; block++)
            {
                string name = FormattableString.Invariant($"layer{stage + 1}.{block}.");
                int stride = stage > 0 && block == 0 ? 2 : 1;
                int shortcut = stride == 1 ? last : net.Add(new Node.Shortcut(filters, stride), last);
                Normalized(net, new Node.Convolution(name + "conv1", filters, 3, stride, 1, Biased: false), name + "bn1", last);
                net.Add(new Node.Relu());
                int body = Normalized(net, new Node.Convolution(name + "conv2", filters, 3, Padding: 1, Biased: false), name + "bn2");
                net.Add(new Node.Add(), body, shortcut);
                last = net.Add(new Node.Relu());
            }
        }

        net.Add(new Node.GlobalAveragePool());
        net.Add(new Node.FullyConnected("linear", classes));
        return net.Build();
    }

    /// <summary>
    /// ResNet-50 (He et al. 2016) as published for Caffe: a bottleneck strides in its first 1x1 convolution; layers are named as
    /// there. 25.5M weights on 224 x 224 images. The first pooling is padded, where Caffe rounds its size up.
    /// </summary>
    /// <param name="input">Shape of one image.</param>
    /// <param name="classes">Number of classes; 1,000 in the paper.</param>
    public static NetworkSpec ResNet50(ImageShape input, int classes)
    {
        var net = new NetworkBuilder("resnet50", input);
        Normalized(net, new Node.Convolution("conv1", 64, 7, 2, 3, Biased: false), "bn_conv1");
        net.Add(new Node.Relu());
        int last = net.Add(new Node.MaxPool(3, 2, 1));
        int[] blocks = [3, 4, 6, 3];
        for (int stage = 0; stage < blocks.Length; stage++)
        {
            int width = 64 << stage;
            for (int block = 0; block < blocks[stage]; block++)
            {
                string name = FormattableString.Invariant($"{stage + 2}{(char)('a' + block)}_branch");
                int stride = stage > 0 && block == 0 ? 2 : 1;
                int shortcut = last;
                if (block == 0)
                {
                    shortcut = Normalized(net, Bottleneck("1", 4 * width, 1, stride), $"bn{name}1", last);
                }

                Normalized(net, Bottleneck("2a", width, 1, stride), $"bn{name}2a", last);
                net.Add(new Node.Relu());
                Normalized(net, Bottleneck("2b", width, 3, 1), $"bn{name}2b");
                net.Add(new Node.Relu());
                int body = Normalized(net, Bottleneck("2c", 4 * width, 1, 1), $"bn{name}2c");
                net.Add(new Node.Add(), body, shortcut);
                last = net.Add(new Node.Relu());

                Node.Convolution Bottleneck(string part, int filters, int kernel, int by) =>
                    new($"res{name}{part}", filters, kernel, by, kernel / 2, Biased: false);
            }
        }

        net.Add(new Node.GlobalAveragePool());
        net.Add(new Node.FullyConnected("fc1000", classes));
        return net.Build();
    }

    private static int Normalized(NetworkBuilder net, Node.Convolution convolution, string norm, params int[] from)
    {
        net.Add(convolution, from);
        return net.Add(new Node.BatchNorm(norm));
    }

    private static IEnumerable<Node> VggStage(int stage, int filters, int convolutions, bool normalized = false)
    {
        for (int i = 1; i <= convolutions; i++)
        {
            string number = FormattableString.Invariant($"{stage}_{i}");
            yield return new Node.Convolution("conv" + number, filters, 3, Padding: 1, Biased: !normalized);
            if (normalized)
            {
                yield return new Node.BatchNorm("bn" + number);
            }

            yield return new Node.Relu();
        }

        yield return new Node.MaxPool(2);
    }

    private static IEnumerable<Node> Classifier(int first, int second, int classes) =>
    [
        new Node.FullyConnected("fc1", first), new Node.Relu(), new Node.Dropout(0.5),
        new Node.FullyConnected("fc2", second), new Node.Relu(), new Node.Dropout(0.5),
        new Node.FullyConnected("fc3", classes),
    ];
}
