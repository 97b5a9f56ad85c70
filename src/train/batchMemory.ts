import { totalMemory } from '#platform';
import type { MemoryNeed } from '../engine/memory.js';
import { memoryLimit } from '../env.js';
import { MemoryError } from '../errors.js';
import { formatShape, numel, type Shape } from '../graph/shape.js';
import { formatBytes } from '../memory.js';
import { formatCount } from '../text/numbers.js';

/** The loader reads ahead. */
const batchesHeld = 3;
/** A batch whose need, beside that of one image, shows how the need grows. */
const smallBatch = 4;
/** Programs for more images than this are not compiled only to learn what they need. */
const manyImages = 10_000;
/** Each is a compilation. */
const mostTries = 16;

/** What memory a batch of so many samples takes; the program is kept for it if `keep`. */
export type PlanBatch = (batch: number, keep: boolean) => MemoryNeed;

/**
 * Refuses a batch for which there is not enough memory, before anything of it is allocated.
 *
 * @throws {MemoryError} with an estimate, and the largest batch that fits
 */
export function requireMemoryFor(where: string, batch: number, imageShape: Shape, plan: PlanBatch): void {
  const search = new Search(where, imageShape, plan);
  if (!search.admits(batch)) throw search.refusal(where, batch, search.largestBelow(batch));
}

/**
 * The largest batch up to `most` for which there is enough memory.
 *
 * @throws {MemoryError} if not even one image fits
 */
export function largestBatchFor(where: string, most: number, imageShape: Shape, plan: PlanBatch): number {
  const search = new Search(where, imageShape, plan);
  if (search.admits(most)) return most;
  const largest = search.largestBelow(most);
  if (largest === 0) throw search.refusal(where, 1, 0);
  return largest;
}

/** What a batch needs in all. */
interface Total extends MemoryNeed {
  readonly total: number;
}

class Search {
  readonly #imageBytes: number;
  readonly #plan: PlanBatch;
  readonly #known = new Map<number, Total>();

  /** @throws {MemoryError} if one image alone is too much */
  constructor(where: string, imageShape: Shape, plan: PlanBatch) {
    this.#imageBytes = numel(imageShape) * Float32Array.BYTES_PER_ELEMENT;
    this.#plan = plan;
    const room = memoryLimit() ?? totalMemory();
    if (this.#bytesOfImages(1) <= room) return;
    throw new MemoryError(
      `[${where}] image ${formatShape(imageShape)}: expected to need at most ${formatBytes(room)}, ` +
        `got ${formatBytes(this.#bytesOfImages(1))}; choose a smaller size`,
    );
  }

  /** Whether a batch fits; if so, its program is kept. */
  admits(batch: number): boolean {
    return !this.#isAbsurd(batch) && this.#fits(batch, true);
  }

  refusal(where: string, batch: number, largest: number): MemoryError {
    const { budget, resident } = this.#at(1);
    return new MemoryError(
      `[${where}] batch size: expected at most ${formatBytes(budget)} of memory to be needed, ` +
        `got ${this.#isAbsurd(batch) ? 'about ' : ''}${formatBytes(this.#estimate(batch))} for ` +
        `${formatCount(batch)} ${batch === 1 ? 'image' : 'images'} (${formatBytes(resident)} of them parameters and states); ` +
        (largest === 0
          ? 'not even one image fits, so choose a smaller size'
          : `the largest batch that fits is ${formatCount(largest)}`),
    );
  }

  /**
   * Whether a batch needs far more than there is, by its images alone or by two small batches. Kernels for it need not be
   * looked for, which takes long for millions of images.
   */
  #isAbsurd(batch: number): boolean {
    if (this.#bytesOfImages(batch) > (memoryLimit() ?? totalMemory())) return true;
    return batch > manyImages && this.#onLine(batch) > 1.5 * this.#at(1).budget;
  }

  /** What a batch takes if the need grows evenly. */
  #onLine(batch: number): number {
    return this.#at(1).total + (batch - 1) * this.#slope(1, smallBatch);
  }

  #bytesOfImages(batch: number): number {
    return batchesHeld * batch * this.#imageBytes;
  }

  #at(batch: number, keep = false): Total {
    let found = this.#known.get(batch);
    if (found === undefined) {
      const need = this.#plan(batch, keep);
      found = { ...need, total: need.working + need.resident + this.#bytesOfImages(batch) };
      this.#known.set(batch, found);
    }
    return found;
  }

  #fits(batch: number, keep = false): boolean {
    const { total, budget } = this.#at(batch, keep);
    return total <= budget;
  }

  /**
   * The need grows nearly evenly with the batch, so that a straight line soon finds the place. What is given fits, even
   * where the search ends before it has found the very largest.
   */
  largestBelow(limit: number): number {
    if (!this.#fits(1)) return 0;
    const { total: one, budget: room } = this.#at(1);
    const straight = 1 + Math.floor((room - one) / this.#slope(1, smallBatch));
    if (straight > manyImages) return Math.min(limit, Math.floor(0.97 * straight));
    let [fits, fails] = [1, Math.min(limit, 1 + Math.floor(this.#at(1).budget / this.#bytesOfImages(1)))];
    let other = this.#known.has(fails) ? fails : fits + 3;
    for (let tries = 0; fails - fits > 1 && tries < mostTries; tries++) {
      const { total, budget } = this.#at(fits);
      const onLine = fits + Math.floor((budget - total) / this.#slope(fits, other));
      // A little more closes the place in from above too; the middle helps where the need is no straight line.
      const middle = Math.round(Math.sqrt(fits * fails));
      const next = [onLine, 1 + Math.floor(1.01 * onLine), middle][tries % 3];
      const tried = Math.min(fails - 1, Math.max(fits + 1, next));
      other = this.#known.has(fails) ? fails : fits;
      if (this.#fits(tried)) fits = tried;
      else other = fails = tried;
    }
    return fits;
  }

  #estimate(batch: number): number {
    const known = this.#known.get(batch);
    if (known !== undefined) return known.total;
    const largest = Math.max(...this.#known.keys());
    return this.#at(largest).total + (batch - largest) * this.#slope(largest, largest === 1 ? 4 : 1);
  }

  /** Bytes that one more image takes between two batches. */
  #slope(a: number, b: number): number {
    return Math.max(this.#imageBytes, (this.#at(a).total - this.#at(b).total) / (a - b));
  }
}
