using AdmmKit.Engine;

namespace AdmmKit.Tests.Engine;

public class WorkPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Every_task_runs_once(int threads)
    {
        using var pool = new WorkPool(threads);
        for (int round = 0; round < 500; round++)
        {
            var counts = new int[round % 23];
            pool.Run(counts.Length, i => Interlocked.Increment(ref counts[i]));
            Assert.All(counts, c => Assert.Equal(1, c));
            if (round % 100 == 0)
            {
                Thread.Sleep(5); // long enough for the workers to fall asleep
            }
        }
    }

    [Fact]
    public void What_a_task_throws_is_thrown_again_and_the_pool_goes_on()
    {
        using var pool = new WorkPool(3);
        Assert.Throws<AdmmKitException>(() => pool.Run(50, i => throw new AdmmKitException("task")));
        int sum = 0;
        pool.Run(100, i => Interlocked.Add(ref sum, i));
        Assert.Equal(4950, sum);
    }
}
