import type { Command } from 'commander';
import { addAll } from './flags.js';
import { engineFlags, jsonOption } from './options.js';
import type { Terminal } from './terminal.js';

/** Adds `sweep`. Each command's code is loaded when it is called. */
export function searchCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const search = program
    .command('sweep')
    .description('search the values of a recipe, and report what is noise')
    .option('--config <file>', 'YAML: a configuration of train in which values are ranges, and the key sweep')
    .option('--resume <folder>', 'continue a sweep that was stopped or killed, or work on one beside other processes')
    .option('--out <folder>', 'new folder (default: runs/sweep-TIME)');
  addAll(search, [...engineFlags(), jsonOption()])
    .addHelpText(
      'after',
      `
Ranges: lr: { log: [0.0001, 0.1] }, momentum: { range: [0.5, 0.99] }, batchSize: { int: [8, 64] } or { logInt: [8, 64] },
optimizer: { choice: [momentum, adam] }; with when: { optimizer: momentum } only beside those values.
See docs/sweep.md.`,
    )
    .action(async (options) => exit(await (await import('./commands/sweep.js')).sweep(options, terminal)));
}
