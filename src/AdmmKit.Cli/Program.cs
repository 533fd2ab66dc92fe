using AdmmKit.Cli;

return CommandLineTool.Run(args);
