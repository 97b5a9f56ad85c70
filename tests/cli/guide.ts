import { z } from 'zod';
import { namedDatasets } from '../../src/run/catalog/datasets.js';
import { namedModels } from '../../src/run/catalog/models.js';
import { optimizers } from '../../src/run/optimizers.js';
import { describeDefault, type TrainingOption } from '../../src/run/option.js';
import { scheduleOptions } from '../../src/run/schedule.js';
import { trainingOptions } from '../../src/run/trainingOptions.js';
import { fixedTransformNames, optionNames, transformNames } from '../../src/vision/transforms/registry.js';

/** docs/options.md, which is made from the tables of the sources. */

/** A table as Biome formats it. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, i) => Math.max(3, ...[header, ...rows].map((row) => row[i].length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

const code = (text: string) => `\`${text}\``;
/** The values of an option that takes one of a few, where its help does not list them. */
function choices({ type, help }: TrainingOption): string {
  if (!(type instanceof z.ZodEnum)) return '';
  const values = type.options.map((value) => code(String(value)));
  return values.every((value) => help.includes(value)) ? '' : `: ${values.join(', ')}`;
}

const optionRows = Object.entries<TrainingOption>(trainingOptions).map(([key, option]) => [
  code(key),
  `${option.help}${choices(option)}${option.placeholder === null && key !== 'model' ? '; in files only' : ''}`,
  describeDefault(option),
]);

const modelRows = Object.entries(namedModels).map(([name, { title, inputShape, anySize, recipe }]) => [
  code(name),
  title,
  `${inputShape.join('×')}${anySize ? ', or another size' : ''}`,
  code(recipe.data.name),
  `${optimizers[recipe.optimizer.name].title}, rate ${recipe.optimizer.learningRate}, batch ${recipe.batchSize}, ${recipe.epochs} epochs`,
]);

const dataRows = Object.entries(namedDatasets).map(([name, { title, location, locationOptional }]) => {
  const place = location === null ? '' : locationOptional ? `, or ${code(`${name}:${location}`)}` : '';
  return [location === null || locationOptional ? code(name) + place : code(`${name}:${location}`), title];
});

const transformRows = transformNames.map((name) => [
  code(name),
  optionNames(name).map(code).join(', '),
  fixedTransformNames.includes(name) ? 'always the same; in evaluation and prediction too' : 'random; in training only',
]);

export const optionsPage = `# Options of a training

This page is made from the tables of the sources: \`npm run docs:options\`. \`docs/training.md\` explains how to use the options.

## Keys of a configuration file

On the command line \`batchSize\` is \`--batch-size\`, and so on.

${table(['key', 'meaning', 'default'], optionRows)}

## Networks

${table(['name', 'network', 'images', 'usual data', 'usual recipe'], modelRows)}

## Data sets

${table(['name', 'data'], dataRows)}

## Optimizers

${table(
  ['name', 'optimizer'],
  Object.entries(optimizers).map(([name, { title }]) => [code(name), title]),
)}

## Schedules

${table(
  ['name', 'options'],
  Object.entries(scheduleOptions).map(([name, options]) => [code(name), options.map(code).join(', ')]),
)}

## Transforms

${table(['name', 'options', 'effect'], transformRows)}
`;
