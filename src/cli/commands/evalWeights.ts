import { InputError } from '../../errors.js';
import { namedModel } from '../../run/catalog/models.js';
import { evaluateWeights, type WeightsEvaluation } from '../../run/evaluateWeights.js';
import { imageLoadingOf } from '../../run/runOptionsOf.js';
import { wilsonInterval } from '../../statistics/index.js';
import { formatCount, formatMetric } from '../../text/numbers.js';
import { option } from '../../text/option.js';
import { EvaluationDisplay } from '../display.js';
import { applyPrecision, type EvalCommandOptions } from '../options.js';
import { accuracyFact, hashFacts, printConfusion } from '../results.js';
import { print, printFacts, printJson, printSentences, type Terminal } from '../terminal.js';
import { passedOverFacts } from '../understood.js';

/** Options that need the run folder of a training. */
const ofRuns = [
  'best',
  'tta',
  'fixes',
  'positive',
  'threshold',
  'screening',
  'intervals',
  'report',
  'predictions',
] as const;

/** Whether the argument is a file of weights, not a run folder. */
export function isWeightsFile(path: string): boolean {
  return /\.(safetensors|pdparams)$/i.test(path);
}

/** Evaluates a file of weights by the record in it. */
export async function evaluateWeightsFile(
  path: string,
  options: EvalCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const given = ofRuns.find((name) => options[name] !== undefined);
  if (given !== undefined) {
    throw new InputError(
      `[eval] ${path}: expected no ${option(given)} with a file of weights, since only a run folder has what it needs; ` +
        'leave it out',
    );
  }
  applyPrecision(options.precision, 'float32');
  const { data, split, dataDir, batchSize, json = false } = options;
  const display = new EvaluationDisplay(terminal, json);
  try {
    const imageLoading = imageLoadingOf(options);
    const result = await evaluateWeights(path, { data, split, dataDir, imageLoading, batchSize, ...display.hooks });
    display.end();
    if (json) printJson(terminal, 'eval.weights', forMachines(path, result));
    else show(result, terminal);
    return 0;
  } finally {
    display.end();
  }
}

function forMachines(path: string, result: WeightsEvaluation) {
  const { record, samples, loss, accuracy, confusion, split, data, title, synthetic, weightsSha256 } = result;
  const correct = confusion.reduce((sum, row, i) => sum + row[i], 0);
  return {
    weights: path,
    model: record.model,
    data: record.data,
    title,
    synthetic,
    split,
    images: samples,
    source: data.source,
    passedOver: result.understood.passedOver,
    sha256: data.sha256,
    unreadable: data.unreadable,
    weightsSha256,
    loss,
    accuracy,
    accuracyInterval: wilsonInterval(correct, samples),
    confusion,
  };
}

function show(result: WeightsEvaluation, terminal: Terminal): void {
  const { record, samples, data, title, synthetic, understood, loss, confusion, weightsSha256 } = result;
  print(terminal, `${namedModel(record.model).title} on ${title}`);
  printFacts(terminal, [
    ['images', formatCount(samples)],
    ['source', data.source],
    ...passedOverFacts(understood),
    accuracyFact(confusion),
    ['loss', formatMetric(loss)],
    ...hashFacts(data.sha256, weightsSha256),
  ]);
  for (const note of understood.notes) printSentences(terminal, `  Note: ${note}`);
  if (synthetic) printSentences(terminal, '  Note: these are drawn pictures, not photographs.');
  print(terminal, '');
  printConfusion(terminal, record.classNames, confusion);
}
