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

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void A_late_worker_never_takes_a_task_of_the_next_job(int threads)
    {
        // Two alternating jobs of different size with nothing in between: a thread that is still leaving the first must
        // not run anything of the second twice.
        using var pool = new WorkPool(threads);
        var counts = new int[5];
        Action<int> count = i => Interlocked.Increment(ref counts[i]);
        const int Rounds = 200_000;
        for (int round = 0; round < Rounds; round++)
        {
            pool.Run(2 + (round & 1) + (2 * (round & 1)), count);
        }

        Assert.Equal([Rounds, Rounds, Rounds / 2, Rounds / 2, Rounds / 2], counts);
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
