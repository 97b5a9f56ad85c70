import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { addAll, numberOf, trainingFlags } from './flags.js';
import { engineFlags, jsonOption, positiveInteger } from './options.js';
import type { Terminal } from './terminal.js';

const positiveNumber = numberOf(z.number().gt(0).describe('a number above 0'));

/** Adds `sweep`, `lr-find` and `models`. Each command's code is loaded when it is called. */
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

  const rates = program
    .command('lr-find')
    .description('look for a learning rate: the loss of steps whose rate grows until it explodes')
    .addArgument(new Argument('[model]', 'network, such as lenet'))
    .option('--config <file>', 'YAML with the options of train')
    .option('--from <rate>', 'first rate (default: 1e-7)', positiveNumber)
    .option('--to <rate>', 'last rate (default: 10)', positiveNumber)
    .option('--steps <n>', 'steps, at least 20 (default: 100)', positiveInteger)
    .option('--report <file>', 'new HTML file with the curve');
  const unused = ['out', 'lr', 'epochs', 'saveSteps', 'logEvery', 'tensorBoard', 'folds'];
  const options = trainingFlags().filter((option) => !unused.includes(option.attributeName()));
  addAll(rates, [...options, jsonOption()]).action(async (name: string | undefined, given, command: Command) => {
    const keys = Object.keys(given).filter((key) => command.getOptionValueSource(key) === 'cli');
    exit(await (await import('./commands/lrFind.js')).lrFind(name, given, keys, terminal));
  });

  const list = program
    .command('models')
    .description('list networks: parameters, operations, input, weights, and images a second here')
    .argument('[pattern]', "part of a name, or a pattern such as 'resnet*' (default: all)")
    .option('--measure', 'measure training steps and predictions, and keep the results')
    .option('--batch <n>', 'with --measure: images at once (default: 10)', positiveInteger)
    .option('--steps <n>', 'with --measure: measured steps (default: two seconds of them)', positiveInteger);
  addAll(list, [...engineFlags(), jsonOption()]).action(async (pattern: string | undefined, given) =>
    exit(await (await import('./commands/models.js')).models(pattern, given, terminal)),
  );
}
