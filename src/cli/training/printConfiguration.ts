import { stringify } from 'yaml';
import { InputError } from '../../errors.js';
import { completeConfiguration } from '../../run/completeConfiguration.js';
import { version } from '../../version.js';
import { print, printJson, type Terminal } from '../terminal.js';
import type { TrainCommandOptions } from './open.js';

/** Width of a line of YAML; longer values continue in the next one. */
const lineWidth = 110;

/**
 * Prints the configuration of a training: options in use as YAML, the others as comments with their defaults.
 *
 * @throws {InputError} as the training, as far as errors show without the data
 */
export function printConfiguration(model: string | undefined, options: TrainCommandOptions, terminal: Terminal): void {
  if (model === undefined) throw new InputError('[train] model: expected a network such as lenet, got none');
  const all = completeConfiguration(model, options);
  const used = all.filter(({ value }) => value !== undefined);
  if (options.json) {
    printJson(terminal, 'train.configuration', {
      configuration: Object.fromEntries(used.map(({ key, value }) => [key, value])),
    });
    return;
  }
  const unused = all.filter(({ value }) => value === undefined);
  const lines = [
    `# Configuration of a training with Fovea ${version}, for train --config FILE`,
    ...used.map(({ key, value }) => stringify({ [key]: value }, { lineWidth }).trimEnd()),
    '',
    '# Not used, or decided by the data; with defaults:',
    ...unused.map(({ key, usual }) => `# ${key}: ${usual.replaceAll('`', '')}`),
  ];
  print(terminal, lines.join('\n'));
}
