
namespace AdmmKit.Experiments.Accounting;

/// <summary>The tables that follow from architectures, printed numbers and simulation, without training.</summary>
public static class AccountingTables
{
    private static readonly Dictionary<string, Func<AccountingTable>> Tables = new(StringComparer.Ordinal)
    {
        ["table2"] = PruningTables.Table2,
        ["table3"] = PruningTables.Table3,
        ["table4"] = PruningTables.Table4,
        ["table6"] = SizeTable.Create,
        ["table7"] = PruningTables.Table7,
        ["table8"] = ComputationTable.Create,
        ["table9"] = SpeedupTable.Create,
        ["section4.3"] = OnChipTable.Create,
        ["figure4"] = FigureFourTable.Create,
        ["hardware-fit"] = HardwareFitTable.Create,
        ["simulator"] = SimulatorTable.Create,
    };

    /// <summary>Names that <see cref="Create"/> knows.</summary>
    public static IReadOnlyCollection<string> Names => Tables.Keys;

    /// <summary>Recomputes a table.</summary>
    /// <param name="table">One of <see cref="Names"/>.</param>
    /// <exception cref="AdmmKitException">There is no such table here; the nearest name is suggested.</exception>
    public static AccountingTable Create(string table) => Tables.TryGetValue(table, out var create)
        ? create()
        : throw new AdmmKitException(AdmmKit.Names.Unknown("table", table, Names));
}
