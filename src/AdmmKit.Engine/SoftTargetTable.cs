using AdmmKit.Engine.Layers;

namespace AdmmKit.Engine;

/// <summary>
/// softmax(t / T) of the teacher's outputs t for every training image in every variant of its augmentation. An entry is
/// computed when a batch first asks for it, so a few epochs with many variants take only what they see. An image's outputs do
/// not depend on the batch that it is in, so neither does the table on the order in which it is filled.
/// </summary>
internal sealed unsafe class SoftTargetTable
{
    private readonly Network teacher;
    private readonly int classes;
    private readonly int variants;
    private readonly float weight;
    private readonly float temperature;
    private readonly float[] table;
    private readonly int[] unseen;
    private readonly int[] unseenVariants;

    /// <summary>An empty table.</summary>
    /// <param name="teacher">Has the teacher's weights, and takes a whole batch.</param>
    /// <param name="images">Training images.</param>
    /// <param name="options">How they are augmented.</param>
    /// <param name="targets">Weight and temperature.</param>
    public SoftTargetTable(Network teacher, int images, EngineOptions options, SoftTargets targets)
    {
        SoftTargets.Check(teacher.Spec, images, options, targets.Weight, targets.Temperature);
        this.teacher = teacher;
        (weight, temperature) = ((float)targets.Weight, (float)targets.Temperature);
        classes = teacher.Spec.Classes;
        variants = (int)Batch.Variants(options.MaxShift, options.Flip);
        table = new float[(long)images * variants * classes];
        // Not a number is not computed.
        Array.Fill(table, float.NaN);
        (unseen, unseenVariants) = (new int[options.BatchSize], new int[options.BatchSize]);
    }

    /// <summary>Runs the teacher on those images of a batch that it has not yet seen as they are there.</summary>
    public void Fill(in Batch batch)
    {
        int count = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            (int image, int variant) = (batch.ImageAt(i), batch.VariantAt(i));
            if (float.IsNaN(At(image, variant)[0]))
            {
                (unseen[count], unseenVariants[count]) = (image, variant);
                count++;
            }
        }

        if (count == 0)
        {
            return;
        }

        teacher.Forward(batch with { Order = unseen, First = 0, Count = count, Given = unseenVariants }, training: false, randomKey: 0);
        for (int i = 0; i < count; i++)
        {
            Soften(i, At(unseen[i], unseenVariants[i]));
        }
    }

    /// <summary>The targets of an image in a batch that <see cref="Fill"/> has had.</summary>
    public ReadOnlySpan<float> Of(in Batch batch, int index) => At(batch.ImageAt(index), batch.VariantAt(index));

    /// <summary>Takes loss and gradient by the label, gives those by both.</summary>
    /// <param name="targets">The targets.</param>
    /// <param name="y">The network's outputs, the distance <paramref name="step"/> apart.</param>
    /// <param name="dy">The gradient there.</param>
    /// <param name="step">How far one class is from the next.</param>
    /// <param name="max">The largest output.</param>
    /// <param name="loss">The loss by the label.</param>
    public float Mix(ReadOnlySpan<float> targets, float* y, float* dy, int step, float max, float loss)
    {
        float sum = 0;
        float expected = 0;
        for (int c = 0; c < targets.Length; c++)
        {
            float scaled = (y[c * step] - max) / temperature;
            sum += MathF.Exp(scaled);
            expected += targets[c] * scaled;
        }

        for (int c = 0; c < targets.Length; c++)
        {
            // T^2 times the derivative by y of what is computed from y / T.
            float soft = temperature * ((MathF.Exp((y[c * step] - max) / temperature) / sum) - targets[c]);
            dy[c * step] = ((1 - weight) * dy[c * step]) + (weight * soft);
        }

        return ((1 - weight) * loss) + (weight * temperature * temperature * (MathF.Log(sum) - expected));
    }

    private Span<float> At(int image, int variant) => table.AsSpan(((image * variants) + variant) * classes, classes);

    private void Soften(int index, Span<float> target)
    {
        float max = float.NegativeInfinity;
        for (int c = 0; c < classes; c++)
        {
            max = Math.Max(max, teacher.Score(index, c));
        }

        float sum = 0;
        for (int c = 0; c < classes; c++)
        {
            sum += target[c] = MathF.Exp((teacher.Score(index, c) - max) / temperature);
        }

        if (!float.IsFinite(sum))
        {
            throw new DivergedException(
                "The outputs of the network that gives the soft targets are not finite numbers: it is damaged, or its training diverged.");
        }

        for (int c = 0; c < classes; c++)
        {
            target[c] /= sum;
        }
    }
}
