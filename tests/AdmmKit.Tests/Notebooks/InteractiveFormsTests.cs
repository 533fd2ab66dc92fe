using System.Collections;
using System.Linq.Expressions;
using System.Reflection;
using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Tests.Notebooks;

/// <summary>
/// Plays the part of .NET Interactive: finds forms by nothing but names, as TryRegisterFromFormatterSources in its public
/// Formatter.cs does.
/// </summary>
public class InteractiveFormsTests
{
    [Fact]
    public void Whatever_can_be_shown_shows_there_in_all_its_forms()
    {
        IDisplayable[] shown = [.. Shown.All.Values.Select(s => s()).DistinctBy(s => s.GetType())];
        Type[] types = [.. new[] { typeof(IDisplayable), typeof(ComparisonTable) }.SelectMany(t => t.Assembly.GetTypes())
            .Where(t => t.IsAssignableTo(typeof(IDisplayable)) && !t.IsInterface)];
        Assert.Equal(types.Select(t => t.Name).Order(), shown.Select(s => s.GetType().Name).Order());
        foreach (IDisplayable one in shown)
        {
            (Dictionary<string, Func<object, TextWriter, bool>> formatters, string[] preferred) = Found(one.GetType());
            MimeBundle bundle = one.ToBundle();
            Assert.Equal(bundle.Data.Keys.Order(), preferred.Order());
            // Its default comes first, and a type whose forms are preferred must be able to write each.
            Assert.Equal(MimeTypes.Html, preferred[0]);
            foreach (string type in preferred)
            {
                using var writer = new StringWriter();
                Assert.True(formatters[type](one, writer));
                Assert.Equal(bundle.Data[type], writer.ToString());
            }
        }
    }

    private static (Dictionary<string, Func<object, TextWriter, bool>> Formatters, string[] Preferred) Found(Type type)
    {
        var formatters = new Dictionary<string, Func<object, TextWriter, bool>>();
        object attribute = Assert.Single(type.GetCustomAttributes(true), a => a.GetType().Name == "TypeFormatterSourceAttribute");
        object source = Activator.CreateInstance((Type)Property(attribute, "FormatterSourceType"))!;
        var made = (IEnumerable)source.GetType().GetMethod("CreateTypeFormatters")!.Invoke(source, null)!;
        foreach (object formatter in made)
        {
            MethodInfo method = formatter.GetType().GetMethod("Format")!;
            ParameterExpression value = Expression.Parameter(typeof(object)), writer = Expression.Parameter(typeof(TextWriter));
            formatters.Add((string)Property(formatter, "MimeType"), Expression.Lambda<Func<object, TextWriter, bool>>(
                Expression.Call(Expression.Constant(formatter), method, value, writer), value, writer).Compile());
            // Without it the type that has the attribute is formatted; with it, that one.
            Assert.Null(formatter.GetType().GetProperty("Type"));
        }

        return (formatters, (string[])Property(attribute, "PreferredMimeTypes"));
    }

    private static object Property(object from, string name) => from.GetType().GetProperty(name)!.GetGetMethod()!.Invoke(from, null)!;
}
