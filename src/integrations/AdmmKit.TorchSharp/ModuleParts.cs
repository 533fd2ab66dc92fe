using System.Runtime.InteropServices;
using AdmmKit.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>What of a module can be pruned and quantized, what trains beside it, and what is left alone.</summary>
internal sealed class ModuleParts
{
    private static readonly string[] NormalizationParts = ["weight", "bias", "running_mean", "running_var"];

    private ModuleParts(
        IReadOnlyList<WeightedModule> layers, IReadOnlyList<NormalizationModule> normalizations, IReadOnlyList<SkippedModule> skipped) =>
        (Layers, Normalizations, Skipped) = (layers, normalizations, skipped);

    /// <summary>Convolutions and fully connected layers, in the order in which the module has them.</summary>
    public IReadOnlyList<WeightedModule> Layers { get; }

    /// <summary>Batch normalizations with scales, shifts and running statistics, in the same order.</summary>
    public IReadOnlyList<NormalizationModule> Normalizations { get; }

    /// <summary>Everything else that has numbers of its own.</summary>
    public IReadOnlyList<SkippedModule> Skipped { get; }

    /// <summary>Names of the tensors that layers and normalizations cannot be without.</summary>
    public IEnumerable<string> Names =>
    [
        .. Layers.Select(l => l.Name + ".weight"),
        .. Layers.Where(l => l.Bias is not null).Select(l => l.Name + ".bias"),
        .. Normalizations.SelectMany(_ => NormalizationParts, (n, part) => $"{n.Name}.{part}"),
    ];

    /// <summary>A module's name as its author gave it; for one of TorchSharp its class.</summary>
    public static string NameOf(nn.Module module) =>
        module.GetName() is { Length: > 0 } name && !name.Contains("::", StringComparison.Ordinal) ? name : module.GetType().Name;

    /// <summary>Looks through a module.</summary>
    /// <param name="module">The module.</param>
    /// <param name="untrained">Whether layers count whose weights require no gradient; else they are left alone.</param>
    /// <exception cref="AdmmKitException">It has no layer, or one is not in float32.</exception>
    public static ModuleParts Of(nn.Module module, bool untrained = false)
    {
        ArgumentNullException.ThrowIfNull(module);
        Dictionary<string, Parameter> parameters = Named(module.named_parameters());
        Dictionary<string, Tensor> buffers = Named(module.named_buffers());
        (var layers, var normalizations, var skipped) =
            (new List<WeightedModule>(), new List<NormalizationModule>(), new List<SkippedModule>());
        var seen = new HashSet<nn.Module>(ReferenceEqualityComparer.Instance);
        foreach ((string name, nn.Module part) in module.named_modules())
        {
            Parameter? Parameter(string what) => parameters.GetValueOrDefault($"{name}.{what}");
            Tensor? Buffer(string what) => buffers.GetValueOrDefault($"{name}.{what}");
            if (!seen.Add(part))
            {
                continue;
            }

            if (part is Conv2d or Linear && part is nn.Module<Tensor, Tensor> layer && Parameter("weight") is { } weight
                && (untrained || weight.requires_grad))
            {
                CheckType(name, weight);
                layers.Add(new WeightedModule(name, layer, weight, Parameter("bias")));
            }
            else if (part is BatchNorm1d or BatchNorm2d
                && (Parameter("weight"), Parameter("bias"), Buffer("running_mean"), Buffer("running_var"))
                    is ({ } scale, { } shift, { } mean, { } variance))
            {
                CheckType(name, scale);
                normalizations.Add(new NormalizationModule(name, scale, shift, mean, variance, Buffer("num_batches_tracked")));
            }
            else if (Own(parameters, name) is var own && (own.Length > 0 || Own(buffers, name).Length > 0))
            {
                skipped.Add(new SkippedModule(name, part, own));
            }
        }

        if (Own(parameters, "") is { Length: > 0 } direct)
        {
            skipped.Add(new SkippedModule("", module, direct));
        }

        return layers.Count > 0 ? new ModuleParts(layers, normalizations, skipped) : throw new AdmmKitException(
            $"The module '{NameOf(module)}' has no layer that can be compressed: it needs Conv2d or Linear modules inside it whose weights require gradients; it has "
            + (skipped.Count == 0 ? "no other module with numbers. " : string.Join(", ", skipped.Select(s => $"{s.Name} ({s.Kind})")) + ". ")
            + "Register them (RegisterComponents), and put a single layer into a Sequential.");
    }

    /// <summary>The same parts in the order of their first use, with the work of each layer: one forward pass says it.</summary>
    /// <param name="module">The module.</param>
    /// <param name="inputShape">Shape of one example.</param>
    /// <param name="device">Where the module is.</param>
    /// <exception cref="AdmmKitException">The example does not fit the module, or a layer is not reached.</exception>
    public ModuleParts Traced(nn.Module<Tensor, Tensor> module, IReadOnlyList<long> inputShape, Device device)
    {
        var used = new List<WeightedModule>();
        var macs = new Dictionary<string, long>(StringComparer.Ordinal);
        var remove = new List<Action>();
        foreach (WeightedModule layer in Layers)
        {
            var hook = layer.Module.register_forward_hook((_, _, output) =>
            {
                if (macs.TryAdd(layer.Name, 0))
                {
                    used.Add(layer);
                }

                macs[layer.Name] += output.numel() * layer.Columns;
                return output;
            });
            remove.Add(hook.remove);
        }

        try
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGradient = no_grad();
            module.eval();
            module.call(zeros([1, .. inputShape], ScalarType.Float32, device));
        }
        catch (Exception e) when (e is ExternalException or ArgumentException)
        {
            throw new AdmmKitException(
                $"The module '{NameOf(module)}' does not take an example of shape {string.Join("x", inputShape)}: {e.Message.Split('\n')[0]} Give data of the shape that it is for.", e);
        }
        finally
        {
            remove.ForEach(r => r());
        }

