namespace AdmmKit.Engine.Layers;

/// <summary>
/// The survivors of a pruned layer and what training keeps for them, side by side in the order of the dense matrix. While
/// this exists it holds the truth, and the dense arrays follow at <see cref="WriteBack"/>.
/// </summary>
internal sealed class SparseWeights
{
    private readonly Parameters dense;
    private readonly int[] positions;

    /// <summary>Takes the survivors out of the dense arrays.</summary>
    /// <param name="dense">A layer with a mask.</param>
    /// <param name="count">Survivors in the mask.</param>
    public SparseWeights(Parameters dense, int count)
    {
        this.dense = dense;
        (int rows, int columns) = (dense.Info.Rows, dense.Info.Columns);
        RowStarts = new int[rows + 1];
        Columns = new int[count];
        positions = new int[count];
        int next = 0;
        for (int i = 0; i < rows * columns; i++)
        {
            if (dense.Keep![i])
            {
                Columns[next] = i % columns;
                positions[next++] = i;
            }

            RowStarts[(i / columns) + 1] = next;
        }

        Weights = new FloatBuffer(count);
        Gradient = new FloatBuffer(count);
        First = new FloatBuffer(count);
        Second = new FloatBuffer(count);
        Take(dense.WeightFirst.Span, First);
        Take(dense.WeightSecond.Span, Second);
        ReadWeights();
        ReadTarget();
        if (dense.Frozen is { } frozen)
        {
            Mask = new FloatBuffer(count);
            for (int i = 0; i < count; i++)
            {
                Mask.Span[i] = frozen[positions[i]] ? 0 : 1;
            }
        }
    }

    public int Count => positions.Length;

    /// <summary>Row r has the survivors RowStarts[r] up to, not with, RowStarts[r + 1].</summary>
    public int[] RowStarts { get; }

    /// <summary>The column of each survivor.</summary>
    public int[] Columns { get; }

    public FloatBuffer Weights { get; }

    /// <summary>Of the loss summed over the batch; stays zero in rows that nobody reads.</summary>
    public FloatBuffer Gradient { get; }

    public FloatBuffer First { get; }

    public FloatBuffer Second { get; }

    /// <summary>Z - U at the survivors.</summary>
    public FloatBuffer? Target { get; private set; }

    /// <summary>0 where a survivor is frozen, else 1; null when all train.</summary>
    public FloatBuffer? Mask { get; }

    /// <summary>Follows a change of the dense weights.</summary>
    public void ReadWeights() => Take(dense.Weights.Span, Weights);

    /// <summary>Follows a change of the penalty's target.</summary>
    public void ReadTarget()
    {
        if (!dense.Target.IsEmpty)
        {
            Target ??= new FloatBuffer(Count);
            Take(dense.Target.Span, Target);
        }
    }

    /// <summary>Brings the dense weights and moments up to date; those of pruned weights are zero already.</summary>
    public void WriteBack()
    {
        Put(Weights, dense.Weights);
        Put(First, dense.WeightFirst);
        Put(Second, dense.WeightSecond);
    }

    private void Take(ReadOnlySpan<float> from, FloatBuffer to)
    {
        for (int i = 0; i < positions.Length; i++)
        {
            to.Span[i] = from[positions[i]];
        }
    }

    private void Put(FloatBuffer from, FloatBuffer to)
    {
        for (int i = 0; i < positions.Length; i++)
        {
            to.Span[positions[i]] = from.Span[i];
        }
    }
}
