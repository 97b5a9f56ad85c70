import { InputError } from '../../../errors.js';

/** A point among others, and its distance. */
export interface Neighbour {
  /** Number of the point, in the order in which points were added. */
  readonly index: number;
  /** Euclidean distance. */
  readonly distance: number;
}

/**
 * Finds the nearest of many points for each of a few, by Euclidean distance of features, as Krizhevsky,
 * Sutskever and Hinton 2012 looked at AlexNet. Points come batch by batch and are not kept.
 *
 * @example
 * ```ts
 * import { vision } from 'fovea';
 *
 * const search = new vision.explain.NearestFeatures([0, 0], { size: 2, count: 1 });
 * search.add([3, 4, 1, 0]);
 * console.log(search.results()); // [[{ index: 1, distance: 1 }]]
 * ```
 */
export class NearestFeatures {
  readonly #queries: ArrayLike<number>;
  readonly #size: number;
  readonly #count: number;
  readonly #found: Neighbour[][];
  #added = 0;

  /**
   * @param queries points, one after the other
   * @param options.size numbers of a point
   * @param options.count neighbours to find for each query
   * @throws {InputError} for numbers that do not fit together
   */
  constructor(queries: ArrayLike<number>, { size, count }: { readonly size: number; readonly count: number }) {
    for (const [name, value] of Object.entries({ size, count })) {
      if (Number.isInteger(value) && value > 0) continue;
      throw new InputError(`[nearest] ${name}: expected a positive integer, got ${value}`);
    }
    this.#queries = queries;
    this.#size = size;
    this.#count = count;
    this.#found = Array.from({ length: this.#pointsIn(queries) }, () => []);
  }

  /** @throws {InputError} if it is not a whole number of points */
  add(points: ArrayLike<number>): void {
    const size = this.#size;
    const many = this.#pointsIn(points);
    for (const [q, found] of this.#found.entries()) {
      for (let i = 0; i < many; i++) {
        const limit = found.length < this.#count ? Number.POSITIVE_INFINITY : found[found.length - 1].distance;
        let sum = 0;
        for (let k = 0; k < size; k++) sum += (points[i * size + k] - this.#queries[q * size + k]) ** 2;
        const distance = Math.sqrt(sum);
        if (!(distance < limit)) continue;
        // Equal distances stay in the order of the points.
        let at = found.length;
        while (at > 0 && found[at - 1].distance > distance) at--;
        found.splice(at, 0, { index: this.#added + i, distance });
        if (found.length > this.#count) found.pop();
      }
    }
    this.#added += many;
  }

  /** The nearest points of each query, nearest first. */
  results(): readonly (readonly Neighbour[])[] {
    return this.#found;
  }

  #pointsIn({ length }: ArrayLike<number>): number {
    const points = length / this.#size;
    if (Number.isInteger(points)) return points;
    throw new InputError(`[nearest] points: expected ${this.#size} numbers a point, got ${length} in all`);
  }
}
