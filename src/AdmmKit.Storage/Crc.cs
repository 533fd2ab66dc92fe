namespace AdmmKit.Storage;

/// <summary>Cyclic checksums.</summary>
internal static class Crc
{
    private static readonly uint[] Table = BuildTable();

    /// <summary>CRC-32 as in zip, PNG and Ethernet: polynomial 0x04C11DB7, reflected, initial value and final xor all ones.</summary>
    public static uint Compute32(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc = Table[(byte)(crc ^ b)] ^ (crc >> 8);
        }

        return ~crc;
    }

    /// <summary>
    /// CRC-16 of CCITT: polynomial 0x1021, highest bit first, initial value all ones. It finds any three
    /// wrong bits of 4,095 bytes, its own among them.
    /// </summary>
    public static ushort Compute16(ReadOnlySpan<byte> bytes)
    {
        int crc = ushort.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b << 8;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 0x8000) != 0 ? ((crc << 1) ^ 0x1021) & ushort.MaxValue : crc << 1;
            }
        }

        return (ushort)crc;
    }

    private static uint[] BuildTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint c = i;
            for (int bit = 0; bit < 8; bit++)
            {
                c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            }

            table[i] = c;
        }

        return table;
    }
}
