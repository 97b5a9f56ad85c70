import { Argument, type Command } from 'commander';
import { jsonOption } from './options.js';
import type { Terminal } from './terminal.js';

/** Adds `runs list|show|compare|export`. Each command's code is loaded when it is called. */
export function runCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const runs = program.command('runs').description('list, show and compare trainings by their run folders');
  const folder = () => new Argument('[folder]', 'folder with run folders').default('runs');
  const filtered = (command: Command) =>
    command
      .addArgument(folder())
      .option('--model <model>', 'runs of this network alone')
      .option('--data <kind>', 'runs on this kind of data alone, such as folder')
      .option('--sort <column>', 'column to sort by: started, accuracy, loss, testAccuracy … (default: started)');

  filtered(runs.command('list', { isDefault: true }).description('list runs with their metrics'))
    .addOption(jsonOption())
    .action(async (path, options) =>
      exit(await (await import('./commands/runFolders/list.js')).listOfRuns(path, options, terminal)),
    );
  runs
    .command('show')
    .description('show state, metrics and settings of a run')
    .argument('<run>', 'folder of a training')
    .addOption(jsonOption())
    .action(async (path, options) =>
      exit(await (await import('./commands/runFolders/compare.js')).showRun(path, options, terminal)),
    );
  runs
    .command('compare')
    .description('show settings and metrics of runs beside each other')
    .argument('<run...>', 'folders of trainings')
    .option('--diff', 'only the settings that differ')
    .addOption(jsonOption())
    .action(async (paths, options) =>
      exit(await (await import('./commands/runFolders/compare.js')).compareRunSettings(paths, options, terminal)),
    );
  filtered(runs.command('export').description('write the list of runs as a table with commas'))
    .option('--csv', 'the form of the table, which is the only one')
    .option('--out <file>', 'a new file for it (default: standard output)')
    .action(async (path, options) =>
      exit(await (await import('./commands/runFolders/list.js')).exportRuns(path, options, terminal)),
    );
}
