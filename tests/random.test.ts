import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../src/errors.js';
import { defaultGenerator, type GeneratorState, RandomGenerator, seed } from '../src/random.js';

type Words = [number, number, number, number];

const from = (words: Words) => RandomGenerator.fromState({ algorithm: 'xoshiro128**', words });
const take = (generator: RandomGenerator, n: number) => Array.from({ length: n }, () => generator.nextUint32());

/** The published C code of xoshiro128** 1.1 in unbounded integers. */
function referenceOutputs(words: Words, n: number): number[] {
  const u32 = (x: bigint) => x & 0xffffffffn;
  const rotl = (x: bigint, k: bigint) => u32(x << k) | (x >> (32n - k));
  const s = words.map(BigInt);
  return Array.from({ length: n }, () => {
    const result = u32(rotl(u32(s[1] * 5n), 7n) * 9n);
    const t = u32(s[1] << 9n);
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11n);
    return Number(result);
  });
}

/** splitmix32 in unbounded integers. */
function splitmix32(seedWord: number, n: number): number[] {
  const u32 = (x: bigint) => x & 0xffffffffn;
  let state = BigInt(seedWord);
  return Array.from({ length: n }, () => {
    state = u32(state + 0x9e3779b9n);
    let z = state;
    z = u32((z ^ (z >> 16n)) * 0x21f0aaadn);
    z = u32((z ^ (z >> 15n)) * 0x735a2d97n);
    return Number(z ^ (z >> 15n));
  });
}

function moments(values: Float32Array): { mean: number; variance: number; skewness: number; kurtosis: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const central = (k: number) => values.reduce((sum, x) => sum + (x - mean) ** k, 0) / values.length;
  const variance = central(2);
  return { mean, variance, skewness: central(3) / variance ** 1.5, kurtosis: central(4) / variance ** 2 };
}

/** Pearson's statistic of counts that should all be equal. */
function chiSquare(counts: ArrayLike<number>): number {
  const observed = Array.from(counts);
  const expected = observed.reduce((a, b) => a + b) / observed.length;
  return observed.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe('xoshiro128**', () => {
  it('gives the published sequence', () => {
    const published = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597];
    expect(take(from([1, 2, 3, 4]), 9)).toEqual(published);
  });

  it('follows the C code from any state', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), (words) => {
        fc.pre(words.some((w) => w !== 0));
        expect(take(from(words), 50)).toEqual(referenceOutputs(words, 50));
      }),
    );
  });

  it('is seeded by splitmix32', () => {
    for (const word of [0, 1, 42, 0xffffffff]) {
      expect(new RandomGenerator(word).state().words).toEqual(splitmix32(word, 4));
    }
  });
});

describe('seeds and streams', () => {
  it('repeats with the same seed and differs with any other seed or stream', () => {
    const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    const generators = () => [
      ...seeds.map((s) => new RandomGenerator(s)),
      ...seeds.slice(1).flatMap((s) => [new RandomGenerator(0, s), new RandomGenerator(s, s)]),
    ];
    const first = generators().map((g) => take(g, 4).join());
    expect(generators().map((g) => take(g, 4).join())).toEqual(first);
    expect(new Set(first).size).toBe(first.length);
  });

  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53, '1' as unknown as number])('refuses the seed %s', (value) => {
    expect(() => new RandomGenerator(value)).toThrow(/\[random\] seed: expected an integer from 0 to 2\^53 - 1, got/);
    expect(() => new RandomGenerator(0, value)).toThrow(/\[random\] stream: expected/);
    expect(() => seed(value)).toThrow(InputError);
  });

  it('forks without advancing, by state and label alone', () => {
    const parent = new RandomGenerator(5);
    const [x, y] = [parent.fork('x'), parent.fork('y')];
    expect(parent.state()).toEqual(new RandomGenerator(5).state());
    const reference = take(x, 5);
    expect(take(parent.fork('x'), 5)).toEqual(reference);
    expect(take(y, 5)).not.toEqual(reference);
    parent.nextUint32();
    expect(take(parent.fork('x'), 5)).not.toEqual(reference);
  });

  it('reseeds the default generator in place', () => {
    const held = defaultGenerator();
    seed(9);
    const first = take(held, 3);
    seed(9);
    expect(take(defaultGenerator(), 3)).toEqual(first);
    expect(take(new RandomGenerator(9), 3)).toEqual(first);
  });
});

describe('state', () => {
  it('survives JSON in the middle of every kind of sampling', () => {
    const draws: ((g: RandomGenerator) => unknown)[] = [
      (g) => g.nextUint32(),
      (g) => g.uniform(),
      (g) => g.normal(),
      (g) => g.int(1000),
      (g) => g.seedPair(),
      (g) => g.permutation(5),
      (g) => g.fillNormal(new Float32Array(3), 0, 1),
      (g) => g.fillUniform(new Float32Array(3), 0, 1),
    ];
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.constantFrom(...draws)), (seedValue, sequence) => {
        const generator = new RandomGenerator(seedValue);
        for (const draw of sequence) draw(generator);
        const copy = RandomGenerator.fromState(JSON.parse(JSON.stringify(generator.state())));
        for (const draw of draws) expect(draw(copy)).toEqual(draw(generator));
      }),
    );
  });

  it.each([
    null,
    {},
    { algorithm: 'mt19937', words: [1, 2, 3, 4] },
    { algorithm: 'xoshiro128**', words: [1, 2, 3] },
    { algorithm: 'xoshiro128**', words: [0, 0, 0, 0] },
    { algorithm: 'xoshiro128**', words: [1, 2, 3, 2 ** 32] },
    { algorithm: 'xoshiro128**', words: [1, 2, 3, -4] },
    { algorithm: 'xoshiro128**', words: [1, 2, 3, '4'] },
  ])('refuses %j', (state) => {
    const generator = new RandomGenerator(3);
    expect(() => generator.restore(state as unknown as GeneratorState)).toThrow(/\[random\] state: expected/);
    expect(generator.state()).toEqual(new RandomGenerator(3).state());
  });
});

