namespace AdmmKit.Engine.Sparse;

/// <summary>Objects that are used by one thread at a time and kept for the next.</summary>
/// <param name="create">Makes one where none is left.</param>
internal sealed class ObjectPool<T>(Func<T> create)
    where T : class
{
    // More callers at once than this still work; their objects are then left to the garbage collector.
    private readonly T?[] kept = new T?[(2 * Environment.ProcessorCount) + 8];

    public T Rent()
    {
        for (int i = 0; i < kept.Length; i++)
        {
            if (Volatile.Read(ref kept[i]) is not null && Interlocked.Exchange(ref kept[i], null) is { } item)
            {
                return item;
            }
        }

        return create();
    }

    public void Return(T item)
    {
        for (int i = 0; i < kept.Length; i++)
        {
            if (Volatile.Read(ref kept[i]) is null && Interlocked.CompareExchange(ref kept[i], item, null) is null)
            {
                return;
            }
        }
    }
}
