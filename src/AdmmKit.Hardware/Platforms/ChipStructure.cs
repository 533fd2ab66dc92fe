namespace AdmmKit.Hardware.Platforms;

/// <summary>What a chip is made of, the same area dense and sparse: sec. 5.1 in [Ren2019].</summary>
/// <param name="AreaMm2">Area for processing elements and weight memory together, in mm2.</param>
/// <param name="SramUm2PerBit">Area of a bit of memory, its share of decoders and amplifiers with it, in um2.</param>
/// <param name="DensePeUm2">Area of a processing element for dense layers, in um2.</param>
/// <param name="SparsePeUm2">Area of one that decodes indices, in um2.</param>
/// <param name="DensePeNanoseconds">Delay of its longest path, in ns: it does one multiply-accumulate in that time.</param>
/// <param name="SparsePeNanoseconds">The same of one that decodes indices.</param>
/// <param name="WeightBits">Bits of a weight.</param>
/// <param name="ActivationBits">Bits of an activation.</param>
public sealed record ChipStructure(
    double AreaMm2, double SramUm2PerBit, double DensePeUm2, double SparsePeUm2, double DensePeNanoseconds, double SparsePeNanoseconds,
    int WeightBits, int ActivationBits);
