import { fineSide, lookSide, type Measured } from './measure.js';
import { findTinyCopies } from './tinyCopies.js';

/** How one picture is a copy of another. */
export interface Copy {
  /** Indices of the pictures, the smaller one first. */
  readonly a: number;
  readonly b: number;
  /** `file`: the same bytes; `near`: saved again, resized, turned or mirrored. */
  readonly kind: 'file' | 'near';
  /** How the second is turned or mirrored; null if it is not. */
  readonly move: string | null;
}

/** The eight turns and mirror images of a square, as places: value (row, column) comes from the result. */
const moves: readonly { readonly name: string | null; readonly from: (r: number, c: number, n: number) => number }[] = [
  { name: null, from: (r, c, n) => r * n + c },
  { name: 'mirrored', from: (r, c, n) => r * n + (n - 1 - c) },
  { name: 'upside down', from: (r, c, n) => (n - 1 - r) * n + c },
  { name: 'turned by 180°', from: (r, c, n) => (n - 1 - r) * n + (n - 1 - c) },
  { name: 'turned by 90°, mirrored', from: (r, c, n) => c * n + r },
  { name: 'turned by 90°', from: (r, c, n) => c * n + (n - 1 - r) },
  { name: 'turned by 270°', from: (r, c, n) => (n - 1 - c) * n + r },
  { name: 'turned by 270°, mirrored', from: (r, c, n) => (n - 1 - c) * n + (n - 1 - r) },
];

/** Largest differences of looks, in 256 grey levels: of a cell, and on average. */
const cellTolerance = 10;
const meanTolerance = 3;
/** Least correlation of the finer versions of two copies. */
const leastCorrelation = 0.985;
/** Pictures that are flat at the scale of looks all look the same. */
const leastContrast = 8;

/**
 * Pairs of pictures of which one is a copy of the other: the same file, or the same picture after it was
 * saved again, resized, turned or mirrored.
 *
 * @param digests of the files; null where pictures have no file
 */
export function findCopies(measured: readonly (Measured | null)[], digests: readonly (string | null)[]): Copy[] {
  const copies: Copy[] = [];
  const firstOf = new Map<string, number>();
  const isCopy = new Uint8Array(digests.length);
  digests.forEach((digest, i) => {
    if (digest === null) return;
    const a = firstOf.get(digest);
    if (a === undefined) firstOf.set(digest, i);
    else {
      copies.push({ a, b: i, kind: 'file', move: null });
      isCopy[i] = 1;
    }
  });
  const places = measured.flatMap((own, i) => (own !== null && isCopy[i] === 0 && !isFlat(own.look) ? [i] : []));
  const lookOf = (i: number) => (measured[i] as Measured).look;
  const means = measured.map((own) => (own === null ? 0 : meanOf(own.look)));
  // A turned or mirrored copy has the same mean.
  places.sort((a, b) => means[a] - means[b]);
  const lookPlaces = moves.map(({ from }) => placesOf(from, lookSide));
  const orbits = orbitsOf(lookPlaces);
  const sums = measured.map((own) => (own === null ? null : orbitMeans(own.look, orbits)));
  for (let i = 0; i < places.length; i++) {
    for (let j = i + 1; j < places.length && means[places[j]] - means[places[i]] <= meanTolerance; j++) {
      const [a, b] = [Math.min(places[i], places[j]), Math.max(places[i], places[j])];
      if (!canBeAlike(sums[a] as Float32Array, sums[b] as Float32Array, orbits)) continue;
      const move = lookPlaces.findIndex((own) => isAlike(lookOf(a), lookOf(b), own));
      if (move < 0) continue;
      // Several moves fit a symmetrical picture, and the finer version decides.
      const fits = moves.findIndex(
        ({ from }, m) =>
          m >= move &&
          isAlike(lookOf(a), lookOf(b), lookPlaces[m]) &&
          correlation((measured[a] as Measured).fine, (measured[b] as Measured).fine, placesOf(from, fineSide)) >=
            leastCorrelation,
      );
      if (fits >= 0) copies.push({ a, b, kind: 'near', move: moves[fits].name });
    }
  }
  const known = new Set(copies.map(({ a, b }) => `${a} ${b}`));
  const isKnown = (a: number, b: number) => known.has(`${Math.min(a, b)} ${Math.max(a, b)}`);
  for (const [a, b] of findTinyCopies(measured, places, means, isKnown)) {
    if (!isKnown(a, b)) copies.push({ a, b, kind: 'near', move: null });
  }
  return copies.sort((x, y) => x.a - y.a || x.b - y.b);
}

function placesOf(from: (r: number, c: number, n: number) => number, side: number): Uint16Array {
  return Uint16Array.from({ length: side * side }, (_, i) => from(Math.floor(i / side), i % side, side));
}

/** Sets of cells that turns and mirror images map to one another. */
function orbitsOf(places: readonly Uint16Array[]): number[][] {
  const found = new Map<number, Set<number>>();
  places[0].forEach((_, i) => {
    const cells = places.map((own) => own[i]);
    const least = Math.min(...cells);
    found.set(least, new Set([...(found.get(least) ?? []), ...cells]));
  });
  return [...found.values()].map((cells) => [...cells]);
}

/** The mean of each orbit, which no turn changes. */
function orbitMeans(look: Float32Array, orbits: readonly (readonly number[])[]): Float32Array {
  return Float32Array.from(orbits, (cells) => cells.reduce((sum, cell) => sum + look[cell], 0) / cells.length);
}

/** A quick test that copies always pass: means of orbits differ by no more than cells may. */
function canBeAlike(a: Float32Array, b: Float32Array, orbits: readonly (readonly number[])[]): boolean {
  let total = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (difference > cellTolerance) return false;
    total += difference * orbits[i].length;
  }
  return total <= meanTolerance * lookSide * lookSide;
}

function isAlike(a: Float32Array, b: Float32Array, places: Uint16Array): boolean {
  let total = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[places[i]]);
    if (difference > cellTolerance) return false;
    total += difference;
  }
  return total <= meanTolerance * a.length;
}

function correlation(a: Float32Array, b: Float32Array, places: Uint16Array): number {
  const [x, y] = [meanOf(a), meanOf(b)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [u, v] = [a[i] - x, b[places[i]] - y];
    xy += u * v;
    xx += u * u;
    yy += v * v;
  }
  return xx === 0 || yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
}

function meanOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function isFlat(look: Float32Array): boolean {
  const mean = meanOf(look);
  let square = 0;
  for (const value of look) square += (value - mean) ** 2;
  return square / look.length < leastContrast ** 2;
}
