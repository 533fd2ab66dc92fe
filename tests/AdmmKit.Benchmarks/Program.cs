using AdmmKit.Benchmarks;
using BenchmarkDotNet.Running;

if (args is ["job", .. var rest])
{
    return Job.Run(rest);
}

if (args is ["sparse", .. var sparse])
{
    return SparseInference.Run(sparse);
}

BenchmarkSwitcher.FromAssembly(typeof(Job).Assembly).Run(args);
return 0;
