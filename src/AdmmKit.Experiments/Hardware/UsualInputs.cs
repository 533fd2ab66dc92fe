using AdmmKit.Networks;

namespace AdmmKit.Experiments.Hardware;

/// <summary>Networks on the images that they are usually used for, where nobody says which: their layers' MACs depend on it.</summary>
public static class UsualInputs
{
    /// <summary>A network of the library on digits, small colour images, or ImageNet with its 1,000 classes.</summary>
    /// <param name="architecture">One of <see cref="NetworkSpec.Architectures"/>.</param>
    /// <exception cref="AdmmKitException">The name is unknown.</exception>
    public static NetworkSpec Network(string architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        (ImageShape input, int classes) = architecture switch
        {
            _ when architecture.StartsWith("lenet", StringComparison.Ordinal) => (NetworkSpec.Mnist, 10),
            // As Caffe crops them.
            "alexnet" or "caffenet" => (new ImageShape(3, 227, 227), 1000),
            "vgg16" or "resnet50" => (NetworkSpec.ImageNet, 1000),
            _ => (NetworkSpec.Cifar, 10),
        };
        return NetworkSpec.Create(architecture, input, classes);
    }
}
