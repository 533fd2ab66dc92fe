namespace AdmmKit;

/// <summary>An error that its reader can act on: the message says what was wrong, where, and what to do about it.</summary>
public class AdmmKitException : Exception
{
    /// <summary>Creates an error with no message.</summary>
    public AdmmKitException()
    {
    }

    /// <summary>Creates an error from its message.</summary>
    /// <param name="message">What was wrong, where, and what to do.</param>
    public AdmmKitException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an error from its message and the error below it.</summary>
    /// <param name="message">What was wrong, where, and what to do.</param>
    /// <param name="innerException">The error that led to this one.</param>
    public AdmmKitException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>A file or data folder whose bytes are not what they should be.</summary>
public sealed class BadFileException : AdmmKitException
{
    /// <summary>Creates an error with no message.</summary>
    public BadFileException()
    {
    }

    /// <summary>Creates an error from its message.</summary>
    /// <param name="message">Which file, what is wrong with it, and what to do.</param>
    public BadFileException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an error from its message and the error below it.</summary>
    /// <param name="message">Which file, what is wrong with it, and what to do.</param>
    /// <param name="innerException">The error that led to this one.</param>
    public BadFileException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>Training that broke down: the loss or a weight is no longer a finite number.</summary>
public sealed class DivergedException : AdmmKitException
{
    /// <summary>Creates an error with no message.</summary>
    public DivergedException()
    {
    }

    /// <summary>Creates an error from its message.</summary>
    /// <param name="message">At which step, and what to change.</param>
    public DivergedException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an error from its message and the error below it.</summary>
    /// <param name="message">At which step, and what to change.</param>
    /// <param name="innerException">The error that led to this one.</param>
    public DivergedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
