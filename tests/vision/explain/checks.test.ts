import { describe, expect, it } from 'vitest';
import { Conv2D, Flatten, Linear, ReLU, Sequential } from '../../../src/nn/index.js';
import * as F from '../../../src/tensor/functional.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { explain } from '../../../src/vision/index.js';

const side = 8;
/** The probability rises with the brightness of the upper left quarter alone. */
function cornerProbability(images: Tensor): Tensor {
  const corner = images.slice([0, 0, 0, 0], [images.shape[0], 1, side / 2, side / 2]).mean({ axis: [1, 2, 3] });
  return F.sigmoid(corner.mul(8).sub(4));
}
const image = () => Tensor.full([1, 1, side, side], 1);
const mapWhere = (inside: (y: number, x: number) => boolean) =>
  Float32Array.from({ length: side * side }, (_, i) => Number(inside(Math.floor(i / side), i % side)));

describe('deletion and insertion', () => {
  it('distinguish a map of the places that count from others', async () => {
    const right = mapWhere((y, x) => y < side / 2 && x < side / 2);
    const wrong = Float32Array.from(right, (value, i) => i - 100 * value);
    const options = { baseline: 0, seed: 1 };
    const good = await explain.perturb(image(), right, cornerProbability, options);
    const bad = await explain.perturb(image(), wrong, cornerProbability, options);
    expect(good.deletion.map).toBeLessThan(Math.min(good.deletion.random, good.deletion.centre));
    expect(good.insertion.map).toBeGreaterThan(Math.max(good.insertion.random, good.insertion.centre));
    expect(bad.deletion.map).toBeGreaterThan(bad.deletion.random);
    expect(bad.insertion.map).toBeLessThan(bad.insertion.random);
    expect(bad.deletion.random).toBe(good.deletion.random);
  });

  it('follow their definition', async () => {
    const map = mapWhere((y, x) => y < side / 2 && x < side / 2);
    const { deletion } = await explain.perturb(image(), map, cornerProbability, { baseline: 0, steps: 4 });
    // The first of four steps covers the whole corner.
    const [all, none] = [1 / (1 + Math.exp(-4)), 1 / (1 + Math.exp(4))];
    expect(deletion.map).toBeCloseTo((all / 2 + 3 * none + none / 2) / 4, 5);
  });

  it('refuse a map of another size', async () => {
    await expect(explain.perturb(image(), new Float32Array(9), cornerProbability)).rejects.toThrow(
      'expected 64 values for an image of 8×8, got 9',
    );
  });
});

describe('randomized layers', () => {
  const network = () =>
    new Sequential(new Conv2D(1, 4, 3, { padding: 1 }), new ReLU(), new Flatten(), new Linear(256, 2)).eval();
  const input = Tensor.fromData(
    Float32Array.from({ length: 64 }, (_, i) => Math.sin(i * i)),
    [1, 1, side, side],
  );

  it('change a map that depends on the weights', async () => {
    const byGradient: explain.MapMaker = async (net) =>
      (await explain.occlusion(net, input, { class: 0, patch: 1 })).values;
    const results = await explain.cascade(network(), byGradient, 3);
    expect(results.map(({ layer }) => layer)).toEqual(['3', '0']);
    for (const { correlation } of results) expect(Math.abs(correlation)).toBeLessThan(0.6);
  });

  it('leave a map that only sees the image as it is', async () => {
    const ofImage: explain.MapMaker = () => input.data('float32');
    for (const { correlation } of await explain.cascade(network(), ofImage)) expect(correlation).toBeCloseTo(1, 12);
  });
});

describe('rank correlation', () => {
  it.each([
    [[1, 2, 3, 4], [10, 20, 30, 40], 1],
    [[1, 2, 3, 4], [4, 3, 2, 1], -1],
    // SciPy's spearmanr, with equal values.
    [[1, 2, 2, 3], [1, 3, 2, 4], 0.9486832980505138],
    [[1, 1, 1], [1, 2, 3], 0],
  ])('of %j and %j', (a, b, wanted) => {
    expect(explain.rankCorrelation(Float32Array.from(a), Float32Array.from(b))).toBeCloseTo(wanted, 12);
  });
});

describe('layers with maps', () => {
  it('are found without computing, in the order in which they run', () => {
    const net = new Sequential(new Conv2D(1, 2, 3), new ReLU(), new Flatten(), new Linear(72, 2));
    expect(explain.mapLayers(net, [1, 1, side, side])).toEqual([
      { name: '0', shape: [1, 2, 6, 6] },
      { name: '1', shape: [1, 2, 6, 6] },
    ]);
    expect(explain.lastMapLayer(net, [1, 1, side, side])).toBe('1');
    expect(explain.lastMapLayer(new Sequential(new Linear(3, 2)), [1, 3])).toBeNull();
  });
});

describe('colours', () => {
  it('have one scale for maps that are compared, around 0 if a value is negative', () => {
    expect(explain.scaleFor([Float32Array.of(0, 2), Float32Array.of(1, 3)])).toEqual({ most: 3, signed: false });
    expect(explain.scaleFor([Float32Array.of(-5, 2)])).toEqual({ most: 5, signed: true });
  });

  it('are grey where a map says nothing, also where it is 0 everywhere', () => {
    const picture = Float32Array.of(0.2, 0.8);
    for (const scale of [{ most: 1, signed: true }, explain.scaleFor([Float32Array.of(0, 0)])]) {
      const shown = explain.overlay(picture, Float32Array.of(0, 0), scale);
      expect([...shown].map((value) => Math.round(value * 10) / 10)).toEqual([0.2, 0.8, 0.2, 0.8, 0.2, 0.8]);
    }
    expect(() => explain.overlay(new Float32Array(5), new Float32Array(2), { most: 1, signed: false })).toThrow(
      'got 5',
    );
  });

  it('go from blue to red around 0', () => {
    const [r, g, b] = [0, 2, 4].map((at) =>
      explain.colorMap(Float32Array.of(-1, 1), { most: 1, signed: true }).slice(at, at + 2),
    );
    expect(b[0]).toBeGreaterThan(r[0]);
    expect(r[1]).toBeGreaterThan(b[1]);
    expect(g[0]).toBeLessThan(1);
  });
});
