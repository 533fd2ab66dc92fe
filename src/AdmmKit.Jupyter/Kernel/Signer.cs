using System.Security.Cryptography;
using System.Text;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>
/// Signatures of Jupyter's messages: HMAC-SHA256 over the four JSON parts one after another, in lower-case hexadecimal digits. With an
/// empty key messages are not signed.
/// </summary>
/// <param name="key">The key of the connection file.</param>
internal sealed class Signer(string key)
{
    // A signed message that comes again was recorded and sent by somebody else. So many are remembered.
    private const int Remembered = 1 << 14;

    private readonly byte[] key = Encoding.UTF8.GetBytes(key);
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private readonly Queue<string> order = new();

    /// <summary>The signature of a message's parts.</summary>
    public byte[] Sign(params ReadOnlySpan<byte[]> parts)
    {
        if (key.Length == 0)
        {
            return [];
        }

        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        foreach (byte[] part in parts)
        {
            hmac.AppendData(part);
        }

        return Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hmac.GetHashAndReset()));
    }

    /// <summary>Whether a message is the key holder's, and new.</summary>
    /// <param name="signature">What it says.</param>
    /// <param name="parts">Its parts.</param>
    public bool Accepts(byte[] signature, params ReadOnlySpan<byte[]> parts)
    {
        if (key.Length == 0)
        {
            return true;
        }

        if (!CryptographicOperations.FixedTimeEquals(Sign(parts), signature))
        {
            return false;
        }

        string text = Encoding.ASCII.GetString(signature);
        if (!seen.Add(text))
        {
            return false;
        }

        order.Enqueue(text);
        if (order.Count > Remembered)
        {
            seen.Remove(order.Dequeue());
        }

        return true;
    }
}
