namespace AdmmKit.Storage.Coding;

internal sealed partial class PositionModel
{
    public static int[] T = DefaultT();
    public static int[] DefaultT() => [13, 384, 77, 2, 3, 213, 1, 11, 1, 0, 1, 2, 1, 0, 0, 0];
    public static int[][] W = [[-11000, 54536, -23000, 20000, 25000, 20000, 9000, 4000, 46000, 10000, -1000, 30000, 10000], [-11000, 54536, -23000, 20000, 25000, 20000, 9000, 4000, 46000, 10000, -1000, 30000, 10000], [-11000, 54536, -23000, 20000, 25000, 20000, 9000, 4000, 46000, 10000, -1000, 30000, 10000]];
    private readonly AdaptiveBit[] wide = Fill(64, 6000);
    private readonly AdaptiveBit[] activity = Fill(64, 6000);

    public const int MaxSide = 1 << 15;
    public const int MaxCells = 1 << 21;

    private const int RowLimit = 255;

    private readonly BitCoder coder;
    private readonly AdaptiveBit[] rowFlags = Fill(8, 32768);
    private readonly AdaptiveBit[] channelFlags = Fill(8, 32768);
    private readonly AdaptiveBit[] columnFlags = Fill(64, 32768);
    private readonly AdaptiveBit[] neighbours = Fill(64, 6000);
    private readonly AdaptiveBit[] history = Fill(64, 6000);
    private readonly AdaptiveBit[] product = Fill(256, 6000);
    private readonly AdaptiveBit[] kernel = Fill(64, 6000);
    private readonly Mixer[] mixers;
    public readonly double[] Parts = new double[8];

    private long cells;

    public PositionModel(BitCoder coder)
    {
        this.coder = coder;
        rowFlags[0] = new(50000, 2); rowFlags[1] = new(9000, 2);
        for (int i = 0; i < 4; i++) { channelFlags[i] = new(i == 0 ? 2000 : i == 1 ? 64000 : 50000, 4); }
        mixers = [new(W[0], T[6]), new(W[1], T[6]), new(W[2], T[6])];
    }

    public Mixer[] Mixers => mixers;

    private static AdaptiveBit[] Fill(int count, int p)
    {
        var a = new AdaptiveBit[count];
        Array.Fill(a, new AdaptiveBit(p, 1));
        return a;
    }

    public int[] Code(LayerPlan plan, LayerContent content)
    {
        int rows = plan.Layer.Rows;
        int columns = plan.Layer.Columns;
        // Behind the first many, every row costs a bit or more for its bias.
        coder.Need(rows - MaxSide);
        var rowCounts = new int[rows];
        if (rows > MaxSide || columns > MaxSide)
        {
            Gaps(plan.Layer.WeightCount, content, p => p, c => c, rowCounts, columns, null);
            return rowCounts;
        }

        var columnCounts = new int[columns];
        foreach (int p in content.Given)
        {
            rowCounts[p / columns]++;
            columnCounts[p % columns]++;
        }

        double start = coder.Cost;
        var liveRows = new List<int>();
        bool live = true;
        
        for (int r = 0; r < rows; r++)
        {
            if (rowFlags[live ? 0 : 1].Code(coder, rowCounts[r] > 0, RowLimit) is var flag && (live = flag)) liveRows.Add(r);
        }
        Parts[0] += coder.Cost - start; start = coder.Cost;
        var liveColumns = new List<int>();
        int map = plan.MapSize;
        if (liveRows.Count == 0) return rowCounts;
        for (int ch = 0; ch < plan.Channels; ch++)
        {
            int ctx = plan.Activity is null ? 2 : plan.Activity[ch] == 0 ? 0 : 1;
            bool any = false;
            for (int k = 0; k < map; k++) any |= columnCounts[(ch * map) + k] > 0;
            bool forced = ch == plan.Channels - 1 && liveColumns.Count == 0;
            if (!forced && !channelFlags[ctx].Code(coder, any, RowLimit)) continue;
            for (int k = 0; k < map; k++)
            {
                int c = (ch * map) + k;
                if (T[9] == 1 && map > 1)
                {
                    int left = k % plan.Width > 0 && liveColumns.Count > 0 && liveColumns[^1] == c - 1 ? 1 : 0;
                    if (!columnFlags[left].Code(coder, columnCounts[c] > 0, RowLimit)) continue;
                }
                liveColumns.Add(c);
            }
        }
        Parts[1] += coder.Cost - start; start = coder.Cost;
        long area = (long)liveRows.Count * liveColumns.Count;
        if (area > MaxCells - cells)
        {
            var rowAt = new int[rows]; var columnAt = new int[columns]; var seenColumns = new int[columns];
            for (int i = 0; i < liveRows.Count; i++) rowAt[liveRows[i]] = i;
            for (int i = 0; i < liveColumns.Count; i++) columnAt[liveColumns[i]] = i;
            Gaps((int)area, content, p => (rowAt[p / columns] * liveColumns.Count) + columnAt[p % columns], cell => (liveRows[cell / liveColumns.Count] * columns) + liveColumns[cell % liveColumns.Count], rowCounts, columns, seenColumns);
            if (liveRows.Any(r => rowCounts[r] == 0) || liveColumns.GroupBy(c => c / map, c => seenColumns[c]).Any(g => g.Sum() == 0))
                throw new BadFileException("a row or a channel without survivors is marked as one that has some");
        }
        else
        {
            cells += area;
            Cells(plan, content, liveRows, liveColumns, rowCounts);
        }
        Parts[2] += coder.Cost - start;
        return rowCounts;
    }

