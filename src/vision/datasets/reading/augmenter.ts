import { InputError } from '../../../errors.js';
import { defaultGenerator, type RandomGenerator } from '../../../random.js';
import { joined, type TransformedImages, type TransformJob, transformImages } from '../../transforms/batch.js';
import type { Raster } from '../../transforms/raster.js';
import { portableSpec } from '../../transforms/registry.js';
import { requireSense } from '../../transforms/sense.js';
import { Compose, type Transform, type TransformFunction } from '../../transforms/transform.js';
import type { ImagePool } from './imagePool.js';

/** The transform option that data sets of pictures share. */
export interface TransformOption {
  /**
   * Changes each picture after it has been decoded and resized: a transform, or a function of bytes in red,
   * green and blue. Resulting bytes are scaled as without transforms; resulting floats go to the network as
   * they are.
   *
   * In an epoch of a `DataLoader` each sample has its own stream of random numbers, which depends on the
   * loader's generator, the epoch and the sample's index. Other threads do the work; your own functions and
   * transforms run in the main thread.
   */
  readonly transform?: Transform | TransformFunction | null | undefined;
}

/** A data set whose pictures can be changed. */
export interface Transformable<Set> {
  /** The same samples, with this transform instead of the present one; null removes it. */
  withTransform(transform: NonNullable<TransformOption['transform']> | null): Set;
}

/** Applies a transform to pictures of a data set. */
export class Augmenter {
  readonly isRandom: boolean;
  readonly #transform: Transform;
  readonly #pool: ImagePool;
  /** The transform as text for other threads; null if they cannot run it. */
  readonly #text: string | null;
  readonly #format: Pick<TransformJob, 'order' | 'range'>;

  /** @throws {InputError} for transforms that do not fit together */
  constructor(
    transform: Transform | TransformFunction,
    pool: ImagePool,
    format: Pick<TransformJob, 'order' | 'range'>,
  ) {
    this.#transform = new Compose([transform]);
    requireSense([this.#transform]);
    this.isRandom = this.#transform.isRandom;
    this.#pool = pool;
    const plain = portableSpec(this.#transform);
    this.#text = plain === null ? null : JSON.stringify(plain);
    this.#format = format;
  }

  /** Transforms in the calling thread; the parameters are those of `run`. */
  apply(pixels: Uint8Array, shape: TransformJob['shape'], randoms: readonly RandomGenerator[]): TransformedImages {
    const states = randoms.map((random) => random.state());
    const job = { pixels, shape, states, ...this.#format };
    if (this.isRandom || this.#text !== null) return transformImages(job, this.#transform);
    return transformImages(job, { apply: (image, random) => this.#applyFixed(image, random) });
  }

  /**
   * The data set says that it needs no random numbers. If it used some, each epoch would have the same ones.
   */
  #applyFixed(image: Raster, random: RandomGenerator): Raster {
    const before = random.state().words.join();
    const result = this.#transform.apply(image, random);
    if (random.state().words.join() === before) return result;
    throw new InputError(
      '[transforms] isRandom: expected a transform that samples nothing, since isRandom is false, got one that sampled ' +
        'from its generator; set isRandom to true',
    );
  }

  /**
   * Transforms pictures. Without other threads the result comes at once, not as a promise.
   *
   * @param pixels `[n, …shape]`
   * @param randoms the generator of each picture
   */
  run(
    pixels: Uint8Array,
    shape: TransformJob['shape'],
    randoms: readonly RandomGenerator[],
  ): TransformedImages | Promise<TransformedImages> {
    const pool = this.#pool;
    if (this.#text === null || pool.transform === null) return this.apply(pixels, shape, randoms);
    const states = randoms.map((random) => random.state());
    const size = pixels.length / states.length;
    const share = Math.ceil(states.length / pool.width);
    const parts: Promise<TransformedImages>[] = [];
    for (let begin = 0; begin < states.length; begin += share) {
      const end = Math.min(states.length, begin + share);
      const job = { pixels: pixels.slice(begin * size, end * size), shape, states: states.slice(begin, end) };
      parts.push(pool.transform({ ...job, ...this.#format }, this.#text));
    }
    return Promise.all(parts).then(joined);
  }
}

/** The random numbers of a sample that is requested outside of an epoch: the same each time. */
export function streamOf(index: number): RandomGenerator {
  return defaultGenerator().fork(`${index}`);
}
