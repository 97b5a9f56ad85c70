import { none } from '../value.js';

/**
 * The probability of class 1 becomes a curve of the log-odds that never falls: straight between the points,
 * constant outside of them.
 */
export interface IsotonicScaling {
  readonly method: 'isotonic';
  /** Ascending. */
  readonly logOdds: readonly number[];
  readonly probabilities: readonly number[];
}

interface Block {
  readonly first: number;
  last: number;
  samples: number;
  positives: number;
}

/**
 * Isotonic regression of the labels on the log-odds (Zadrozny & Elkan, KDD 2002), by pooling adjacent
 * violators; as scikit-learn's `IsotonicRegression`. It needs many samples, and may give probabilities of
 * exactly 0 and 1.
 */
export function isotonicOf(
  labels: ArrayLike<number>,
  logOdds: Float64Array,
): IsotonicScaling | ReturnType<typeof none> {
  const order = Array.from(logOdds, (_, i) => i).sort((a, b) => logOdds[a] - logOdds[b]);
  const blocks: Block[] = [];
  for (const i of order) {
    const last = blocks.at(-1);
    if (last !== undefined && last.first === logOdds[i] && last.last === logOdds[i]) {
      last.samples++;
      last.positives += labels[i];
    } else blocks.push({ first: logOdds[i], last: logOdds[i], samples: 1, positives: labels[i] });
  }
  const positives = blocks.reduce((sum, block) => sum + block.positives, 0);
  if (positives === 0 || positives === labels.length) {
    return none(`all samples are of class ${positives === 0 ? 0 : 1}`);
  }
  const pooled: Block[] = [];
  for (const block of blocks) {
    pooled.push({ ...block });
    while (pooled.length > 1 && shareOf(pooled[pooled.length - 2]) >= shareOf(pooled[pooled.length - 1])) {
      const right = pooled.pop() as Block;
      const left = pooled[pooled.length - 1];
      left.last = right.last;
      left.samples += right.samples;
      left.positives += right.positives;
    }
  }
  if (pooled.length === 1)
    return none('a curve that never falls is constant here: the log-odds say nothing of the classes');
  const points = pooled.flatMap((block) =>
    (block.first === block.last ? [block.first] : [block.first, block.last]).map((x) => [x, shareOf(block)] as const),
  );
  return { method: 'isotonic', logOdds: points.map(([x]) => x), probabilities: points.map(([, y]) => y) };
}

function shareOf({ positives, samples }: Block): number {
  return positives / samples;
}

/** The curve at a point. */
export function isotonicAt({ logOdds, probabilities }: IsotonicScaling, x: number): number {
  const last = logOdds.length - 1;
  if (x <= logOdds[0]) return probabilities[0];
  if (x >= logOdds[last]) return probabilities[last];
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (logOdds[middle] <= x) low = middle;
    else high = middle;
  }
  const part = (x - logOdds[low]) / (logOdds[high] - logOdds[low]);
  return probabilities[low] + part * (probabilities[high] - probabilities[low]);
}
