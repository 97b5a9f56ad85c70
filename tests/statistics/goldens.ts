import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ClassPredictions, MetricValue } from '../../src/statistics/index.js';

type Numbers = readonly number[];
type Undefinable = readonly (number | null)[];
interface Ratio {
  readonly value: number;
  readonly interval: Numbers | null;
}
/** Scores of two classifiers for the same samples, with their areas under ROC curves. */
interface TwoScores {
  readonly name: string;
  readonly labels: Numbers;
  readonly a: Numbers;
  readonly b: Numbers;
  readonly areas: Numbers;
  readonly standardErrors: Numbers;
}
type Means = Readonly<Record<'ppv' | 'sensitivity' | 'f1', Undefinable>>;

/** Contents of the golden files; `make_statistics.py`, `make_abstention.py` and `make_roc.R` beside them say how each is computed. */
interface Goldens {
  readonly classes: readonly {
    readonly name: string;
    readonly labels: Numbers;
    /** Multiples of 1/1024. */
    readonly probabilities: Numbers;
    readonly classes: number;
    readonly matrix: readonly Numbers[];
    readonly perClass: Means;
    readonly macro: Means;
    readonly weighted: Means;
    readonly ratios: readonly {
      /** TP, FP, FN, TN. */
      readonly counts: readonly [number, number, number, number];
      readonly positive: Ratio | null;
      readonly negative: Ratio | null;
    }[];
    readonly kappa: Readonly<Record<'none' | 'linear' | 'quadratic', { value: number; standardError: number }>>;
    readonly accuracy: number;
    readonly balancedAccuracy: number | null;
    readonly matthews: number;
    readonly auc: number | null;
    readonly averagePrecision: number | null;
    readonly logLoss: number;
    readonly brierScore: number;
  }[];
  readonly intervals: {
    readonly normal: { readonly points: Numbers; readonly cdf: Numbers };
    readonly quantiles: { readonly shares: Numbers; readonly values: Numbers };
    readonly beta: readonly { readonly a: number; readonly b: number; readonly x: number; readonly cdf: number }[];
    readonly clopperPearson: readonly { readonly hits: number; readonly total: number; readonly interval: Numbers }[];
    readonly wilson: readonly { readonly hits: number; readonly total: number; readonly interval: Numbers }[];
    readonly bootstrap: readonly {
      readonly name: string;
      readonly value: number;
      readonly replicates: Numbers;
      readonly jackknife: Numbers;
      readonly bca: Numbers;
      readonly percentile: Numbers;
    }[];
  };
  readonly comparisons: {
    readonly delong: readonly {
      readonly name: string;
      readonly labels: Numbers;
      readonly a: Numbers;
      readonly b: Numbers;
      readonly areas: Numbers;
      readonly difference: number;
      readonly standardError: number;
      readonly z: number;
      readonly pValue: number;
      readonly interval: Numbers;
    }[];
    readonly mcnemar: readonly {
      readonly onlyA: number;
      readonly onlyB: number;
      readonly exact: number;
      readonly statistic: number;
      readonly corrected: number;
    }[];
    readonly holm: readonly { readonly values: Numbers; readonly adjusted: Numbers }[];
  };
  readonly roc: {
    readonly pairs: readonly (TwoScores & {
      readonly covariance: number;
      readonly z: number;
      readonly pValue: number;
      readonly interval: Numbers;
    })[];
    readonly groups: readonly (TwoScores & {
      readonly groups: Numbers;
      /** Standard error of the difference of the areas. */
      readonly difference: number;
    })[];
    readonly predictive: readonly {
      /** True positives, positives, true negatives, negatives. */
      readonly counts: readonly [number, number, number, number];
      readonly prevalence: number;
      readonly ppv: Ratio;
      readonly npv: Ratio;
    }[];
  };
  readonly areas: {
    readonly sizes: readonly {
      readonly auc: number;
      readonly prevalence: number;
      readonly halfWidth: number;
      readonly positives: number;
      readonly negatives: number;
    }[];
    readonly intervals: readonly {
      readonly auc: number;
      readonly positives: number;
      readonly negatives: number;
      readonly interval: Numbers;
    }[];
  };
  readonly abstention: readonly {
    readonly classes: number;
    readonly labels: Numbers;
    readonly probabilities: Numbers;
    /** Error rates of the surest samples, one more each time. */
    readonly errors: Numbers;
    readonly area: number;
  }[];
  readonly calibration: {
    readonly several: readonly {
      readonly name: string;
      readonly classes: number;
      readonly labels: Numbers;
      readonly logits: Numbers;
      readonly temperature: number;
      readonly logLoss: number;
      readonly topLabelError: number;
    }[];
    readonly two: readonly {
      readonly name: string;
      readonly labels: Numbers;
      readonly logOdds: Numbers;
      readonly platt: { readonly intercept: number; readonly slope: number };
      readonly line: { readonly values: Numbers; readonly standardErrors: Numbers };
      readonly inTheLarge: { readonly value: number; readonly standardError: number };
      readonly isotonic: { readonly at: Numbers; readonly values: Numbers };
    }[];
  };
  readonly curves: {
    readonly labels: Numbers;
    readonly scores: Numbers;
    readonly thresholds: Numbers;
    readonly decision: readonly {
      readonly prevalence: number | null;
      readonly model: Numbers;
      readonly all: Numbers;
    }[];
    readonly sizes: readonly { readonly share: number; readonly halfWidth: number; readonly samples: number }[];
  };
}

/** Reads `tests/goldens/statistics/<name>.json`. */
export function statisticsGolden<K extends keyof Goldens>(name: K): Goldens[K] {
  const text = readFileSync(new URL(`../goldens/statistics/${name}.json`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly golden: Goldens[K] }).golden;
}

/** Differences up to this much count as equal. */
const tolerance = 1e-6;

/** Expects equal numbers; null where a value is none. */
export function expectNumbers(actual: ArrayLike<number | null>, expected: ArrayLike<number | null>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [found, wanted] = [actual[i], expected[i]];
    if (found === null || wanted === null) expect(found, `value ${i}`).toBe(wanted);
    else {
      const error = Math.abs(found - wanted) / Math.max(1, Math.abs(wanted));
      expect(error, `value ${i}: ${found} for ${wanted}`).toBeLessThan(tolerance);
    }
  }
}

export function expectValue(actual: MetricValue, expected: number | null): void {
  expectNumbers([actual.value], [expected]);
}

/** Predictions from rows of probabilities. */
export function predictionsOf(labels: readonly number[], rows: readonly (readonly number[])[]): ClassPredictions {
  return {
    labels: Int32Array.from(labels),
    probabilities: Float64Array.from(rows.flat()),
    classes: rows[0]?.length ?? 2,
  };
}

/** Predictions of two classes from the probability of class 1. */
export function binaryPredictions(labels: readonly number[], scores: readonly number[]): ClassPredictions {
  return predictionsOf(
    labels,
    scores.map((score) => [1 - score, score]),
  );
}
