namespace AdmmKit.Pipeline;

/// <summary>
/// Keeps the state of each phase, so that work that was cut off goes on from there. A finished phase is replayed from its
/// last state instead of being trained again, which is how a run finds back to the phase in which it was cut off.
/// </summary>
public interface ICheckpoints
{
    /// <summary>Whether so much was done since the last state was saved that one should be saved within an epoch.</summary>
    bool IsDue { get; }

    /// <summary>Hands the latest state of a phase to its reader, if there is one.</summary>
    /// <param name="phase">The phase's name, unique within the run.</param>
    /// <param name="read">Reads the state.</param>
    void Resume(string phase, Action<Stream> read);

    /// <summary>Saves the state of a phase.</summary>
    /// <param name="phase">The phase's name.</param>
    /// <param name="step">Training steps done in it.</param>
    /// <param name="write">Writes the state.</param>
    void Save(string phase, int step, Action<Stream> write);
}
