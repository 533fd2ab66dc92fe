using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp.Comparison;

/// <summary>LeNet-5 with a ReLU after each pooling, as AdmmKit's "lenet5-relu", with the names of its layers.</summary>
internal sealed class LeNet5Module : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1 = nn.Conv2d(1, 20, 5);
    private readonly Conv2d conv2 = nn.Conv2d(20, 50, 5);
    private readonly Linear fc1 = nn.Linear(800, 500);
    private readonly Linear fc2 = nn.Linear(500, 10);

    public LeNet5Module()
        : base("lenet5-relu") => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        Tensor x = nn.functional.relu(nn.functional.max_pool2d(conv1.call(input), 2));
        x = nn.functional.relu(nn.functional.max_pool2d(conv2.call(x), 2));
        return fc2.call(nn.functional.relu(fc1.call(x.flatten(1))));
    }
}
