using System.Runtime.InteropServices;
using System.Text;
using AdmmKit.Networks;
using AdmmKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>Saving and loading everything that training depends on.</summary>
public sealed partial class TorchNetwork
{
    private const uint StateMagic = 0x31544B41; // "AKT1"

    /// <inheritdoc/>
    public void SaveState(Stream stream)
    {
        using DisposeScope scope = NewDisposeScope();
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(StateMagic);
        byte[] name = Encoding.UTF8.GetBytes(phase.Name);
        writer.Write(name.Length);
        writer.Write(name);
        writer.Write(step);
        writer.Write(lossSum);
        writer.Write(lossExamples);
        writer.Write(options.Optimizer.MomentCount);
        writer.Write(layers.Length);
        foreach (TrainedLayer layer in layers)
        {
            int count = (int)layer.Layer.Weight.numel();
            writer.Write(count);
            writer.Write(layer.Rho);
            writer.Write(layer.Lambda);
            Write(writer, layer.Keep);
            Write(writer, layer.Frozen);
            Write(writer, layer.Weights);
            writer.Write(layer.Biases is not null);
            if (layer.Biases is not null)
            {
                Write(writer, layer.Biases);
            }

            if (layer.Rho != 0)
            {
                var target = new float[count];
                layer.CopyTarget(target);
                writer.Write(MemoryMarshal.AsBytes(target.AsSpan()));
            }
        }

        writer.Write(Normalizations.Count);
        for (int i = 0; i < Normalizations.Count; i++)
        {
            NormalizationModule module = parts.Normalizations[i];
            writer.Write(Normalizations[i].Channels);
            var values = new float[Normalizations[i].Count];
            CopyNormalization(i, values);
            writer.Write(MemoryMarshal.AsBytes(values.AsSpan()));
            WriteMoments(writer, normalizing[2 * i]);
            WriteMoments(writer, normalizing[(2 * i) + 1]);
            writer.Write(module.BatchesTracked?.ToInt64() ?? 0);
        }
    }

    /// <inheritdoc/>
    public void LoadState(Stream stream)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        using var reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);
        try
        {
            Check(reader.ReadUInt32() == StateMagic, "it is not a training state of a TorchNetwork");
            byte[] name = Encoding.UTF8.GetBytes(phase.Name);
            Check(reader.ReadInt32() == name.Length && reader.ReadBytes(name.Length).AsSpan().SequenceEqual(name), $"it was not saved in phase '{phase.Name}'");
            int savedStep = reader.ReadInt32();
            Check(savedStep >= 0 && savedStep <= phase.Steps, "its step lies outside the phase");
            (double savedLoss, long savedExamples) = (reader.ReadDouble(), reader.ReadInt64());
            Check(double.IsFinite(savedLoss) && savedExamples >= 0, "its loss is not a number");
            Check(reader.ReadInt32() == options.Optimizer.MomentCount, "it was saved with another optimizer");
            Check(reader.ReadInt32() == layers.Length, "it belongs to a network with another number of layers");
            foreach (TrainedLayer layer in layers)
            {
                Load(reader, layer);
            }

            Check(reader.ReadInt32() == Normalizations.Count, "it belongs to a network with another number of batch normalizations");
            for (int i = 0; i < Normalizations.Count; i++)
            {
                LoadNormalization(reader, i);
            }

            EnterPhase(phase, savedStep);
            (lossSum, lossExamples) = (savedLoss, savedExamples);
        }
        catch (EndOfStreamException e)
        {
            throw new BadFileException("The training state ends too early: it is truncated. Start again from an earlier one.", e);
        }
    }

    private static void Load(BinaryReader reader, TrainedLayer layer)
    {
        string name = layer.Layer.Name;
        int count = (int)layer.Layer.Weight.numel();
        Check(reader.ReadInt32() == count, $"layer '{name}' has another size there");
        (float rho, float lambda) = (reader.ReadSingle(), reader.ReadSingle());
        Check(rho >= 0 && float.IsFinite(rho) && lambda >= 0 && float.IsFinite(lambda), "a penalty is negative or not a number");
        (bool[]? keep, bool[]? frozen) = (ReadMarks(reader, count), ReadMarks(reader, count));
        layer.SetMarks(null, null);
        Read(reader, layer.Weights);
        Check(reader.ReadBoolean() == layer.Biases is not null, $"layer '{name}' has biases on one side alone");
        if (layer.Biases is not null)
        {
            Read(reader, layer.Biases);
        }

        layer.SetPenalty(rho, lambda, rho == 0 ? [] : ReadFloats(reader, count));
        layer.SetMarks(keep, frozen);
    }

    private void LoadNormalization(BinaryReader reader, int i)
    {
        NormalizationInfo info = Normalizations[i];
        Check(reader.ReadInt32() == info.Channels, $"batch normalization '{info.Name}' has another size there");
        float[] values = ReadFloats(reader, info.Count);
        Check(!values.AsSpan(3 * info.Channels).ContainsAnyInRange(float.NegativeInfinity, -float.Epsilon), $"a variance of '{info.Name}' is negative");
        SetNormalization(i, values);
        ReadMoments(reader, normalizing[2 * i]);
        ReadMoments(reader, normalizing[(2 * i) + 1]);
        long tracked = reader.ReadInt64();
        if (parts.Normalizations[i].BatchesTracked is { } batchesTracked)
        {
            using Scalar value = tracked.ToScalar();
            batchesTracked.fill_(value);
        }
    }

    private static void Write(BinaryWriter writer, bool[]? marks)
    {
        writer.Write(marks is not null);
        writer.Write(MemoryMarshal.AsBytes(marks.AsSpan()));
    }

    private static bool[]? ReadMarks(BinaryReader reader, int count)
    {
        if (!reader.ReadBoolean())
        {
            return null;
        }

        byte[] marks = reader.ReadBytes(count);
        Check(marks.Length == count, "it ends too early");
        Check(!marks.AsSpan().ContainsAnyExcept((byte)0, (byte)1), "a mask in it is neither 0 nor 1 somewhere");
        return Array.ConvertAll(marks, m => m == 1);
    }

    private static void Write(BinaryWriter writer, TrainedTensor tensor)
    {
        Write(writer, tensor.Tensor);
        WriteMoments(writer, tensor);
    }

    private static void WriteMoments(BinaryWriter writer, TrainedTensor tensor)
    {
        foreach (Tensor moment in tensor.Moments)
        {
            Write(writer, moment);
        }
    }

    private static void Write(BinaryWriter writer, Tensor tensor)
    {
        var values = new float[tensor.numel()];
        Tensors.CopyTo(tensor, values);
        writer.Write(MemoryMarshal.AsBytes(values.AsSpan()));
    }

    private static void Read(BinaryReader reader, TrainedTensor tensor)
    {
        Tensors.Set(tensor.Tensor, ReadFloats(reader, (int)tensor.Tensor.numel()));
        ReadMoments(reader, tensor);
    }

    private static void ReadMoments(BinaryReader reader, TrainedTensor tensor)
    {
        foreach (Tensor moment in tensor.Moments)
        {
            Tensors.Set(moment, ReadFloats(reader, (int)moment.numel()));
        }
    }

    /// <summary>So many numbers: as many as the network's own tensor has, never what the file says.</summary>
    private static float[] ReadFloats(BinaryReader reader, int count)
    {
        var values = new float[count];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private static void Check(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new BadFileException($"The training state cannot be used here: {otherwise}.");
        }
    }
}
