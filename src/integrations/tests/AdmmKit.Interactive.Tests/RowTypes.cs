using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using AdmmKit.Experiments.Results;
using AdmmKit.Jupyter.Files;
using AdmmKit.Networks;
using AdmmKit.Notebooks;

namespace AdmmKit.Interactive.Tests;

/// <summary>All types of rows of AdmmKit, found by reflection: its public records, whatever they are for; and rows of them.</summary>
internal static class RowTypes
{
    private static readonly Assembly[] Assemblies = [.. Closure(typeof(ResultRow).Assembly, typeof(NotebookFile).Assembly)];

    /// <summary>Types by their names. Charts and tables are shown as they are; abstract ones have no row of their own.</summary>
    public static IReadOnlyDictionary<string, Type> All { get; } = Assemblies.SelectMany(a => a.GetExportedTypes())
        .Where(t => IsRecord(t) && !t.IsAbstract && !t.IsAssignableTo(typeof(IDisplayable)))
        .ToDictionary(t => t.FullName!, StringComparer.Ordinal);

    /// <summary>A row of a type, another one for another number.</summary>
    public static object Sample(Type type, int number) => Value(type, number, 0)!;

    private static bool IsRecord(Type type) => type.IsValueType
        ? type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null && !type.IsGenericType
        : type.GetMethod("<Clone>$") is not null;

    private static IEnumerable<Assembly> Closure(params Assembly[] assemblies)
    {
        var found = new HashSet<Assembly>();
        var open = new Stack<Assembly>(assemblies);
        while (open.TryPop(out Assembly? assembly))
        {
            if (found.Add(assembly))
            {
                foreach (AssemblyName name in assembly.GetReferencedAssemblies()
                    .Where(n => n.Name!.StartsWith("AdmmKit", StringComparison.Ordinal)))
                {
                    open.Push(Assembly.Load(name));
                }
            }
        }

        return found.OrderBy(a => a.GetName().Name, StringComparer.Ordinal);
    }

    private static object? Value(Type type, int number, int depth)
    {
        // What refers to itself ends somewhere.
        if (depth > 4)
        {
            return type.IsValueType ? Activator.CreateInstance(type) : null;
        }

        return type switch
        {
            _ when Nullable.GetUnderlyingType(type) is { } own => number % 2 == 0 ? null : Value(own, number, depth),
            _ when type == typeof(string) => number % 3 == 2 ? "" : $"text, \"{number}\"",
            _ when type == typeof(object) => number,
            _ when type == typeof(bool) => number % 2 == 1,
            _ when type == typeof(int) || type == typeof(long) => Convert.ChangeType(number + 1, type, null),
            _ when type == typeof(double) || type == typeof(float) => Convert.ChangeType(number + 0.25, type, null),
            _ when type == typeof(Type) => typeof(int),
            _ when type.IsEnum => Enum.GetValues(type).GetValue(number % Enum.GetValues(type).Length),
            _ when type.IsArray => Filled(Array.CreateInstance(type.GetElementType()!, 2), type.GetElementType()!, number, depth),
            _ when type.IsGenericType && Generic(type, number, depth) is { } generic => generic,
            _ when IsRecord(type) && !type.IsAbstract => Record(type, number, depth),
            _ when type.IsValueType => Activator.CreateInstance(type),
            _ => null,
        };
    }

    private static object Record(Type type, int number, int depth)
    {
        ConstructorInfo constructor = type.GetConstructors().MaxBy(c => c.GetParameters().Length)!;
        object record = constructor.Invoke([.. constructor.GetParameters().Select(p => Value(p.ParameterType, number, depth + 1))]);
        foreach (PropertyInfo property in type.GetProperties().Where(p => p.SetMethod is { IsPublic: true }))
        {
            property.SetValue(record, Value(property.PropertyType, number, depth + 1));
        }

        return record;
    }

    private static object? Generic(Type type, int number, int depth)
    {
        Type[] of = type.GetGenericArguments();
        Type definition = type.GetGenericTypeDefinition();
        if (definition == typeof(ReadOnlyMemory<>))
        {
            return Activator.CreateInstance(type, Value(of[0].MakeArrayType(), number, depth));
        }

        if (definition.FullName!.StartsWith("System.ValueTuple`", StringComparison.Ordinal))
        {
            return Activator.CreateInstance(type, [.. of.Select(t => Value(t, number, depth + 1))]);
        }

        if (of.Length == 1 && type.IsAssignableFrom(of[0].MakeArrayType()))
        {
            return Value(of[0].MakeArrayType(), number, depth);
        }

        Type dictionary = typeof(Dictionary<,>).MakeGenericType(of.Length == 2 ? of : [typeof(string), of[0]]);
        if (!type.IsAssignableFrom(dictionary))
        {
            return null;
        }

        var filled = (IDictionary)Activator.CreateInstance(dictionary)!;
        filled.Add(Value(of[0], 1, 0)!, Value(of[1], number, depth + 1));
        return filled;
    }

    private static Array Filled(Array array, Type of, int number, int depth)
    {
        for (int i = 0; i < array.Length; i++)
        {
            array.SetValue(Value(of, number + i, depth + 1), i);
        }

        return array;
    }
}
