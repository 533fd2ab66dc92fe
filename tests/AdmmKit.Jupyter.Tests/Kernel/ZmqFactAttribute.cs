using AdmmKit.Jupyter.Kernel;

namespace AdmmKit.Jupyter.Tests.Kernel;

/// <summary>A test that needs libzmq; skipped, with what to install, where it is not there.</summary>
public class ZmqFactAttribute : FactAttribute
{
    public ZmqFactAttribute()
    {
        try
        {
            JupyterKernel.RequireLibrary();
        }
        catch (AdmmKitException e)
        {
            Skip = Checkout.SkipFor(e.Message);
        }
    }
}
