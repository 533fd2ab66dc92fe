// Live tensors and torch's random numbers are counted for the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
