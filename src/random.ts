import * as check from './check.js';
import { InputError } from './errors.js';
import { inspect } from './inspection.js';
import { requireRoom } from './memory.js';

/** The complete state of a generator, as plain JSON: the four 32-bit words of xoshiro128**. */
export interface GeneratorState {
  readonly algorithm: 'xoshiro128**';
  readonly words: readonly [number, number, number, number];
}

const golden = 0x9e3779b9;
const two32 = 2 ** 32;

/**
 * The output function of splitmix32: a bijection of 32-bit words. Every output bit depends on all input bits.
 */
function mix(word: number): number {
  let z = word;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

/** Makes a state from words. A single word gives the first four outputs of splitmix32 seeded with it. */
function spread(words: readonly number[]): [number, number, number, number] {
  const lane = (i: number) => words.reduce((hash, word) => mix((hash + word + golden) | 0), Math.imul(i, golden));
  return [lane(0), lane(1), lane(2), lane(3)];
}

const seeds = check.rule<number>('an integer from 0 to 2^53 - 1', (x) => Number.isSafeInteger(x) && (x as number) >= 0);
const lengths = check.rule<number>('a length from 0 to 2^32', check.integer(0, two32).is);

/** The low word, and the high word unless it is 0. */
function wordsOf(value: number): number[] {
  return value < two32 ? [value | 0] : [value | 0, Math.floor(value / two32)];
}

/**
 * A seeded stream of random numbers: xoshiro128** 1.1 (Blackman & Vigna, "Scrambled linear pseudorandom
 * number generators", 2021), seeded by splitmix32. Not for cryptography.
 *
 * The four words of {@link state} are the complete state: calls store nothing else. A generator that is
 * restored from a saved state therefore continues exactly where the saved one was.
 */
export class RandomGenerator {
  // Signed words, since V8 keeps int32 in the object itself and uint32 in a box of its own.
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /**
   * @param seed a non-negative safe integer
   * @param stream another non-negative safe integer: streams of one seed are independent of each other
   * @throws {InputError} for any other number
   */
  constructor(seed: number, stream = 0) {
    check.requireValue('random', 'seed', seed, seeds);
    check.requireValue('random', 'stream', stream, seeds);
    this.#set(spread(stream === 0 ? wordsOf(seed) : [seed | 0, Math.floor(seed / two32), ...wordsOf(stream)]));
  }

  static fromState(state: GeneratorState): RandomGenerator {
    const generator = new RandomGenerator(0);
    generator.restore(state);
    return generator;
  }

  state(): GeneratorState {
    return { algorithm: 'xoshiro128**', words: [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0] };
  }

  toString(): string {
    return `RandomGenerator(${this.state().words.join(', ')})`;
  }

  [inspect](): string {
    return this.toString();
  }

  /** The {@link state}. */
  toJSON(): GeneratorState {
    return this.state();
  }

  /**
   * Overwrites this generator's state with a saved one.
   *
   * @throws {InputError} if the value is not a state, for instance because its file was altered
   */
  restore(state: GeneratorState): void {
    const { algorithm, words } = (state ?? {}) as Partial<GeneratorState>;
    const valid =
      algorithm === 'xoshiro128**' &&
      Array.isArray(words) &&
      words.length === 4 &&
      words.every((word) => Number.isInteger(word) && word >= 0 && word < two32) &&
      words.some((word) => word !== 0);
    if (!valid) {
      throw new InputError(
        '[random] state: expected the state of an xoshiro128** generator (four 32-bit words, not all 0), ' +
          `got ${Array.isArray(words) ? check.shown(words) : check.shown(state)}`,
      );
    }
    this.#set(words);
  }

  /**
   * An independent generator, computed only from this one's current state and the label. This generator does
   * not advance. The order and the number of forks change nothing, and the same label gives the same stream
   * until this generator is used.
   */
  fork(label: string): RandomGenerator {
    check.requireValue('random', 'label', label, check.text);
    const child = new RandomGenerator(0);
    const codes = Array.from(label, (character) => character.codePointAt(0) as number);
    child.#set(spread([this.#a, this.#b, this.#c, this.#d, ...codes]));
    return child;
  }

  /** 32 random bits: an integer in [0, 2^32). */
  nextUint32(): number {
    const b = this.#b;
    const x = Math.imul(b, 5);
    const c = this.#c ^ this.#a;
    const d = this.#d ^ b;
    this.#b = b ^ c;
    this.#a ^= d;
    this.#c = c ^ (b << 9);
    this.#d = (d << 11) | (d >>> 21);
    return Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
  }

  /** A multiple of 2^-24 in [0, 1): exact in float32, where more bits could round up to 1. */
  uniform(): number {
    return (this.nextUint32() >>> 8) * 2 ** -24;
  }

  /** An integer in [0, n), every one equally likely; n is from 1 to 2^32. */
  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > two32) {
      throw new InputError(`[random] int: expected a bound from 1 to 2^32, got ${check.shown(n)}`);
    }
    return this.#below(n);
  }

  /** A sample of the normal distribution with mean 0 and variance 1. */
  normal(): number {
    // Marsaglia's polar method. Its second sample is dropped: storing it would add state to the four words.
    for (;;) {
      const x = (this.nextUint32() | 0) * 2 ** -31;
      const y = (this.nextUint32() | 0) * 2 ** -31;
      const s = x * x + y * y;
      if (s < 1 && s > 0) return x * Math.sqrt((-2 * Math.log(s)) / s);
    }
  }

  /**
   * Fills an array with samples of low + (high − low)·u, u in [0, 1), rounded to float32. Returns the array.
   */
  fillUniform(array: Float32Array, low: number, high: number): Float32Array {
    check.requireValue('random', 'array', array, float32Array);
    if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
      const got = `low ${check.shown(low)}, high ${check.shown(high)}`;
      throw new InputError(`[random] uniform: expected finite bounds, low <= high, got ${got}`);
    }
    const scale = (high - low) * 2 ** -24;
    for (let i = 0; i < array.length; i++) array[i] = low + scale * (this.nextUint32() >>> 8);
    return array;
  }

  /** Fills an array with samples of the normal distribution, rounded to float32. Returns the array. */
  fillNormal(array: Float32Array, mean: number, std: number): Float32Array {
    check.requireValue('random', 'array', array, float32Array);
    if (!Number.isFinite(mean) || !Number.isFinite(std) || std < 0) {
      const got = `mean ${check.shown(mean)}, std ${check.shown(std)}`;
      throw new InputError(`[random] normal: expected a finite mean and std >= 0, got ${got}`);
    }
    // Each round uses both samples. This is twice as fast as normal(), and gives other numbers.
    let i = 0;
    while (i < array.length) {
      const x = (this.nextUint32() | 0) * 2 ** -31;
      const y = (this.nextUint32() | 0) * 2 ** -31;
      const s = x * x + y * y;
      if (s >= 1 || s === 0) continue;
      const radius = std * Math.sqrt((-2 * Math.log(s)) / s);
      array[i++] = mean + radius * x;
      if (i < array.length) array[i++] = mean + radius * y;
    }
    return array;
  }

  /** The integers from 0 to n − 1 in random order (Fisher and Yates). */
  permutation(n: number): Uint32Array {
    check.requireValue('random', 'permutation', n, lengths);
    requireRoom(n * Uint32Array.BYTES_PER_ELEMENT, () => `a permutation of ${n} numbers`);
    const order = new Uint32Array(n);
    for (let i = 1; i < n; i++) {
      const j = this.#below(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  /** Two int32 words that seed one dropout mask. */
  seedPair(): [number, number] {
    return [this.nextUint32() | 0, this.nextUint32() | 0];
  }

  #set([a, b, c, d]: GeneratorState['words']): void {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    // All zeros is the one state that the recurrence never leaves.
    this.#d = (a | b | c | d) === 0 ? 1 : d | 0;
  }

  /** Samples as many bits as n needs until they are below n, so that all integers are equally likely. */
  #below(n: number): number {
    if (n === 1) return 0;
    const shift = Math.clz32(n - 1);
    for (;;) {
      const x = this.nextUint32() >>> shift;
      if (x < n) return x;
    }
  }
}

const float32Array = check.instanceOf(Float32Array);

let current = new RandomGenerator(0);

/** The generator of all random functions that get no other one. It starts with seed 0. */
export function defaultGenerator(): RandomGenerator {
  return current;
}

/**
 * Seeds the default generator, so that the code after it is repeatable. `n` is a non-negative safe integer.
 */
export function seed(n: number): void {
  current.restore(new RandomGenerator(n).state());
}

/**
 * Calls a function while another generator is the default one. The function has to be synchronous: after its
 * first `await` the default generator is the previous one again.
 *
 * @example
 * ```ts
 * import { nn, RandomGenerator, withGenerator } from 'fovea';
 *
 * const network = withGenerator(new RandomGenerator(7), () => new nn.Linear(2, 2));
 * ```
 */
export function withGenerator<T>(generator: RandomGenerator, body: () => T): T {
  check.requireValue('withGenerator', 'generator', generator, check.instanceOf(RandomGenerator));
  check.requireValue('withGenerator', 'body', body, check.callable);
  const before = current;
  current = generator;
  try {
    return body();
  } finally {
    current = before;
  }
}
