using AdmmKit.Storage;

namespace AdmmKit.Experiments.Accounting;

/// <summary>Sec. 4.3 of [Ren2019]: do the compressed AlexNet and VGG-16 fit into the memory of the FPGAs that it names?</summary>
internal static class OnChipTable
{
    private const string Ds180 = "Xilinx DS180, 7 Series FPGAs Data Sheet: Overview";
    private const string Sv51001 = "Intel SV51001, Stratix V Device Overview";

    /// <summary>A device and how much it can hold on the chip.</summary>
    private sealed record Device(string Name, double Bytes, string Source);

    // Block RAMs of 36 Kb (1 Kb is 1,024 bits), parity bits included: ports of 9, 18, 36 and 72 bits use them for data.
    private static readonly Device[] Kintex7 =
    [
        Xilinx("XC7K70T", 135), Xilinx("XC7K160T", 325), Xilinx("XC7K325T", 445), Xilinx("XC7K355T", 715),
        Xilinx("XC7K410T", 795), Xilinx("XC7K420T", 835), Xilinx("XC7K480T", 955),
    ];

    private static readonly Device[] Virtex7 =
    [
        Xilinx("XC7V585T", 795), Xilinx("XC7V2000T", 1292), Xilinx("XC7VX330T", 750), Xilinx("XC7VX415T", 880),
        Xilinx("XC7VX485T", 1030), Xilinx("XC7VX550T", 1180), Xilinx("XC7VX690T", 1470), Xilinx("XC7VX980T", 1500),
        Xilinx("XC7VX1140T", 1880), Xilinx("XC7VH580T", 940), Xilinx("XC7VH870T", 1410),
    ];

    // The board has one Stratix V GX 5SGXEA7: 2,560 M20K blocks of 20,480 bits and 11,736 MLABs of 640 bits.
    private static readonly Device[] De5 =
    [
        new("DE5-Net, 5SGXEA7, M20K", 2560 * 20_480 / 8.0, Sv51001),
        new("DE5-Net, 5SGXEA7, M20K and all MLABs", ((2560 * 20_480) + (11_736 * 640)) / 8.0, Sv51001),
    ];

    public static AccountingTable Create()
    {
        var table = new AccountingTable("section4.3", "Sec. 4.3: AlexNet and VGG-16 on the chip");
        Model(table, "AlexNet", NetworkTable.AlexNet, "60.9M", "244MB", "2.45MB", "99x", PruningTables.AlexNetTotal, null);
        Model(table, "VGG-16", NetworkTable.Vgg16, "138M", "552MB", "8.3MB", "66.5x", null, SizeTable.RoundedVgg);
        Family(table, "Xilinx Kintex-7 holds AlexNet", Kintex7, AccountedModels.AlexNetAs7, "2.45MB", null);
        Family(table, "Xilinx Virtex-7 holds VGG-16", Virtex7, AccountedModels.VggEqual, "8.3MB", null);
        Family(table, "Altera DE-5 holds VGG-16", De5, AccountedModels.VggEqual, "8.3MB",
            "The Stratix V of that board has 6.55 MB in its M20K blocks; with every MLAB, which are made of logic cells, it is 7.49 MB.");
        table.Note("1 stands for yes, 0 for no. fitsPrinted is about the size in the paper, fitsWeightData about the values alone; the "
            + "others are the sizes of table6, of the splits \"as Table 7\" (AlexNet) and \"equal densities\" (VGG-16).");
        table.Note("All of a chip's block memory counts for weights here. A design also buffers activations there, so a model that just "
            + "fits leaves too little: the largest output of a layer of VGG-16 has 3.2 million numbers.");
        table.Note("Of Virtex-7 only the XC7VX1140T (8.66 MB) holds the printed 8.3 MB; the next largest has 6.91 MB. Of Kintex-7 four "
            + "of seven hold 2.45 MB; the XC7K325T (2.05 MB) does not.");
        table.Note($"Capacities: {Ds180}; {Sv51001}. \"DE-5\" is read as Terasic's DE5-Net board. The paper names no ASIC to check.");
        return table;
    }

    private static Device Xilinx(string name, int blocks) => new(name, blocks * 36 * 1024 / 8.0, Ds180);

    private static void Model(
        AccountingTable table, string row, NetworkTable network, string weights, string dense, string compressed, string ratio,
        string? whyWeights, string? whyDense)
    {
        double bytes = 4.0 * network.WeightCount;
        table.Add(row, "weights", "", weights, (double)network.WeightCount, "layer table", whyWeights);
        table.Add(row, "denseBytes", "B", dense, bytes, "layer table x 4 bytes", whyDense);
        table.Add(row, "paperBytes", "B", compressed, bytes / Bounded.Printed(ratio), "layer table / printed compressionRatio of Table 6");
    }

    private static void Family(AccountingTable table, string row, Device[] devices, AccountedModel model, string printed, string? why)
    {
        ModelSizes sizes = model.Sizes;
        (string Name, double Bytes)[] ways =
        [
            ("Printed", Bounded.Printed(printed).Value), ("WeightData", sizes.WeightDataBits / 8.0), ("Paper", sizes.PaperBits / 8.0),
            ("Relative", sizes.RelativeBits / 8.0), ("File", sizes.FileBits / 8.0), ("Bound", sizes.BoundBits / 8),
        ];
        foreach ((string name, double bytes) in ways)
        {
            bool print = name == "Printed";
            double fits = Flag(devices.Any(d => d.Bytes >= bytes));
            table.Add(row, "fits" + name, "", print ? "1" : null, fits, "largest device", print ? why : null);
        }

        foreach (Device device in devices)
        {
            table.Add(device.Name, "capacityBytes", "B", null, device.Bytes, device.Source);
            foreach ((string name, double bytes) in ways)
            {
                table.Add(device.Name, "fits" + name, "", null, Flag(device.Bytes >= bytes), row);
            }
        }
    }

    private static double Flag(bool fits) => fits ? 1 : 0;
}
