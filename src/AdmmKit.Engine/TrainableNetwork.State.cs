using System.Runtime.InteropServices;
using System.Text;
using AdmmKit.Engine.Layers;
using AdmmKit.Training;

namespace AdmmKit.Engine;

/// <summary>Saving and loading everything that training depends on.</summary>
public sealed partial class TrainableNetwork
{
    private const uint StateMagic = 0x31534B41; // "AKS1"

    /// <inheritdoc/>
    public void SaveState(Stream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(StateMagic);
        writer.Write(Layers.Count);
        writer.Write(phase.Name);
        writer.Write(step);
        foreach (Parameters p in network.Parameters)
        {
            writer.Write(p.Info.WeightCount);
            writer.Write(p.Frozen);
            writer.Write(p.Rho);
            writer.Write(p.Lambda);
            writer.Write(p.Mask is not null);
            writer.Write(p.Target is not null);
            foreach (FloatBuffer buffer in Buffers(p))
            {
                writer.Write(MemoryMarshal.AsBytes(buffer.Span));
            }
        }
    }

    /// <summary>
    /// Reads what <see cref="SaveState"/> wrote. The phase must have been begun with the same <see cref="TrainingPhase"/>:
    /// the state holds where the phase stands, not its schedule.
    /// </summary>
    /// <param name="stream">Where from.</param>
    /// <exception cref="BadFileException">The bytes are damaged or belong to another network or phase.</exception>
    public void LoadState(Stream stream)
    {
        using var reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);
        try
        {
            Check(reader.ReadUInt32() == StateMagic, "it is not a training state");
            Check(reader.ReadInt32() == Layers.Count, "it belongs to a network with another number of layers");
            string name = reader.ReadString();
            Check(name == phase.Name, $"it was saved in phase '{name}', not '{phase.Name}'");
            int savedStep = reader.ReadInt32();
            Check(savedStep >= 0 && savedStep <= phase.Steps, "its step lies outside the phase");
            foreach (Parameters p in network.Parameters)
            {
                Check(reader.ReadInt32() == p.Info.WeightCount, $"layer '{p.Info.Name}' has another size there");
                p.Frozen = reader.ReadBoolean();
                p.Rho = reader.ReadSingle();
                p.Lambda = reader.ReadSingle();
                p.Mask = reader.ReadBoolean() ? new FloatBuffer(p.Info.WeightCount) : null;
                p.Target = reader.ReadBoolean() ? new FloatBuffer(p.Info.WeightCount) : null;
                foreach (FloatBuffer buffer in Buffers(p))
                {
                    stream.ReadExactly(MemoryMarshal.AsBytes(buffer.Span));
                }
            }

            EnterPhase(phase, savedStep);
        }
        catch (EndOfStreamException e)
        {
            throw new BadFileException("The training state ends too early: it is truncated. Start again from an earlier one.", e);
        }
        catch (FormatException e)
        {
            throw new BadFileException("The training state is damaged. Start again from an earlier one.", e);
        }
    }

    private static void Check(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new BadFileException($"The training state cannot be used here: {otherwise}.");
        }
    }

    private static IEnumerable<FloatBuffer> Buffers(Parameters p)
    {
        FloatBuffer?[] all = [p.Weights, p.Biases, p.WeightFirst, p.WeightSecond, p.BiasFirst, p.BiasSecond, p.Mask, p.Target];
        return all.OfType<FloatBuffer>();
    }
}