describe('distributions', () => {
  it('uniform stays in [0, 1) and exact in float32', () => {
    const generator = new RandomGenerator(1);
    for (let i = 0; i < 10_000; i++) {
      const u = generator.uniform();
      expect(u >= 0 && u < 1 && Math.fround(u) === u).toBe(true);
    }
  });

  it('fillUniform has the moments of a uniform distribution', () => {
    const values = new RandomGenerator(2).fillUniform(new Float32Array(400_000), -1, 3);
    const { mean, variance, skewness, kurtosis } = moments(values);
    // Tolerances are about five standard errors.
    expect(Math.abs(mean - 1)).toBeLessThan(0.01);
    expect(Math.abs(variance - 16 / 12)).toBeLessThan(0.01);
    expect(Math.abs(skewness)).toBeLessThan(0.02);
    expect(Math.abs(kurtosis - 1.8)).toBeLessThan(0.02);
    expect(values.every((x) => x >= -1 && x <= 3)).toBe(true);
  });

  it.each([
    ['fillNormal', (g: RandomGenerator, n: number) => g.fillNormal(new Float32Array(n), 2, 0.5)],
    ['normal', (g: RandomGenerator, n: number) => Float32Array.from({ length: n }, () => 2 + 0.5 * g.normal())],
  ])('%s has the moments and the tails of a normal distribution', (_, sample) => {
    const values = sample(new RandomGenerator(3), 400_001);
    const { mean, variance, skewness, kurtosis } = moments(values);
    expect(Math.abs(mean - 2)).toBeLessThan(0.004);
    expect(Math.abs(variance - 0.25)).toBeLessThan(0.003);
    expect(Math.abs(skewness)).toBeLessThan(0.02);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.04);
    const beyond = (sigmas: number) => values.filter((x) => Math.abs(x - 2) > sigmas * 0.5).length / values.length;
    expect(Math.abs(beyond(1) - 0.317311)).toBeLessThan(0.004);
    expect(Math.abs(beyond(3) - 0.0027)).toBeLessThan(0.0004);
  });

  it('gives int(n) without bias', () => {
    const generator = new RandomGenerator(4);
    for (const n of [2, 3, 7, 100]) {
      const counts = new Uint32Array(n);
      for (let i = 0; i < n * 2000; i++) counts[generator.int(n)]++;
      // Six standard deviations above the mean of chi-square with n − 1 degrees of freedom.
      expect(chiSquare(counts)).toBeLessThan(n - 1 + 6 * Math.sqrt(2 * (n - 1)));
    }
    // A bound where taking a remainder of 32 bits would favour the lower half by 2 to 1.
    const bound = 3 * 2 ** 30;
    let low = 0;
    for (let i = 0; i < 30_000; i++) if (generator.int(bound) < bound / 2) low++;
    expect(Math.abs(low - 15_000)).toBeLessThan(6 * Math.sqrt(7500));
  });

  it('reaches both ends of int(n)', () => {
    const generator = new RandomGenerator(5);
    expect(generator.int(1)).toBe(0);
    expect(new Set(Array.from({ length: 100 }, () => generator.int(3)))).toEqual(new Set([0, 1, 2]));
    const wide = Array.from({ length: 1000 }, () => generator.int(2 ** 32));
    expect(Math.max(...wide)).toBeGreaterThan(0.99 * 2 ** 32);
  });

  it('permutes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 300 }), (seedValue, n) => {
        const order = new RandomGenerator(seedValue).permutation(n);
        expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('gives every permutation equally often', () => {
    const generator = new RandomGenerator(6);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const key = generator.permutation(4).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(chiSquare([...counts.values()])).toBeLessThan(23 + 6 * Math.sqrt(46));
  });

  it('gives seed pairs of int32', () => {
    const [first, second] = new RandomGenerator(7).seedPair();
    expect([first, second]).toEqual(take(new RandomGenerator(7), 2).map((word) => word | 0));
  });

  it('refuses bounds that make no sense', () => {
    const generator = new RandomGenerator(0);
    const array = new Float32Array(1);
    for (const n of [0, -1, 1.5, Number.NaN, 2 ** 32 + 1]) expect(() => generator.int(n)).toThrow(InputError);
    for (const n of [-1, 1.5, Number.NaN]) expect(() => generator.permutation(n)).toThrow(InputError);
    expect(() => generator.fillUniform(array, 1, 0)).toThrow(/low <= high, got low 1, high 0/);
    expect(() => generator.fillUniform(array, 0, Infinity)).toThrow(InputError);
    expect(() => generator.fillNormal(array, 0, -1)).toThrow(/std >= 0, got mean 0, std -1/);
    expect(() => generator.fillNormal(array, Number.NaN, 1)).toThrow(InputError);
  });
});
