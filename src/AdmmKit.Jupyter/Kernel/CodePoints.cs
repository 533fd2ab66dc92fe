namespace AdmmKit.Jupyter.Kernel;

/// <summary>Places in text: Jupyter counts code points, .NET counts UTF-16 units.</summary>
internal static class CodePoints
{
    /// <summary>The place in UTF-16 units; what lies outside of the text becomes its end.</summary>
    public static int ToUtf16(string text, int codePoints)
    {
        int at = 0;
        for (int i = 0; i < codePoints && at < text.Length; i++)
        {
            at += IsPair(text, at) ? 2 : 1;
        }

        return at;
    }

    /// <summary>The place in code points.</summary>
    public static int FromUtf16(string text, int units)
    {
        int count = 0;
        for (int at = 0; at < units && at < text.Length; count++)
        {
            at += IsPair(text, at) ? 2 : 1;
        }

        return count;
    }

    private static bool IsPair(string text, int at) =>
        char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]);
}
