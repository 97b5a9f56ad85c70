import { kFolds } from '../../io/data/split/split.js';
import { type Interval, rocAuc, wilsonInterval } from '../../statistics/index.js';

/** A property of pictures that has nothing to do with their contents, such as their size. */
export interface Property {
  readonly name: string;
  /** A number or a text for each picture. */
  readonly values: readonly (number | string)[];
}

/** How well a property alone predicts the class, on pictures that the prediction was not made of. */
export type Shortcut = { readonly property: string } & (
  | {
      /** AUC for two classes, with DeLong's interval; accuracy for more, with Wilson's. */
      readonly measure: 'auc' | 'accuracy';
      readonly value: number;
      readonly interval: Interval;
      /** The value without any information: 0.5, or the share of the most frequent class. */
      readonly chance: number;
      /** Whether the whole interval is clearly above chance. */
      readonly suspicious: boolean;
    }
  | { readonly value: null; readonly reason: string }
);

const folds = 5;
const mostBins = 10;
/** The lower end of the interval must be so far above chance. */
const margin = 0.05;

/**
 * The shortcut probe: predicts the class from each property alone, by the shares of classes among pictures of
 * the same tenth or the same text, in five folds that keep groups together.
 */
export function shortcutsOf(
  properties: readonly Property[],
  labels: readonly number[],
  groups: readonly (string | null)[],
  classes: number,
): Shortcut[] {
  const isGrouped = groups.every((group) => group !== null);
  const units = isGrouped ? new Set(groups).size : labels.length;
  if (units < 2 * folds) {
    const reason = `there are fewer than ${2 * folds} ${isGrouped ? 'groups' : 'pictures'}`;
    return properties.map(({ name }) => ({ property: name, value: null, reason }));
  }
  const divided = kFolds({ labels, ...(isGrouped && { groups }) }, { folds, seed: 0 });
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  return properties.map(({ name, values }) => {
    if (values.every((value) => value === values[0])) {
      return { property: name, value: null, reason: 'it is the same for all pictures' };
    }
    const bins = binsOf(values);
    const scores = new Float64Array(labels.length * classes);
    for (const { train, heldOut } of divided.folds) {
      const table = new Map<number, Float64Array>();
      for (const i of train) {
        const own = table.get(bins[i]) ?? new Float64Array(classes);
        own[labels[i]]++;
        table.set(bins[i], own);
      }
      for (const i of heldOut) {
        const own = table.get(bins[i]);
        const total = own?.reduce((sum, count) => sum + count, 0) ?? 0;
        for (let c = 0; c < classes; c++) {
          // One picture with the shares of all pictures, so that rare values say little.
          scores[i * classes + c] = ((own?.[c] ?? 0) + counts[c] / labels.length) / (total + 1);
        }
      }
    }
    return { property: name, ...resultOf(labels, scores, classes, counts) };
  });
}

function resultOf(labels: readonly number[], scores: Float64Array, classes: number, counts: readonly number[]) {
  if (classes === 2) {
    const auc = rocAuc({ labels: Uint8Array.from(labels), scores: scores.filter((_, i) => i % 2 === 1) });
    if (auc.value === null) return { value: null, reason: auc.reason } as const;
    const { value, interval } = auc;
    return { measure: 'auc' as const, value, interval, chance: 0.5, suspicious: interval[0] > 0.5 + margin };
  }
  let right = 0;
  labels.forEach((label, i) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (scores[i * classes + c] > scores[i * classes + best]) best = c;
    if (best === label) right++;
  });
  const chance = Math.max(...counts) / labels.length;
  const interval = wilsonInterval(right, labels.length);
  const value = right / labels.length;
  return { measure: 'accuracy' as const, value, interval, chance, suspicious: interval[0] > chance + margin };
}

/** Tenths of numbers, with equal numbers together; each text by itself. */
function binsOf(values: readonly (number | string)[]): number[] {
  const distinct = [...new Set(values)];
  if (distinct.length <= mostBins || typeof values[0] === 'string')
    return values.map((value) => distinct.indexOf(value));
  const sorted = values.map(Number).sort((a, b) => a - b);
  const edges = Array.from(
    { length: mostBins - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / mostBins)],
  );
  return values.map((value) => edges.filter((edge) => Number(value) >= edge).length);
}
