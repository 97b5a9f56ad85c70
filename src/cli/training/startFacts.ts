import type { Understanding } from '../../run/catalog/datasets.js';
import { namedDataset } from '../../run/catalog/datasets.js';
import { namedModel } from '../../run/catalog/models.js';
import type { RunConfig } from '../../run/config.js';
import { recipeLine } from '../../run/describe.js';
import { unreadableOf } from '../../run/imageLoading.js';
import { describeInputs, fixedNames } from '../../run/inputPipeline.js';
import { describePositive, positiveOf } from '../../run/positive.js';
import { weightsRecordOf } from '../../run/weightsRecord.js';
import { formatCount } from '../../text/numbers.js';
import { visibleLine } from '../../text/visible.js';
import { understoodFacts } from '../understood.js';

/** The first lines of a training: network, data, recipe and engine. */

type Facts = [name: string, value: string][];

/** `LeNet on MNIST` */
export function startTitle({ model, data }: RunConfig): string {
  return `${namedModel(model.name).title} on ${data.title}`;
}

export function startFacts(config: RunConfig, understood: Understanding): Facts {
  const { model, data, recipe, engine, seed } = config;
  return [
    ['parameters', formatCount(model.parameters)],
    ['data', imagesLine(data, namedDataset(data.name).evalName)],
    ['classes', classLine(data)],
    ['source', data.train.source],
    ...understoodFacts(understood, data),
    ...unreadableFacts(unreadableOf(data)),
    ...(model.pretrained === undefined ? [] : [['weights', model.pretrained.path] as Facts[0]]),
    ...inputFacts(config),
    ...positiveFacts(config),
    ['recipe', recipeLine(recipe)],
    ['seed', String(seed)],
    ['engine', `${engine.description}, ${engine.threads === 1 ? 'one thread' : `up to ${engine.threads} threads`}`],
  ];
}

function positiveFacts(config: RunConfig): [string, string][] {
  const positive = positiveOf(config);
  return positive === null ? [] : [['positive class', describePositive(positive)]];
}

function inputFacts(config: RunConfig): [string, string][] {
  const fixed = fixedNames(config.recipe).length > 0;
  if (!fixed && config.model.pretrained === undefined) return [];
  const inputs = describeInputs(weightsRecordOf(config));
  return [['inputs', `${inputs}${fixed ? '; in evaluation and prediction too' : ''}`]];
}

function imagesLine({ train, eval: evaluated, test }: RunConfig['data'], evalName: string): string {
  const [training, validation] = [formatCount(train.images), `${formatCount(evaluated.images)} ${evalName}`];
  return test === undefined
    ? `${training} training and ${validation} images`
    : `${training} training, ${validation} and ${formatCount(test.images)} test images`;
}

const mostClasses = 6;

/** `cat 120 + 30, dog 80 + 20 (training + validation)`, or the smallest and the largest of many classes. */
function classLine({ classNames, train, eval: evaluated }: RunConfig['data']): string {
  const names = classNames.map(visibleLine);
  const counts = train.classCounts;
  if (names.length <= mostClasses) {
    const each = names.map((name, i) => `${name} ${formatCount(counts[i])} + ${formatCount(evaluated.classCounts[i])}`);
    return `${each.join(', ')} (training + validation)`;
  }
  const extreme = (count: number) => `${formatCount(count)} (${names[counts.indexOf(count)]})`;
  return `${names.length}, of ${extreme(Math.min(...counts))} to ${extreme(Math.max(...counts))} training images`;
}

function unreadableFacts({ train, eval: evaluated }: ReturnType<typeof unreadableOf>): [string, string][] {
  if (train + evaluated === 0) return [];
  const count = train + evaluated === 1 ? '1 picture' : `${formatCount(train + evaluated)} pictures`;
  const where = `${formatCount(train)} for training, ${formatCount(evaluated)} for validation`;
  return [['unreadable', `${count}, left out (${where}); config.json lists them`]];
}
