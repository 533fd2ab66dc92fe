using System.Globalization;

namespace AdmmKit.Engine.Data;

/// <summary>A stroke of a pen: points in a box of 1 x 1, x to the right, y down, joined smoothly except at corners.</summary>
/// <param name="X">Across, 0 to 1.</param>
/// <param name="Y">Down, 0 to 1.</param>
/// <param name="Corner">Where the pen changes direction sharply.</param>
internal sealed record Stroke(double[] X, double[] Y, bool[] Corner);

/// <summary>One way to write a digit.</summary>
/// <param name="Weight">How often it is used, relative to the digit's other styles.</param>
/// <param name="Strokes">What the pen does.</param>
internal sealed record DigitStyle(int Weight, Stroke[] Strokes);

/// <summary>The ways in which the ten digits are written, as the pen moves.</summary>
internal static class DigitStrokes
{
    // weight | stroke ; stroke ...   A stroke is a list of x,y in hundredths of the box; '!' marks a corner.
    private static readonly string[][] Table =
    [
        [ // 0: closed, overlapping, narrow, with the entry stroke crossing the top
            "4|50,2 24,16 13,50 22,85 50,98 78,84 88,50 77,16 52,2",
            "3|64,7 36,4 15,32 14,68 36,97 66,93 87,62 82,24 58,3 40,10",
            "2|55,1 36,20 28,55 36,88 52,99 68,84 74,48 66,15 50,3",
            "2|82,3 58,10 26,14 10,50 24,88 52,98 80,84 90,52 78,20 54,8",
        ],
        [ // 1: bare, with a flag, with flag and base, slanted, with a short flag
            "5|50,0 51,50 50,100",
            "3|28,26 42,14 53,0! 52,50 52,100",
            "2|28,24 40,14 51,0! 51,50 51,100!; 25,100 50,99 77,100",
            "4|62,0 52,48 42,100",
            "1|40,12 52,0! 50,55 49,100",
        ],
        [ // 2: flat base, with a loop, angular, wide swan, base that climbs
            "4|14,26 28,6 54,0 80,20 70,50 40,80 12,98! 50,95 88,97",
            "4|16,22 34,3 62,3 78,24 66,52 36,84 16,96 9,84 24,76 54,90 92,94",
            "2|16,10 46,1 80,12 74,44 14,99! 52,92 92,98",
            "2|18,30 26,6 56,-1 78,18 68,52 34,86 10,92 24,80 56,94 84,98 94,84",
            "1|20,16 48,0 76,14 70,42 44,72 18,97! 50,93 86,84",
        ],
        [ // 3: round, flat top, looped waist, pointed waist, shallow
            "4|18,12 48,0 78,17 70,39 42,48! 76,58 84,80 50,100 14,88",
            "2|16,3 46,3 80,3! 62,22 45,40! 80,52 82,84 48,100 15,88",
            "3|20,10 54,0 78,18 64,40 42,50 34,46 48,44 80,60 76,90 45,100 12,86",
            "2|22,6 60,2 74,22 50,44! 40,48! 66,54 80,74 62,96 16,96",
            "1|26,14 52,2 72,16 64,40 46,47! 72,58 74,84 44,98 22,90",
        ],
        [ // 4: open, closed, from one stroke, open with a round corner, tall bar
            "4|26,4 20,32 14,56! 50,55 86,53; 70,6 67,50 65,100",
            "3|64,0 36,34 10,66! 50,66 92,64; 64,0 64,50 65,100",
            "3|20,4 15,34 28,54 54,54 72,40 78,4! 75,50 70,100",
            "3|30,0 18,30 18,50 36,54 62,50 84,46; 72,10 66,52 58,100",
            "1|40,0 26,30 12,52! 46,56 88,54; 66,28 64,60 62,100",
        ],
        [ // 5: with a bar, one stroke, like an S, wide bowl with a long bar
            "4|30,5 28,22 25,44! 54,36 84,58 76,88 45,100 12,90; 30,5 56,4 86,3",
            "3|86,3 58,3 34,5! 30,22 26,42! 52,36 82,52 82,82 50,100 14,92",
            "3|82,4 46,4 28,22 40,42 72,54 80,80 46,100 14,92",
            "2|38,8 30,44! 58,44 76,62 66,92 36,98 16,84; 38,8 64,6 94,0",
        ],
        [ // 6: curved, straight back, hooked top, small bowl
            "4|70,2 38,20 17,60 25,92 55,99 80,80 70,57 42,55 20,75",
            "3|58,0 32,40 18,75 40,100 74,90 74,62 46,58 22,80",
            "2|84,12 60,0 30,24 15,64 32,97 66,95 80,70 58,54 28,64 18,78",
            "2|50,0 28,36 20,72 34,98 58,97 66,80 52,68 30,76 22,86",
        ],
        [ // 7: plain, curved, barred, with a serif, hooked foot
            "4|12,6 48,5 86,4! 62,50 42,100",
            "2|12,10 46,3 84,6 76,32 54,62 46,100",
            "3|12,5 48,5 86,4! 64,50 44,100; 36,50 56,49 80,47",
            "2|14,24 13,6! 48,6 86,3! 60,50 38,100",
            "1|10,12 34,2 60,8 88,2! 66,40 50,72 48,100",
        ],
        [ // 8: one stroke, two ovals, open at the top, narrow with a large bowl
            "4|74,14 50,0 25,17 38,41 70,62 76,88 48,100 20,86 32,60 62,42 78,20 70,6",
            "2|50,0 28,10 28,36 50,46 72,36 72,10 50,0; 50,46 22,58 20,88 50,100 80,88 78,58 50,46",
            "3|86,10 54,0 26,16 36,40 66,62 70,90 46,100 24,86 34,62 62,42 88,16",
            "2|62,6 40,4 34,24 52,44 72,70 56,98 30,92 28,70 50,44 68,24 60,4",
        ],
        [ // 9: straight tail, curved tail, slanted, small loop, loop closed on top
            "4|76,20 50,2 22,20 30,46 60,44 78,16! 75,55 72,100",
            "3|76,18 48,1 20,20 32,46 62,42 78,20 78,60 62,96 28,98",
            "3|74,10 44,4 24,28 38,48 64,38 78,8! 66,50 46,100",
            "1|70,14 50,4 34,20 42,38 62,36 74,16! 72,56 66,100",
            "2|60,2 30,6 16,28 34,48 64,40 74,14 58,2! 76,22 70,60 58,100",
        ],
    ];

    /// <summary>The styles of each digit.</summary>
    public static DigitStyle[][] Styles { get; } = [.. Table.Select(styles => styles.Select(Parse).ToArray())];

    /// <summary>Picks one of a digit's styles.</summary>
    public static DigitStyle Pick(int digit, RandomStream random)
    {
        DigitStyle[] styles = Styles[digit];
        int at = random.NextInt(styles.Sum(s => s.Weight));
        int i = 0;
        while (at >= styles[i].Weight)
        {
            at -= styles[i++].Weight;
        }

        return styles[i];
    }

    private static DigitStyle Parse(string text)
    {
        string[] parts = text.Split('|');
        return new(int.Parse(parts[0], CultureInfo.InvariantCulture), [.. parts[1].Split(';').Select(ParseStroke)]);
    }

    private static Stroke ParseStroke(string text)
    {
        string[] points = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        double[][] xy = [.. points.Select(p => p.TrimEnd('!').Split(',')
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture) / 100).ToArray())];
        return new([.. xy.Select(p => p[0])], [.. xy.Select(p => p[1])], [.. points.Select(p => p.EndsWith('!'))]);
    }
}