        if (Layers.FirstOrDefault(l => !macs.ContainsKey(l.Name)) is { } unused)
        {
            throw new AdmmKitException(
                $"Layer '{unused.Name}' is not reached by a forward pass: use it by call(x), not by forward(x), so that it is seen; remove it; "
                + "or switch its weights' requires_grad off, and it is left alone.");
        }

        return new ModuleParts([.. used.Select(l => l with { Macs = macs[l.Name] })], Normalizations, Skipped);
    }

    /// <summary>The layers and normalizations of a network, in its order.</summary>
    /// <param name="spec">What the module computes.</param>
    /// <exception cref="AdmmKitException">The module has others, or in other shapes.</exception>
    public ModuleParts InOrderOf(NetworkSpec spec)
    {
        WeightedModule[] layers = [.. spec.Layers.Select(wanted => Layer(wanted) with { Macs = wanted.Macs })];
        NormalizationModule[] normalizations = [.. spec.Normalizations.Select(Normalization)];
        string[] others =
        [
            .. Layers.Where(l => l.Weight.requires_grad).Select(l => l.Name).Except(layers.Select(l => l.Name)),
            .. Normalizations.Select(n => n.Name).Except(normalizations.Select(n => n.Name)),
        ];
        return others.Length == 0 ? new ModuleParts(layers, normalizations, Skipped) : throw new AdmmKitException(
            $"The module has layers that '{spec.Name}' has not: {string.Join(", ", others)}. Is it another network? Layers go by their names.");
    }

    /// <summary>The module's layer that a network's is.</summary>
    public WeightedModule Layer(LayerInfo wanted)
    {
        WeightedModule found = Layers.FirstOrDefault(l => l.Name == wanted.Name)
            ?? throw new AdmmKitException("In the module: " + AdmmKit.Names.Unknown("layer", wanted.Name, [.. Layers.Select(l => l.Name)]));
        return found.Info.Shape == wanted.Shape && found.Info.Kind == wanted.Kind ? found : throw new AdmmKitException(
            $"Layer '{found.Name}' of the module is {found.Info.Shape}, but {wanted.Shape} is given: is it another network, or are its groups others?");
    }

    /// <summary>The module's batch normalization that a network's is.</summary>
    public NormalizationModule Normalization(NormalizationInfo wanted)
    {
        NormalizationModule found = Normalizations.FirstOrDefault(n => n.Name == wanted.Name)
            ?? throw new AdmmKitException("In the module: " + AdmmKit.Names.Unknown("batch normalization", wanted.Name, [.. Normalizations.Select(n => n.Name)]));
        return found.Info == wanted ? found : throw new AdmmKitException(FormattableString.Invariant(
            $"Batch normalization '{found.Name}' of the module has {found.Info.Channels} channels, but {wanted.Channels} are given: is it another network?"));
    }

    private static void CheckType(string name, Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Float32)
        {
            throw new AdmmKitException($"'{name}' is in {tensor.dtype}: bring the module to float32 first, by module.to(ScalarType.Float32).");
        }
    }

    /// <summary>Tensors by name; of equal names the first.</summary>
    public static Dictionary<string, T> Named<T>(IEnumerable<(string Name, T Tensor)> tensors)
    {
        var result = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach ((string name, T tensor) in tensors)
        {
            result.TryAdd(name, tensor);
        }

        return result;
    }

    /// <summary>What a module holds itself, not by modules inside it.</summary>
    private static T[] Own<T>(Dictionary<string, T> all, string name)
    {
        string prefix = name.Length == 0 ? "" : name + ".";
        bool IsOwn(string key) => key.StartsWith(prefix, StringComparison.Ordinal) && !key.AsSpan(prefix.Length).Contains('.');
        return [.. all.Where(t => IsOwn(t.Key)).Select(t => t.Value)];
    }
}

/// <summary>A convolution or fully connected layer.</summary>
internal sealed record WeightedModule(string Name, nn.Module<Tensor, Tensor> Module, Parameter Weight, Parameter? Bias)
{
    /// <summary>Multiply-accumulates for one example, if known.</summary>
    public long Macs { get; init; }

    /// <summary>Weights that one output reads.</summary>
    public long Columns => Weight.numel() / Weight.shape[0];

    public LayerInfo Info
    {
        get
        {
            long[] shape = Weight.shape;
            return shape.Length == 4
                ? new(Name, LayerKind.Convolution, (int)shape[0], (int)shape[1], (int)shape[2], (int)shape[3], Macs)
                : new(Name, LayerKind.FullyConnected, (int)shape[0], (int)shape[1], 1, 1, Macs);
        }
    }
}

/// <summary>A batch normalization.</summary>
internal sealed record NormalizationModule(
    string Name, Parameter Scale, Parameter Shift, Tensor Mean, Tensor Variance, Tensor? BatchesTracked)
{
    public NormalizationInfo Info => new(Name, (int)Scale.numel());

    /// <summary>In the order of <see cref="NormalizationInfo.Count"/>.</summary>
    public IReadOnlyList<Tensor> Values => [Scale, Shift, Mean, Variance];
}

/// <summary>A module that is left as it is.</summary>
internal sealed record SkippedModule(string Name, nn.Module Module, IReadOnlyList<Parameter> Parameters)
{
    public string Kind => Module.GetType().Name;
}
