import type { Json } from '../text/json.js';
import { formatMetric, formatPercent } from '../text/numbers.js';
import { searched } from './decide.js';
import type { SweepDefinition } from './definition.js';
import type { Values } from './space.js';
import type { Candidate, OverSeeds, SweepSummary } from './summary.js';

type Metric = SweepSummary['metric'];

export function shownMetric(metric: Metric, value: number): string {
  return metric === 'accuracy' ? formatPercent(value) : formatMetric(value);
}

/** A difference of two metrics: in points of percent for accuracies. */
export function shownDifference(metric: Metric, difference: number): string {
  const sign = difference < 0 ? '−' : '+';
  const size = Math.abs(difference);
  return `${sign}${metric === 'accuracy' ? `${(100 * size).toFixed(2)} points` : formatMetric(size)}`;
}

/** `96.20 % ± 0.11`: mean and standard deviation. */
export function shownSeeds(metric: Metric, { mean, deviation }: OverSeeds): string {
  const spread = metric === 'accuracy' ? (100 * deviation).toFixed(2) : formatMetric(deviation);
  return `${shownMetric(metric, mean)} ± ${spread}`;
}

/** `lr 0.012, momentum 0.9`: the values of the search. */
export function shownValues(definition: Pick<SweepDefinition, 'parameters'>, values: Values): string {
  const own = Object.entries(searched(definition, values));
  return own.map(([key, value]) => `${key} ${shownValue(value)}`).join(', ');
}

function shownValue(value: Json): string {
  if (typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-3)
    return value.toExponential().replace('e+', 'e');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function nameOf({ trial }: Pick<Candidate, 'trial'>): string {
  return trial === 0 ? 'plain recipe' : `trial ${trial}`;
}

/** The findings of a sweep, in sentences. */
export function findings(summary: SweepSummary, definition: SweepDefinition): string[] {
  const { metric, candidates, group, noComparison, luck, test, borders, plain, trials, importance } = summary;
  const [first] = candidates;
  const { seeds } = definition.settings;
  const said: string[] = [];
  if (plain !== null) {
    const noise =
      plain.deviation > 0
        ? `differences of about ${shownDifference(metric, plain.deviation).slice(1)} are noise of the seed`
        : 'the same with each seed, as of a network that learns nothing';
    said.push(`The plain recipe has ${shownSeeds(metric, plain)} over ${plain.values.length} seeds: ${noise}.`);
  }
  if (first === undefined) {
    said.push(
      trials.whole === 0
        ? 'No trial has finished a whole training.'
        : 'No recipe has been repeated with all fresh seeds yet.',
    );
    return said;
  }
  const values = first.trial === 0 ? '' : ` (${shownValues(definition, first.values)})`;
  said.push(`Best over ${seeds} fresh seeds: ${nameOf(first)}${values}, ${shownSeeds(metric, first.fresh)}.`);
  if (group !== null) {
    const others = group.filter((trial) => trial !== first.trial).map((trial) => nameOf({ trial }));
    said.push(
      others.length === 0
        ? 'All other repeated recipes are significantly worse.'
        : `Not to be distinguished from it, with the noise of images and seeds: ${others.join(', ')}. Choose among them by cost or simplicity.`,
    );
  } else if (noComparison !== null) said.push(`There is no comparison: ${noComparison}.`);
  if (luck !== null) {
    const lucky = metric === 'accuracy' ? luck.best - luck.fresh : luck.fresh - luck.best;
    const share =
      lucky > 0 ? `${shownDifference(metric, lucky).slice(1)} of it were luck` : 'it was no luckier than others';
    said.push(
      `The best trial of the search had ${shownMetric(metric, luck.best)} there and has ${shownMetric(metric, luck.fresh)} on fresh ` +
        `seeds: ${share}; the noise of the seed alone lets expect ${shownDifference(metric, luck.expected).slice(1)}.`,
    );
  }
  if (test !== null) {
    const [low, high] = test.interval;
    said.push(
      `The ${test.images} test images, which chose nothing, say ${formatPercent(test.accuracy)} (95 % interval ` +
        `${formatPercent(low)} to ${formatPercent(high)}).`,
    );
  } else said.push('There are no test images: the metric of the best recipe is that of the images that chose it.');
  for (const { key, value, end } of borders) {
    const todo = end === 'low' ? 'smaller' : 'larger';
    said.push(
      `The best ${key}, ${shownValue(value)}, is at the border of its range: a range with ${todo} values may have a better one.`,
    );
  }
  for (const { key, share, interval, trials: count } of importance) {
    if (share === null || interval === null) {
      said.push(`${count} trials are too few to say how much ${key} matters.`);
    } else {
      said.push(
        `${key} alone explains ${formatPercent(share, 0)} of the order of the trials (95 % interval ${formatPercent(interval[0], 0)} to ` +
          `${formatPercent(interval[1], 0)}).`,
      );
    }
  }
  return said;
}
