import { namedModels } from '../run/catalog/models.js';
import { scheduleOptions } from '../run/schedule.js';
import { transformNames } from '../vision/transforms/registry.js';

const width = 100;

/** Names below a title, in lines of the usual width. */
function list(title: string, names: readonly string[]): string {
  const lines = [`${title}:`];
  for (const name of names) {
    const word = name === names.at(-1) ? name : `${name},`;
    if (lines[lines.length - 1].length + word.length >= width) lines.push(' ');
    lines[lines.length - 1] += ` ${word}`;
  }
  return lines.join('\n');
}

/** The end of the help of `train`: all names that its options take. */
export function trainNotes(): string {
  return [
    '',
    'Options that are left out are taken from the recipe of the network.',
    '',
    list('Networks', Object.keys(namedModels)),
    list('Transforms', transformNames),
    list('Schedules (with --config)', Object.keys(scheduleOptions)),
  ].join('\n');
}
