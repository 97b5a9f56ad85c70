import type { RandomGenerator } from '../random.js';
import type { Json } from '../text/json.js';
import { choicesOf, choose, type Parameter, placeOf, type Range, randomValues, type Values, valueAt } from './space.js';

/** A trial with the value to minimize. */
export interface Observation {
  readonly values: Values;
  readonly cost: number;
}

/** Share of the trials that count as good, and the most of them. */
const goodShare = 0.25;
const mostGood = 25;
/** Candidates of which the most promising one is taken. */
const candidates = 24;

/**
 * Share of the proposals that are at random, as in BOHB (Falkner et al., 2018): where only noise
 * distinguishes the first trials, the estimators alone may never leave a region without good ones.
 */
const exploredShare = 0.2;

/** Trials at random before the first proposal. */
function randomTrials(parameters: readonly Parameter[]): number {
  return Math.max(5, 2 * parameters.length + 1);
}

/**
 * Proposes values by tree-structured Parzen estimators (Bergstra et al., 2011): for each parameter the
 * value, of some sampled ones, that is much more frequent among good trials than among others.
 */
export function propose(
  parameters: readonly Parameter[],
  observations: readonly Observation[],
  generator: RandomGenerator,
): Values {
  if (observations.length < randomTrials(parameters) || generator.uniform() < exploredShare) {
    return randomValues(parameters, generator);
  }
  const sorted = [...observations].sort((a, b) => a.cost - b.cost);
  const count = Math.min(mostGood, Math.max(2, Math.ceil(goodShare * sorted.length)));
  const [good, bad] = [sorted.slice(0, count), sorted.slice(count)];
  return choose(parameters, ({ key, range }) => {
    const placesIn = (trials: readonly Observation[]) =>
      trials.filter(({ values }) => Object.hasOwn(values, key)).map(({ values }) => placeOf(range, values[key]));
    return range.kind === 'choice'
      ? bestChoice(range, placesIn(good), placesIn(bad), generator)
      : bestNumber(range, placesIn(good), placesIn(bad), generator);
  });
}

function bestChoice(range: Range, good: readonly number[], bad: readonly number[], generator: RandomGenerator): Json {
  const count = choicesOf(range);
  const shares = (places: readonly number[]) =>
    Array.from(
      { length: count },
      (_, i) => (1 + places.filter((place) => place === i).length) / (count + places.length),
    );
  const [likely, unlikely] = [shares(good), shares(bad)];
  let best = 0;
  let score = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < candidates; i++) {
    const candidate = sampleIndex(likely, generator);
    const own = likely[candidate] / unlikely[candidate];
    if (own > score) [best, score] = [candidate, own];
  }
  return valueAt(range, (best + 0.5) / count);
}

function sampleIndex(shares: readonly number[], generator: RandomGenerator): number {
  let left = generator.uniform();
  for (const [i, share] of shares.entries()) {
    left -= share;
    if (left < 0) return i;
  }
  return shares.length - 1;
}

function bestNumber(range: Range, good: readonly number[], bad: readonly number[], generator: RandomGenerator): Json {
  const [likely, unlikely] = [new Parzen(good), new Parzen(bad)];
  let best = 0.5;
  let score = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < candidates; i++) {
    const candidate = likely.sample(generator);
    const own = Math.log(likely.density(candidate)) - Math.log(unlikely.density(candidate));
    if (own > score) [best, score] = [candidate, own];
  }
  return valueAt(range, best);
}

/** A mixture of normal distributions on [0, 1]: one at each place, and a wide one in the middle. */
class Parzen {
  readonly #means: readonly number[];
  readonly #widths: readonly number[];

  constructor(places: readonly number[]) {
    const sorted = [...places, 0.5].sort((a, b) => a - b);
    const prior = sorted.indexOf(0.5);
    const least = 1 / Math.min(100, sorted.length + 1);
    this.#means = sorted;
    // Each width is the distance of the farther neighbor, so that lonely places spread.
    this.#widths = sorted.map((mean, i) => {
      if (i === prior) return 1;
      const before = mean - (i === 0 ? 0 : sorted[i - 1]);
      const after = (i === sorted.length - 1 ? 1 : sorted[i + 1]) - mean;
      return Math.min(1, Math.max(least, before, after));
    });
  }

  sample(generator: RandomGenerator): number {
    const i = generator.int(this.#means.length);
    for (let tries = 0; tries < 100; tries++) {
      const place = this.#means[i] + this.#widths[i] * generator.normal();
      if (place >= 0 && place <= 1) return place;
    }
    return this.#means[i];
  }

  density(x: number): number {
    const sum = this.#means.reduce((total, mean, i) => {
      const z = (x - mean) / this.#widths[i];
      return total + Math.exp((-z * z) / 2) / this.#widths[i];
    }, 0);
    return sum / this.#means.length + 1e-12;
  }
}
