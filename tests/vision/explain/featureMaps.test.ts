import { describe, expect, it } from 'vitest';
import { RandomGenerator } from '../../../src/random.js';
import { explain } from '../../../src/vision/index.js';

/** Points whose spread falls from number to number. */
function points(n: number, size: number, seed = 1): Float32Array {
  const generator = new RandomGenerator(seed);
  return Float32Array.from({ length: n * size }, (_, i) => generator.normal() / (1 + (i % size)) + (i % 3));
}

describe('nearest features', () => {
  it('are those of a plain loop, in batches too', () => {
    const [n, size] = [60, 5];
    const all = points(n, size);
    const queries = points(4, size, 2);
    const search = new explain.NearestFeatures(queries, { size, count: 7 });
    for (let begin = 0; begin < n; begin += 25) search.add(all.subarray(begin * size, (begin + 25) * size));
    const wanted = Array.from({ length: 4 }, (_, q) =>
      Array.from({ length: n }, (__, index) => {
        let sum = 0;
        for (let k = 0; k < size; k++) sum += (all[index * size + k] - queries[q * size + k]) ** 2;
        return { index, distance: Math.sqrt(sum) };
      })
        .sort((a, b) => a.distance - b.distance)
        .slice(0, 7),
    );
    expect(search.results()).toEqual(wanted);
  });

  it('keep the order of equal points, and may be fewer than asked for', () => {
    const search = new explain.NearestFeatures([0], { size: 1, count: 3 });
    search.add([1, -1]);
    expect(search.results()).toEqual([
      [
        { index: 0, distance: 1 },
        { index: 1, distance: 1 },
      ],
    ]);
    expect(() => search.add([])).not.toThrow();
    expect(() => new explain.NearestFeatures([1, 2, 3], { size: 2, count: 1 })).toThrow('expected 2 numbers a point');
    expect(() => new explain.NearestFeatures([1], { size: 1, count: 0 })).toThrow('count: expected a positive integer');
  });
});

describe('principal components', () => {
  const [n, size] = [40, 12];
  const values = points(n, size);
  const mean = Array.from({ length: size }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[i * size + j];
    return sum / n;
  });
  const centred = (i: number, j: number) => values[i * size + j] - mean[j];

  it('are eigenvectors of the covariance, largest variance first', () => {
    const { components, explained } = explain.principalComponents(values, size, size);
    expect(explained.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    let total = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < size; j++) total += centred(i, j) ** 2;
    for (let k = 0; k < size; k++) {
      if (k > 0) expect(explained[k]).toBeLessThanOrEqual(explained[k - 1]);
      const v = components.subarray(k * size, (k + 1) * size);
      for (let l = 0; l <= k; l++) {
        const dot = v.reduce((sum, x, j) => sum + x * components[l * size + j], 0);
        expect(dot).toBeCloseTo(Number(k === l), 8);
      }
      for (let a = 0; a < size; a++) {
        let product = 0;
        for (let i = 0; i < n; i++) for (let b = 0; b < size; b++) product += centred(i, a) * centred(i, b) * v[b];
        expect(product / total).toBeCloseTo(explained[k] * v[a], 5);
      }
    }
  });

  it('place the points, with a sign that does not depend on chance', () => {
    const { points: placed, components, explained } = explain.principalComponents(values, size);
    expect(placed.length).toBe(2 * n);
    let sum = 0;
    for (let j = 0; j < size; j++) sum += centred(3, j) * components[size + j];
    expect(placed[2 * 3 + 1]).toBeCloseTo(sum, 10);
    const first = components.subarray(0, size);
    expect(first.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0)).toBeGreaterThan(0);
    // All directions together find the same ones.
    const whole = explain.principalComponents(values, size, size);
    expect(explained[1]).toBeCloseTo(whole.explained[1], 10);
    first.forEach((x, j) => {
      expect(x).toBeCloseTo(whole.components[j], 5);
    });
  });

  it('take equal points, and refuse others than finite ones', () => {
    expect(explain.principalComponents(new Float32Array(12), 4).explained).toEqual([0, 0]);
    expect(() => explain.principalComponents([1, 2, Number.NaN, 4], 2)).toThrow('expected finite numbers');
    expect(() => explain.principalComponents([1, 2], 2)).toThrow('expected two or more of 2 numbers each, got 2');
    expect(() => explain.principalComponents([1, 2, 3, 4], 2, 3)).toThrow('expected an integer from 1 to 2, got 3');
  });
});

describe('UMAP', () => {
  /** Two groups that are far apart. */
  const groups = Float32Array.from(points(30, 3), (value, i) => value + (i >= 45 ? 100 : 0));

  it('is the same for a seed, and keeps groups apart', async () => {
    const map = await explain.umap(groups, 3, { seed: 4, neighbours: 6 });
    expect(map.length).toBe(60);
    expect(await explain.umap(groups, 3, { seed: 4, neighbours: 6 })).toEqual(map);
    expect(await explain.umap(groups, 3, { seed: 5, neighbours: 6 })).not.toEqual(map);
    const search = new explain.NearestFeatures(map, { size: 2, count: 2 });
    search.add(map);
    for (const [i, near] of search.results().entries()) {
      expect(near.every(({ index }) => index < 15 === i < 15)).toBe(true);
    }
  });

  it('refuses too few points and wrong numbers, and stops at a signal', async () => {
    await expect(explain.umap([1, 2, 3], 1)).rejects.toThrow('expected four or more');
    await expect(explain.umap(groups, 3, { neighbours: 30 })).rejects.toThrow(
      'expected an integer from 2 to 29, got 30',
    );
    await expect(explain.umap(groups, 3, { minDist: -1 })).rejects.toThrow('minDist: expected a number from 0 to 1');
    await expect(explain.umap(groups, 3, { signal: AbortSignal.abort() })).rejects.toThrow('abort');
  });
});
