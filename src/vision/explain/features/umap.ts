import { InputError, PackageError, unloadable } from '../../../errors.js';
import { RandomGenerator } from '../../../random.js';
import { NearestFeatures } from './nearest.js';

export interface UmapOptions {
  /** Neighbours that a point is to be near to (15, or all others if there are fewer). */
  readonly neighbours?: number | undefined;
  /** Least distance of points on the map (0.1). */
  readonly minDist?: number | undefined;
  /** Seed of the random numbers (0). */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A map of points in two dimensions on which near points stay near (McInnes, Healy and Melville 2018), by
 * umap-js. Distances between groups, and their sizes, mean little. The same seed gives the same map.
 *
 * The neighbours are found exactly, which takes time with the square of the number of points: 2,000 points
 * are a matter of seconds.
 *
 * @param values points, one after the other
 * @param size numbers of a point
 * @returns `[n, 2]`
 * @throws {InputError} for fewer than four points, or numbers that do not fit together
 */
export async function umap(values: ArrayLike<number>, size: number, options: UmapOptions = {}): Promise<Float64Array> {
  const { minDist = 0.1, seed = 0, signal } = options;
  const n = values.length / size;
  if (!(Number.isInteger(n) && n >= 4)) {
    throw new InputError(`[umap] points: expected four or more of ${size} numbers each, got ${values.length} in all`);
  }
  const neighbours = options.neighbours ?? Math.min(15, n - 1);
  if (!(Number.isInteger(neighbours) && neighbours >= 2 && neighbours < n)) {
    throw new InputError(`[umap] neighbours: expected an integer from 2 to ${n - 1}, got ${neighbours}`);
  }
  if (!(minDist >= 0 && minDist <= 1)) {
    throw new InputError(`[umap] minDist: expected a number from 0 to 1, got ${minDist}`);
  }
  const { UMAP } = await loadUmap();
  // A point counts as its own first neighbour, as in the reference implementation.
  const search = new NearestFeatures(values, { size, count: neighbours });
  search.add(values);
  const near = search.results();
  const generator = new RandomGenerator(seed);
  const map = new UMAP({ nNeighbors: neighbours, minDist, random: () => generator.uniform() });
  map.setPrecomputedKNN(
    near.map((found) => found.map(({ index }) => index)),
    near.map((found) => found.map(({ distance }) => distance)),
  );
  const points = Array.from({ length: n }, (_, i) => Array.from({ length: size }, (__, k) => values[i * size + k]));
  const rounds = map.initializeFit(points);
  for (let round = 0; round < rounds; round++) {
    map.step();
    if (round % 20 > 0) continue;
    // Others get a turn, such as a signal to stop.
    await new Promise(setImmediate);
    signal?.throwIfAborted();
  }
  return Float64Array.from(map.getEmbedding().flat());
}

/** Loads the package when a map is made: no other work needs it. */
async function loadUmap(): Promise<typeof import('umap-js')> {
  try {
    return await import('umap-js');
  } catch (error) {
    throw unloadable(PackageError, 'umap', 'umap-js', error);
  }
}
