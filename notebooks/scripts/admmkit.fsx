// What every F# script here stands on. "Unable to find the file .../AdmmKit.dll" means that AdmmKit is not built yet:
//
//   dotnet build src/AdmmKit.Experiments -c Release
#r "../../src/AdmmKit.Experiments/bin/Release/net10.0/AdmmKit.dll"
#r "../../src/AdmmKit.Experiments/bin/Release/net10.0/AdmmKit.Engine.dll"
#r "../../src/AdmmKit.Experiments/bin/Release/net10.0/AdmmKit.Hardware.dll"
#r "../../src/AdmmKit.Experiments/bin/Release/net10.0/AdmmKit.Notebooks.dll"
#r "../../src/AdmmKit.Experiments/bin/Release/net10.0/AdmmKit.Storage.dll"
#r "../../src/AdmmKit.Experiments/bin/Release/net10.0/AdmmKit.Experiments.dll"