    private void Cells(LayerPlan plan, LayerContent content, List<int> liveRows, List<int> liveColumns, int[] rowCounts)
    {
        int columns = plan.Layer.Columns;
        int map = plan.MapSize;
        int width = plan.Width;
        var here = new int[columns];
        var before = new int[columns];
        var hist = new byte[columns];
        var colOnes = new int[columns];
        var colSign = new int[columns];
        var colSize = new int[columns];
        var chOnes = new int[plan.Channels];
        var chCols = new int[plan.Channels];
        var spOnes = new int[map];
        var spSeen = new int[map];
        var last = new int[plan.Channels];
        foreach (int c in liveColumns) { chCols[c / map]++; last[c / map] = c; }
        long ones = 0, seen = 0;
        int kind = plan.Layer.Kind == AdmmKit.Networks.LayerKind.Convolution ? 0 : map > 1 ? 1 : 2;
        var rsOnes = new int[map]; var rsExp = new long[map];
        Mixer mixer = mixers[kind];
        int prevF = 0, rowF0 = 0;
        for (int i = 0; i < liveRows.Count; i++)
        {
            int r = liveRows[i];
            int rowOnes = 0, rowSign = 0, rowSize = 0;
            Array.Clear(rsOnes); Array.Clear(rsExp);
            long rowExp = 0;
            int ch = -1;
            int kOnes = 0, kSeen = 0;
            long kExp = 0;
            foreach (int c in liveColumns)
            {
                if (c / map != ch) { ch = c / map; kOnes = 0; kExp = 0; kSeen = 0; }
                int k = c % map;
                int x = k % width;
                int left = x > 0 ? here[c - 1] : 0;
                int up = k >= width ? here[c - width] : 0;
                int upLeft = k >= width && x > 0 ? here[c - width - 1] : 0;
                int upRight = k >= width && x < width - 1 ? here[c - width + 1] : 0;

                long pLayer = ((ones * 65536) + (T[0] * 6000L)) / (seen + T[0]);
                long pCh = ((chOnes[ch] * 65536L) + (T[1] * pLayer)) / (((long)i * chCols[ch]) + T[1]);
                long pCol = ((colOnes[c] * 65536L) + (T[2] * pCh)) / (i + T[2]);
                // row factor in 1/65536
                long rowF = ((rowOnes * 65536L) + (T[3] * 65536L)) * 65536 / (rowExp + (T[3] * 65536L));
                long pRow = Math.Min(pCol * rowF >> 16, 65000);
                long kF = ((kOnes * 65536L) + (T[4] * 65536L / 4)) * 65536 / (kExp + (T[4] * 65536L / 4));
                long pK = Math.Min(pRow * kF >> 16, 65000);
                long pSp = ((spOnes[k] * 65536L) + (T[7] * pLayer)) / (spSeen[k] + T[7]);
                int stL = Logistic.Stretch((int)pLayer), stCol = Logistic.Stretch((int)pCol), stRow = Logistic.Stretch((int)pRow);

                ref AdaptiveBit n = ref neighbours[(left != 0 ? 1 : 0) | (up != 0 ? 2 : 0) | (upLeft != 0 ? 4 : 0) | (upRight != 0 ? 8 : 0) | (kind << 4)];
                ref AdaptiveBit h = ref history[(hist[c] & 7) | (left != 0 ? 8 : 0) | (kind << 4)];
                ref AdaptiveBit kb = ref kernel[(Math.Min(kOnes, 3) * 4) + (kSeen == 0 ? 0 : kSeen < 4 ? 1 : kSeen < 12 ? 2 : 3) + (kind << 4)];
                Span<int> inputs = mixer.Inputs;
                inputs[0] = 256;
                inputs[1] = stCol;
                inputs[2] = stRow - stCol;
                inputs[3] = Logistic.Stretch((int)pK) - stRow;
                inputs[4] = Logistic.Stretch((int)pSp) - stL;
                inputs[5] = Logistic.Stretch(n.Probability) - stL;
                inputs[6] = Logistic.Stretch(h.Probability) - stL;
                ref AdaptiveBit ab = ref activity[(plan.Activity is { } act ? 1 + Math.Min(14, 2 * System.Numerics.BitOperations.Log2((uint)(act[ch] * act[ch]) + 1) / 2) : 0) + (kind << 4)];
                int qc = Math.Clamp((stCol + 1536) / 192, 0, 7), qr = Math.Clamp((stRow - stCol + 512) / 128, 0, 7);
                ref AdaptiveBit pb = ref product[(qc * 8) + qr + (kind << 6)];
                long sf = ((rsOnes[k] * 65536L) + (T[11] * 16384L)) * 16384 / (rsExp[k] + (T[11] * 16384L));
                inputs[11] = map > 1 ? Logistic.Stretch((int)Math.Min(sf, 60000)) - Logistic.Stretch(16384) : 0;
                int left2 = x > 1 ? here[c - 2] : 0, up2 = k >= 2 * width ? here[c - (2 * width)] : 0;
                int near = Math.Min(7, Math.Min(2, Math.Abs(left)) + Math.Min(2, Math.Abs(up)) + (left2 != 0 ? 1 : 0) + (up2 != 0 ? 1 : 0) + (upLeft != 0 ? 1 : 0) + (upRight != 0 ? 1 : 0));
                ref AdaptiveBit wb = ref wide[near + (kOnes > 0 ? 8 : 0) + (kind << 4)];
                inputs[12] = Logistic.Stretch(wb.Probability) - stL;
                inputs[8] = prevF;
                inputs[9] = Logistic.Stretch(ab.Probability) - stL;
                inputs[10] = Logistic.Stretch(pb.Probability) - stL;
                inputs[7] = Logistic.Stretch(kb.Probability) - stL;
                int p = mixer.Predict();
                int position = (r * columns) + c;
                bool forced = (rowOnes == 0 && c == liveColumns[^1]) || (i == liveRows.Count - 1 && chOnes[ch] == 0 && last[ch] == c);
                bool bit = forced || coder.Bit(content.NextGiven == position, p);
                mixer.Learn(bit);
                n.Learn(bit, T[5]);
                h.Learn(bit, T[5]);
                kb.Learn(bit, T[5]); ab.Learn(bit, T[5]); pb.Learn(bit, T[5]); wb.Learn(bit, T[5]); rsExp[k] += pRow; if (bit) rsOnes[k]++;
                seen++;
                rowExp += pCol;
                kExp += pRow;
                kSeen++;
                spSeen[k]++;
                if (bit)
                {
                    int value = content.Take(coder, position, new(left, up, before[c], colSign[c], rowSign, rowOnes, rowSize, colOnes[c], colSize[c]));
                    here[c] = value;
                    before[c] = value;
                    colSign[c] += Math.Sign(value); rowSign += Math.Sign(value);
                    colSize[c] += Math.Abs(value); rowSize += Math.Abs(value);
                    colOnes[c]++; chOnes[ch]++; spOnes[k]++; rowOnes++; kOnes++; ones++;
                }
                hist[c] = (byte)((hist[c] << 1) | (bit ? 1 : 0));
            }
            rowCounts[r] = rowOnes;
            long done = ((rowOnes * 65536L) + (T[10] * 16384L)) * 16384 / (rowExp + (T[10] * 16384L));
            prevF = Logistic.Stretch((int)Math.Min(done, 60000)) - Logistic.Stretch(16384);
            Array.Clear(here);
        }
    }

    private readonly NumberModel gaps = new();
    private readonly NumberModel counts = new();

    private void Gaps(int area, LayerContent content, Func<int, int> cellOf, Func<int, int> position, int[] rowCounts, int columns, int[]? seen)
    {
        Array.Clear(rowCounts);
        int count = counts.Code(coder, content.Given.Length);
        int cell = 0;
        for (int k = 0; k < count; k++)
        {
            int gap = gaps.Code(coder, coder.IsDecoder ? 0 : cellOf(content.NextGiven) - cell);
            if (gap >= area - cell) throw new BadFileException("a position outside its layer");
            cell += gap;
            int p = position(cell++);
            content.Take(coder, p, default);
            rowCounts[p / columns]++;
            if (seen is not null) seen[p % columns]++;
        }
    }
}
