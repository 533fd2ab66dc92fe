using System.Runtime.InteropServices;
using System.Text.Json;
using AdmmKit.Training;

namespace AdmmKit.Admm;

/// <summary>Saving and loading where ADMM stands, also in the middle of an iteration.</summary>
public sealed partial class AdmmTrainer
{
    /// <summary>Writes Z, U, rho, the history and the network's own state. May be called between any two training steps.</summary>
    /// <param name="stream">Where to.</param>
    public void SaveState(Stream stream)
    {
        StateRecord.Write(stream, history);
        stream.Write(MemoryMarshal.AsBytes(rho.AsSpan()));
        foreach (float[] array in z.Concat(u))
        {
            stream.Write(MemoryMarshal.AsBytes(array.AsSpan()));
        }

        network.SaveState(stream);
    }

    /// <summary>
    /// Reads what <see cref="SaveState"/> wrote; ADMM then goes on to the same bits. The trainer must be a new one with the
    /// same network, set and options. After an error it cannot be used any more.
    /// </summary>
    /// <param name="stream">Where from.</param>
    /// <exception cref="BadFileException">The bytes are damaged or belong to another network.</exception>
    public void LoadState(Stream stream)
    {
        List<AdmmIteration> saved = StateRecord.Read<List<AdmmIteration>>(stream);
        bool Fits(AdmmIteration? i) => i?.Layers?.Count == constrained.Length && !i.Layers.Contains(null!)
            && i.Warnings is not null && i.Projected is not null == options.Evaluate;
        if (saved.Count > options.Iterations || !saved.All(Fits))
        {
            throw new BadFileException("The state of ADMM cannot be used here: its history does not fit. Start again from an earlier one.");
        }

        try
        {
            foreach (float[] array in z.Concat(u).Prepend(rho))
            {
                stream.ReadExactly(MemoryMarshal.AsBytes(array.AsSpan()));
            }
        }
        catch (EndOfStreamException e)
        {
            throw new BadFileException("The state of ADMM ends too early: it is truncated. Start again from an earlier one.", e);
        }

        if (!rho.All(r => r > 0 && float.IsFinite(r)))
        {
            throw new BadFileException("The state of ADMM cannot be used here: a rho in it is not positive. Start again from an earlier one.");
        }

        network.LoadState(stream);
        int steps = network.StepsDone - (saved.Count * options.StepsPerIteration);
        if (steps < 0 || steps > options.StepsPerIteration)
        {
            throw new BadFileException("The state of ADMM cannot be used here: its step lies in another iteration. Start again from an earlier one.");
        }

        foreach (int i in constrained)
        {
            // The first iteration sets the same penalty again; until then the engine need not hold a target of its own.
            network.SetPenalty(i, Penalty.None);
        }

        constraint.Freeze(network.Layers, z);
        history.Clear();
        history.AddRange(saved);
    }
}

/// <summary>A record within a training state: its length, then JSON, in which numbers come back to the last bit.</summary>
internal static class StateRecord
{
    // A history of thousands of iterations stays far below this.
    private const int MaximumBytes = 16 << 20;

    private static readonly JsonSerializerOptions Options = new()
    {
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
        MaxDepth = 16,
    };

    public static void Write<T>(Stream stream, T value)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(value, Options);
        stream.Write(BitConverter.GetBytes(json.Length));
        stream.Write(json);
    }

    public static T Read<T>(Stream stream)
    {
        try
        {
            Span<byte> length = stackalloc byte[4];
            stream.ReadExactly(length);
            int count = BitConverter.ToInt32(length);
            // A seekable stream knows how much it holds; no memory is taken on the word of the length alone.
            if (count is < 0 or > MaximumBytes || count > stream.Length - stream.Position)
            {
                throw new BadFileException("The training state is damaged: a record in it has an impossible length. Start again from an earlier one.");
            }

            var json = new byte[count];
            stream.ReadExactly(json);
            return JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or EndOfStreamException or NotSupportedException)
        {
            throw new BadFileException($"The training state is damaged: {e.Message.TrimEnd('.')}. Start again from an earlier one.", e);
        }
    }
}
