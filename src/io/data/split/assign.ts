import type { RandomGenerator } from '../../../random.js';
import type { Unit } from './table.js';

/**
 * Distributes units over parts, so that each part comes near its share of all samples and of each class.
 *
 * The largest units go first, equally large ones in random order. Each goes where it adds the least to
 * Σ (count − target)² / target over all parts, of all samples and of each class. This keeps all parts equally
 * full at any time, so that a part with a small share gets large units too. For single samples it is the
 * method of Sainte-Laguë.
 *
 * @param shares positive shares of the parts, which add up to 1
 * @returns the part of each unit
 */
export function assign(units: readonly Unit[], shares: readonly number[], generator: RandomGenerator): Uint32Array {
  const classes = units[0].counts.length;
  const totals = new Float64Array(classes + 1);
  for (const unit of units) addTo(totals, unit);
  const filled = shares.map(() => new Float64Array(classes + 1));
  const partOf = new Uint32Array(units.length);
  const order = Array.from(generator.permutation(units.length));
  order.sort((a, b) => units[b].samples.length - units[a].samples.length);
  for (const index of order) {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    shares.forEach((share, part) => {
      const cost = costOf(units[index], filled[part], totals, share);
      if (cost >= least) return;
      least = cost;
      best = part;
    });
    addTo(filled[best], units[index]);
    partOf[index] = best;
  }
  return partOf;
}

/** Counts of classes, and of all samples behind them. */
function addTo(counts: Float64Array, unit: Unit): void {
  unit.counts.forEach((count, c) => {
    counts[c] += count;
  });
  counts[unit.counts.length] += unit.samples.length;
}

/**
 * The increase of Σ (count − target)² / target by a unit. All samples count as much as all classes together.
 */
function costOf(unit: Unit, filled: Float64Array, totals: Float64Array, share: number): number {
  let cost = 0;
  for (let c = 0; c < filled.length; c++) {
    const count = c < unit.counts.length ? unit.counts[c] : unit.samples.length;
    if (count === 0) continue;
    const target = share * totals[c];
    const weight = c < unit.counts.length ? 1 : unit.counts.length;
    cost += (weight * count * (2 * (filled[c] - target) + count)) / target;
  }
  return cost;
}
