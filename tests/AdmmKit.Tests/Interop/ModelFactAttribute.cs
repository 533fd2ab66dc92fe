using AdmmKit.Tests.Data;

namespace AdmmKit.Tests.Interop;

/// <summary>A test that needs published networks in a folder "models" beside the one that ADMMKIT_DATA names.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ModelFactAttribute : FactAttribute
{
    /// <summary>ResNet-20 for CIFAR-10 of akamaster/pytorch_resnet_cifar10, with the names of its .th file.</summary>
    public const string ResNet20 = "resnet20_cifar10.safetensors";

    /// <summary>LeNet-300-100 before Dynamic Network Surgery (Guo et al. 2016), of yiwenguo/Dynamic-Network-Surgery.</summary>
    public const string Dense300100 = "dns_lenet300100_original.caffemodel";

    /// <summary>The same network after it.</summary>
    public const string Sparse300100 = "dns_lenet300100_sparse.caffemodel";

    /// <summary>SqueezeNet, as released in songhan/SqueezeNet-Deep-Compression.</summary>
    public const string SqueezeNet = "compressed_SqueezeNet.net";

    private bool mnist;

    public ModelFactAttribute(params string[] files) =>
        Skip = Array.Find(files, f => PathOf(f) is null) is { } missing ? $"No models/{missing} beside the folder of ADMMKIT_DATA" : null;

    /// <summary>Whether the test needs MNIST, too.</summary>
    public bool Mnist
    {
        get => mnist;
        set
        {
            mnist = value;
            Skip ??= value ? new MnistFactAttribute().Skip : null;
        }
    }

    /// <summary>Where a file is; null where it is not.</summary>
    public static string? PathOf(string file)
    {
        string? data = Environment.GetEnvironmentVariable("ADMMKIT_DATA");
        string path = Path.Combine(data ?? "", "..", "models", file);
        return !string.IsNullOrEmpty(data) && File.Exists(path) ? path : null;
    }
}
