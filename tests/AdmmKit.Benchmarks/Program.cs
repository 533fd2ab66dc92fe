using AdmmKit.Benchmarks;
using BenchmarkDotNet.Running;

if (args is ["job", .. var rest])
{
    return Job.Run(rest);
}

BenchmarkSwitcher.FromAssembly(typeof(Job).Assembly).Run(args);
return 0;
