using AdmmKit.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp.Tests;

/// <summary>A network that AdmmKit has no architecture of: a residual block with grouped and depthwise convolutions.</summary>
internal sealed class ResidualModule : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d stem;
    private readonly BatchNorm2d stemNorm;
    private readonly Sequential block;
    private readonly Conv2d shortcut;
    private readonly nn.Module<Tensor, Tensor> dropout;
    private readonly Linear classifier;

    public ResidualModule(ulong seed = 1, double dropoutRate = 0)
        : base("residual")
    {
        torch.random.manual_seed((long)seed);
        stem = nn.Conv2d(1, 12, 3, stride: 2, padding: 1L, bias: false);
        stemNorm = nn.BatchNorm2d(12);
        block = nn.Sequential(
            ("depthwise", nn.Conv2d(12, 12, 3, padding: 1L, groups: 12, bias: false)),
            ("norm1", nn.BatchNorm2d(12)),
            ("relu", nn.ReLU()),
            ("grouped", nn.Conv2d(12, 24, 3, stride: 2, padding: 1L, groups: 3, bias: false)),
            ("norm2", nn.BatchNorm2d(24)));
        shortcut = nn.Conv2d(12, 24, 1, stride: 2);
        dropout = nn.Dropout(dropoutRate);
        classifier = nn.Linear(24 * 7 * 7, 10);
        RegisterComponents();
    }

    /// <summary>The same as a graph.</summary>
    public static NetworkSpec Graph
    {
        get
        {
            var graph = new NetworkBuilder("residual", NetworkSpec.Mnist);
            graph.Add(new Node.Convolution("stem", 12, 3, 2, 1, Biased: false));
            graph.Add(new Node.BatchNorm("stemNorm"));
            int x = graph.Add(new Node.Relu());
            graph.Add(new Node.Convolution("block.depthwise", 12, 3, 1, 1, Groups: 12, Biased: false));
            graph.Add(new Node.BatchNorm("block.norm1"));
            graph.Add(new Node.Relu());
            graph.Add(new Node.Convolution("block.grouped", 24, 3, 2, 1, Groups: 3, Biased: false));
            int block = graph.Add(new Node.BatchNorm("block.norm2"));
            int shortcut = graph.Add(new Node.Convolution("shortcut", 24, 1, 2), x);
            graph.Add(new Node.Add(), block, shortcut);
            graph.Add(new Node.Relu());
            graph.Add(new Node.FullyConnected("classifier", 10));
            return graph.Build();
        }
    }

    public override Tensor forward(Tensor input)
    {
        Tensor x = nn.functional.relu(stemNorm.call(stem.call(input)));
        Tensor sum = block.call(x) + shortcut.call(x);
        return classifier.call(dropout.call(nn.functional.relu(sum).flatten(1)));
    }
}

/// <summary>What can go wrong with a module, and what is left alone in one.</summary>
internal sealed class OddModule : nn.Module<Tensor, Tensor>
{
    private readonly Conv1d before;
    private readonly LayerNorm norm;
    private readonly Linear fc;
    private readonly Linear unused;
    private readonly bool useUnused;

    public OddModule(bool useUnused = true)
        : base("odd")
    {
        this.useUnused = useUnused;
        before = nn.Conv1d(1, 2, 3, padding: 1L);
        norm = nn.LayerNorm([8]);
        fc = nn.Linear(16, 3);
        unused = nn.Linear(3, 3, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        Tensor x = fc.call(norm.call(before.call(input)).flatten(1));
        return useUnused ? unused.call(x) : x;
    }
}
