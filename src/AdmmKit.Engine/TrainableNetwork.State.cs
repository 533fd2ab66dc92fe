using System.Runtime.InteropServices;
using System.Text;
using AdmmKit.Engine.Layers;
using AdmmKit.Training;

namespace AdmmKit.Engine;

/// <summary>Saving and loading everything that training depends on.</summary>
public sealed partial class TrainableNetwork
{
    private const uint StateMagic = 0x33534B41; // "AKS3"

    /// <inheritdoc/>
    public void SaveState(Stream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(StateMagic);
        byte[] name = Encoding.UTF8.GetBytes(phase.Name);
        writer.Write(name.Length);
        writer.Write(name);
        writer.Write(step);
        writer.Write(lossSum);
        writer.Write(lossImages);
        writer.Write(Layers.Count);
        foreach (Parameters p in network.Parameters)
        {
            p.Sparse?.WriteBack();
            writer.Write(p.Info.WeightCount);
            writer.Write(p.Rho);
            writer.Write(p.Lambda);
            Write(writer, p.Keep);
            Write(writer, p.Frozen);
            foreach (FloatBuffer buffer in Buffers(p))
            {
                writer.Write(MemoryMarshal.AsBytes(buffer.Span));
            }

            writer.Write(MemoryMarshal.AsBytes(p.Target.Span));
        }

        writer.Write(network.Normalizations.Count);
        foreach (Normalization n in network.Normalizations)
        {
            writer.Write(n.Info.Channels);
            foreach (FloatBuffer buffer in (FloatBuffer[])[n.Values, n.First, n.Second])
            {
                writer.Write(MemoryMarshal.AsBytes(buffer.Span));
            }
        }
    }

    /// <summary>
    /// Reads what <see cref="SaveState"/> wrote. The phase must have been begun with the same <see cref="TrainingPhase"/>:
    /// the state holds where the phase stands, not its schedule. After an error the phase must be begun again.
    /// </summary>
    /// <param name="stream">Where from.</param>
    /// <exception cref="BadFileException">The bytes are damaged or belong to another network or phase.</exception>
    public void LoadState(Stream stream)
    {
        using var reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);
        try
        {
            Check(reader.ReadUInt32() == StateMagic, "it is not a training state");
            byte[] name = Encoding.UTF8.GetBytes(phase.Name);
            Check(reader.ReadInt32() == name.Length && reader.ReadBytes(name.Length).AsSpan().SequenceEqual(name), $"it was not saved in phase '{phase.Name}'");
            int savedStep = reader.ReadInt32();
            Check(savedStep >= 0 && savedStep <= phase.Steps, "its step lies outside the phase");
            (double savedLoss, long savedImages) = (reader.ReadDouble(), reader.ReadInt64());
            Check(double.IsFinite(savedLoss) && savedImages >= 0, "its loss is not a number");
            Check(reader.ReadInt32() == Layers.Count, "it belongs to a network with another number of layers");
            for (int layer = 0; layer < network.Parameters.Count; layer++)
            {
                Parameters p = network.Parameters[layer];
                p.RunDense();
                Check(reader.ReadInt32() == p.Info.WeightCount, $"layer '{p.Info.Name}' has another size there");
                p.Rho = reader.ReadSingle();
                p.Lambda = reader.ReadSingle();
                Check(p.Rho >= 0 && float.IsFinite(p.Rho) && p.Lambda >= 0 && float.IsFinite(p.Lambda), "a penalty is negative or not a number");
                (p.Keep, p.Frozen) = (ReadMarks(reader, p), ReadMarks(reader, p));
                foreach (FloatBuffer buffer in Buffers(p))
                {
                    stream.ReadExactly(MemoryMarshal.AsBytes(buffer.Span));
                }

                var target = new float[p.Rho != 0 ? p.Info.WeightCount : 0];
                stream.ReadExactly(MemoryMarshal.AsBytes(target.AsSpan()));
                p.SetTarget(target, LastChunk(layer));

                p.UpdateMask();
            }

            Check(reader.ReadInt32() == network.Normalizations.Count, "it belongs to a network with another number of batch normalizations");
            foreach (Normalization n in network.Normalizations)
            {
                Check(reader.ReadInt32() == n.Info.Channels, $"batch normalization '{n.Info.Name}' has another size there");
                foreach (FloatBuffer buffer in (FloatBuffer[])[n.Values, n.First, n.Second])
                {
                    stream.ReadExactly(MemoryMarshal.AsBytes(buffer.Span));
                }

                Check(!n.Variances.ContainsAnyInRange(float.NegativeInfinity, -float.Epsilon), $"a variance of '{n.Info.Name}' is negative");
            }

            EnterPhase(phase, savedStep);
            (lossSum, lossImages) = (savedLoss, savedImages);
        }
        catch (EndOfStreamException e)
        {
            throw new BadFileException("The training state ends too early: it is truncated. Start again from an earlier one.", e);
        }
        finally
        {
            network.MasksChanged();
        }
    }

    private static void Write(BinaryWriter writer, bool[]? marks)
    {
        writer.Write(marks is not null);
        writer.Write(MemoryMarshal.AsBytes(marks.AsSpan()));
    }

    private static bool[]? ReadMarks(BinaryReader reader, Parameters p)
    {
        if (!reader.ReadBoolean())
        {
            return null;
        }

        byte[] marks = reader.ReadBytes(p.Info.WeightCount);
        Check(marks.Length == p.Info.WeightCount, "it ends too early");
        Check(!marks.AsSpan().ContainsAnyExcept((byte)0, (byte)1), "a mask in it is neither 0 nor 1 somewhere");
        return Array.ConvertAll(marks, m => m == 1);
    }

    private static void Check(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new BadFileException($"The training state cannot be used here: {otherwise}.");
        }
    }

    private static FloatBuffer[] Buffers(Parameters p) =>
        [p.Weights, p.Biases, p.WeightFirst, p.WeightSecond, p.BiasFirst, p.BiasSecond];
}
