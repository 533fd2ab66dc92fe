using System.Text.Json.Nodes;

namespace AdmmKit.Hardware.Platforms;

/// <content>The platform known by its parts.</content>
public static partial class PlatformFile
{
    private static StructuralPlatform ReadStructural(JsonFields file)
    {
        // Numbers of processing elements and frequencies follow from area and delay here: given twice they could contradict.
        file.Allow([.. CommonKeys.Except(["pesDense", "pesSparse", "frequencyMHz"]), "structure"]);
        JsonFields parts = file.Object("structure");
        parts.Allow(
            "areaMm2", "sramUm2PerBit", "densePeUm2", "sparsePeUm2", "densePeNanoseconds", "sparsePeNanoseconds", "weightBits",
            "activationBits");
        PlatformResources resources = ReadResources(file);
        if (resources.IndexBits is null)
        {
            throw file.Error("indexBits", "is missing; a structural platform needs the bits of a survivor's index, 0 to 64");
        }

        if (resources is { SramKiB: not null, BandwidthGBPerSecond: null })
        {
            throw file.Error("bandwidthGBPerSecond", "is missing; weights that sramKiB does not hold come from outside");
        }

        return new StructuralPlatform
        {
            Name = file.Text("name"),
            Description = file.Text("description", ""),
            Source = file.Text("source", ""),
            Resources = resources,
            Energy = ReadEnergy(file),
            Structure = new ChipStructure(
                parts.Positive("areaMm2", 1e6), parts.Number("sramUm2PerBit", 0, 1e6), parts.Positive("densePeUm2", 1e9),
                parts.Positive("sparsePeUm2", 1e9), parts.Positive("densePeNanoseconds", 1e6), parts.Positive("sparsePeNanoseconds", 1e6),
                (int)parts.Integer("weightBits", 1, 64), (int)parts.Integer("activationBits", 1, 64)),
        };
    }

    private static JsonObject Body(StructuralPlatform platform) => new()
    {
        ["areaMm2"] = platform.Structure.AreaMm2,
        ["sramUm2PerBit"] = platform.Structure.SramUm2PerBit,
        ["densePeUm2"] = platform.Structure.DensePeUm2,
        ["sparsePeUm2"] = platform.Structure.SparsePeUm2,
        ["densePeNanoseconds"] = platform.Structure.DensePeNanoseconds,
        ["sparsePeNanoseconds"] = platform.Structure.SparsePeNanoseconds,
        ["weightBits"] = platform.Structure.WeightBits,
        ["activationBits"] = platform.Structure.ActivationBits,
    };
}
