namespace AdmmKit.Interop;

/// <summary>One layer of a Caffe model, as far as a network's numbers need it.</summary>
/// <param name="Name">Its name, such as "ip1".</param>
/// <param name="Type">Its type as Caffe has named them since 2014, such as "InnerProduct", also where the file has a number for it.</param>
/// <param name="Blobs">Its numbers; in a convolution and a fully connected layer the weights, then the biases if it has any.</param>
/// <param name="Transform">What a layer that reads images does to them; null in all others, and where the file does not say it.</param>
public sealed record CaffeLayer(string Name, string Type, IReadOnlyList<CaffeBlob> Blobs, CaffeTransform? Transform);

/// <summary>Some numbers of a layer.</summary>
/// <param name="Shape">
/// The dimensions, the last one running fastest: filters x channels of a group x rows x columns, outputs x inputs, or outputs; old
/// files have four in any case, the first ones 1.
/// </param>
/// <param name="Values">As many values as the dimensions say; what the file holds in 64 bits is rounded.</param>
public sealed record CaffeBlob(IReadOnlyList<int> Shape, float[] Values);

/// <summary>What a layer does to the images that it reads.</summary>
/// <param name="Scale">What each pixel, 0 to 255, is multiplied by.</param>
/// <param name="SubtractsMean">Whether a mean is subtracted from it before.</param>
public readonly record struct CaffeTransform(float Scale, bool SubtractsMean);
