import { totalMemory } from '#platform';
import { formatBudget, type MemoryNeed } from '../engine/memory.js';
import { memoryLimit } from '../env.js';
import { MemoryError } from '../errors.js';
import { formatShape, numel, type Shape } from '../graph/shape.js';
import { formatBytes } from '../memory.js';
import { formatCount } from '../text/numbers.js';

/** Batches in memory at the same time, since the loader reads ahead. */
const batchesHeld = 3;
/**
 * Size of a second batch that is planned besides one image, to find out how the needed memory grows. It is
 * used if the wanted batch is too large to be planned.
 */
const smallBatch = 4;
/** Programs for more images than this are not compiled only to find out how much memory they need. */
const manyImages = 10_000;

/**
 * Finds out the memory that a batch of this many samples needs. Planning compiles the program, which then is
 * ready for the batch if it fits.
 */
export type PlanBatch = (batch: number) => MemoryNeed;

/**
 * Refuses a batch for which there is not enough memory, before anything of it is allocated.
 *
 * @throws {MemoryError} with an estimate, and the largest batch that fits
 */
export function requireMemoryFor(where: string, batch: number, imageShape: Shape, plan: PlanBatch): void {
  const plans = new Plans(where, imageShape, plan);
  if (!plans.admits(batch)) throw plans.refusal(where, batch, plans.largestBelow(batch));
}

/**
 * The largest batch up to `most` for which there is enough memory.
 *
 * @throws {MemoryError} if not even one image fits
 */
export function largestBatchFor(where: string, most: number, imageShape: Shape, plan: PlanBatch): number {
  const plans = new Plans(where, imageShape, plan);
  if (plans.admits(most)) return most;
  const largest = plans.largestBelow(most);
  if (largest === 0) throw plans.refusal(where, 1, 0);
  return largest;
}

/** Memory that a batch of a step needs, with its images and those that are read ahead. */
export function memoryFor(where: string, batch: number, imageShape: Shape, plan: PlanBatch): BatchMemory {
  return new Plans(where, imageShape, plan).at(batch);
}

/** Bytes that a batch needs, including its images. */
export interface BatchMemory extends MemoryNeed {
  readonly total: number;
}

/**
 * Plans of batches of one kind. The needed memory is linear in the batch size, so that two plans suffice to
 * estimate any other batch.
 */
class Plans {
  readonly #imageBytes: number;
  readonly #plan: PlanBatch;
  readonly #known = new Map<number, BatchMemory>();

  /** @throws {MemoryError} if one image alone does not fit */
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

  at(batch: number): BatchMemory {
    let found = this.#known.get(batch);
    if (found === undefined) {
      const need = this.#plan(batch);
      found = { ...need, total: need.working + need.resident + this.#bytesOfImages(batch) };
      this.#known.set(batch, found);
    }
    return found;
  }

  admits(batch: number): boolean {
    return !this.#isAbsurd(batch) && this.#overshoot(batch) <= 0;
  }

  /** The largest batch below `limit` that fits; 0 if not even one image does. */
  largestBelow(limit: number): number {
    if (this.#overshoot(1) > 0) return 0;
    const perImage = this.#perImage();
    const onLine = Math.min(limit - 1, 1 + Math.floor(-this.#overshoot(1) / perImage));
    // A batch of that size is not planned, so the estimate gets a margin.
    if (onLine > manyImages) return Math.floor(0.97 * onLine);
    let largest = onLine;
    // Other batch sizes may use other kernels with other working memory, so the result is planned to verify
    // it.
    for (let over = this.#overshoot(largest); over > 0 && largest > 1; over = this.#overshoot(largest)) {
      largest = Math.max(1, largest - Math.ceil(over / perImage));
    }
    return largest;
  }

  refusal(where: string, batch: number, largest: number): MemoryError {
    const { resident, ...limits } = this.at(1);
    return new MemoryError(
      `[${where}] batch size: expected at most ${formatBudget(limits)} of memory to be needed, ` +
        `got ${this.#isAbsurd(batch) ? 'about ' : ''}${formatBytes(this.#estimate(batch))} for ` +
        `${formatCount(batch)} ${batch === 1 ? 'image' : 'images'} (${formatBytes(resident)} of them parameters and states); ` +
        (largest === 0
          ? 'not even one image fits, so choose a smaller size'
          : `the largest batch that fits is ${formatCount(largest)}`),
    );
  }

  /**
   * Whether a batch needs far more memory than there is, by its images alone or by the plans of two small
   * batches. Such a batch is not planned: finding kernels takes long for millions of images.
   */
  #isAbsurd(batch: number): boolean {
    if (this.#bytesOfImages(batch) > (memoryLimit() ?? totalMemory())) return true;
    return batch > manyImages && this.#onLine(batch) > 1.5 * this.at(1).budget;
  }

  /** Bytes that a batch needs beyond the available memory; negative if it fits. */
  #overshoot(batch: number): number {
    const { total, budget } = this.at(batch);
    return total - budget;
  }

  #estimate(batch: number): number {
    return this.#known.get(batch)?.total ?? this.#onLine(batch);
  }

  #onLine(batch: number): number {
    return this.at(1).total + (batch - 1) * this.#perImage();
  }

  /** Bytes that one more image needs, by the plan of the largest batch so far, else of a small one. */
  #perImage(): number {
    const largest = Math.max(...this.#known.keys());
    const other = largest > 1 ? largest : smallBatch;
    return Math.max(this.#imageBytes, (this.at(other).total - this.at(1).total) / (other - 1));
  }

  #bytesOfImages(batch: number): number {
    return batchesHeld * batch * this.#imageBytes;
  }
}
