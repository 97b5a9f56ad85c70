import { cellsBetween, type Measured } from './measure.js';

/**
 * Copies of pictures of some dozen pixels that were resized. The method of larger pictures misses them:
 * interpolation changes their cells too much, and moves the picture by up to half a pixel.
 */

/** A picture with an edge below this is tiny. */
const tinySide = 32;
/** Cells of the comparison, as the smaller picture has pixels; below the least nothing is compared. */
const mostCells = 14;
const leastCells = 10;
/** Offsets that are tried, as shares of the edge. */
const offsets = [-1, -0.5, 0, 0.5, 1].map((step) => step / tinySide);
/** Quick tests: differences of means in grey levels, and correlation without an offset. */
const meanTolerance = 6;
const leastLikeness = 0.88;
/** Least correlation at the best offset. */
const leastCorrelation = 0.98;
/** The next picture must be so many times further from a correlation of 1: digits of a class look alike. */
const margin = 2;

interface Candidate {
  readonly other: number;
  readonly correlation: number;
}

/**
 * Pairs of pictures of different sizes, one of them tiny, of which one is a resized copy of the other.
 *
 * @param places of the pictures to compare, by the means of their looks
 * @param isKnown whether two pictures are copies that were found before
 */
export function findTinyCopies(
  measured: readonly (Measured | null)[],
  places: readonly number[],
  means: readonly number[],
  isKnown: (a: number, b: number) => boolean,
): [a: number, b: number][] {
  const found: [number, number][] = [];
  const sideOf = (i: number) => Math.min((measured[i] as Measured).width, (measured[i] as Measured).height);
  const areaOf = (i: number) => (measured[i] as Measured).width * (measured[i] as Measured).height;
  // Sets of pictures of one size have nothing to compare.
  const areas = new Set(places.map(areaOf));
  if (areas.size < 2) return [];
  const likeness = new Map(places.map((i) => [i, standardized((measured[i] as Measured).look)]));
  const cells = new Map<string, Float32Array>();
  const cellsOf = (i: number, side: number, down = 0, right = 0) => {
    const key = `${i} ${side} ${down} ${right}`;
    const known = cells.get(key) ?? standardized(cellsAt(measured[i] as Measured, side, down, right));
    cells.set(key, known);
    return known;
  };
  places.forEach((small, place) => {
    const side = Math.min(mostCells, sideOf(small));
    if (sideOf(small) >= tinySide || side < leastCells) return;
    const near: Candidate[] = [];
    const compare = (other: number) => {
      if (areaOf(other) <= areaOf(small) || sideOf(other) < side) return;
      if (product(likeness.get(small), likeness.get(other)) < leastLikeness) return;
      let best = -1;
      for (const down of offsets) {
        for (const right of offsets) {
          best = Math.max(best, product(cellsOf(small, side, down, right), cellsOf(other, side)));
        }
      }
      near.push({ other, correlation: best });
    };
    for (let k = place + 1; k < places.length && means[places[k]] - means[small] <= meanTolerance; k++)
      compare(places[k]);
    for (let k = place - 1; k >= 0 && means[small] - means[places[k]] <= meanTolerance; k--) compare(places[k]);
    cells.clear();
    near.sort((x, y) => y.correlation - x.correlation || x.other - y.other);
    const [first] = near;
    if (first === undefined || first.correlation < leastCorrelation) return;
    const next = near.find(({ other }) => other !== first.other && !isKnown(first.other, other));
    if (next !== undefined && margin * (1 - first.correlation) > 1 - next.correlation) return;
    found.push([Math.min(small, first.other), Math.max(small, first.other)]);
  });
  return found;
}

function cellsAt({ grey, fine, width, height }: Measured, side: number, down: number, right: number): Float32Array {
  if (grey !== null) return cellsBetween(grey, width, height, side, { down, right });
  const edge = Math.sqrt(fine.length);
  return cellsBetween(fine, edge, edge, side, { down, right });
}

/** Mean 0 and length 1, so that products are correlations. */
function standardized(values: Float32Array): Float32Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const length = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return values.map((value) => (value - mean) / (length || 1));
}

function product(a: Float32Array | undefined, b: Float32Array | undefined): number {
  let sum = 0;
  if (a !== undefined && b !== undefined) for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
