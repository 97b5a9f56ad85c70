import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NDArray } from '../../../src/engine/ndarray.js';
import type { Pool2dParams } from '../../../src/graph/op.js';
import type { Shape } from '../../../src/graph/shape.js';
import { anySeed, array, dot, expectAdjoint, expectClose, forAll, noise, reader, run, tabulate } from './support.js';

const size = (min: number, max: number) => fc.integer({ min, max });
const pair = (min: number, max: number) => fc.tuple(size(min, max), size(min, max));

interface Case {
  readonly params: Pool2dParams;
  readonly x: NDArray;
  readonly out: Shape;
  readonly dy: NDArray;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    maps: pair(1, 2),
    image: pair(1, 8),
    kernel: pair(1, 4),
    stride: pair(1, 3),
    pads: fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
    seed: anySeed,
  })
  .map(({ maps, image, kernel, stride, pads, seed }) => {
    // A window is never in the padding alone.
    const [top, bottom, left, right] = pads.map((p, i) => p % kernel[i >> 1]);
    const out = [
      ...maps,
      Math.floor((image[0] + top + bottom - kernel[0]) / stride[0]) + 1,
      Math.floor((image[1] + left + right - kernel[1]) / stride[1]) + 1,
    ];
    return {
      params: { kernel, stride, padding: [top, bottom, left, right] as const },
      x: noise([...maps, ...image], seed),
      out,
      seed,
    };
  })
  .filter(({ out }) => out[2] > 0 && out[3] > 0)
  .map(({ seed, ...rest }) => ({ ...rest, dy: noise(rest.out, seed + 1) }));

/** The positions of a window that are inside the image, in row-major order. */
function window({ params, x }: Case, i: number, j: number): [number, number][] {
  const { kernel, stride, padding } = params;
  const found: [number, number][] = [];
  for (let a = 0; a < kernel[0]; a++) {
    for (let b = 0; b < kernel[1]; b++) {
      const [h, w] = [i * stride[0] - padding[0] + a, j * stride[1] - padding[2] + b];
      if (h >= 0 && h < x.shape[2] && w >= 0 && w < x.shape[3]) found.push([h, w]);
    }
  }
  return found;
}

const opaque = (shape: Shape) => ({ shape, dtype: 'opaque' }) as const;

describe('maxPool2d', () => {
  it('takes the first largest element of each window, and remembers where', () => {
    forAll(
      cases,
      (c) => {
        const { params, x, out } = c;
        for (let i = 0; i < x.data.length; i++) x.data[i] = Math.round(x.data[i]);
        const [y, argmax] = run('maxPool2d', params, [x], out, opaque(out));
        const read = reader(x);
        const best = (n: number, ch: number, i: number, j: number) =>
          window(c, i, j).reduce(([h, w], [a, b]) => (read(n, ch, a, b) > read(n, ch, h, w) ? [a, b] : [h, w]));
        expectClose(
          y,
          tabulate(out, (n, ch, i, j) => read(n, ch, ...best(n, ch, i, j))),
        );
        const flat = ([h, w]: [number, number]) => h * x.shape[3] + w;
        expect([...argmax.data]).toEqual(tabulate(out, (n, ch, i, j) => flat(best(n, ch, i, j))));
      },
      100,
    );
  });

  it('has its backward kernel as the adjoint of the selection', () => {
    forAll(cases, ({ params, x, out, dy }) => {
      const [, argmax] = run('maxPool2d', params, [x], out, opaque(out));
      const other = noise(x.shape, 99);
      const read = reader(other);
      const where = reader(argmax);
      const picked = tabulate(out, (n, c, i, j) => {
        const place = where(n, c, i, j);
        return read(n, c, Math.floor(place / x.shape[3]), place % x.shape[3]);
      });
      const [dx] = run('maxPool2dBackward', { ...params, inputShape: x.shape }, [dy, argmax], x.shape);
      expectAdjoint(dot(array(out, picked), dy), dot(other, dx));
    });
  });

  it('keeps NaN and -Infinity', () => {
    const x = array([1, 1, 2, 4], [1, Number.NaN, -Infinity, -Infinity, 2, 3, -Infinity, -Infinity]);
    const params = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] } as const;
    const [y, argmax] = run('maxPool2d', params, [x], [1, 1, 1, 2], opaque([1, 1, 1, 2]));
    expectClose(y, [Number.NaN, -Infinity]);
    expect([...argmax.data]).toEqual([1, 2]);
  });
});

describe('avgPool2d', () => {
  it.each([true, false])('is the mean over the window, padding counted: %s', (countIncludePad) => {
    forAll(
      cases,
      (c) => {
        const { params, x, out, dy } = c;
        const read = reader(x);
        const mean = (n: number, ch: number, i: number, j: number) => {
          const inside = window(c, i, j);
          const count = countIncludePad ? params.kernel[0] * params.kernel[1] : inside.length;
          return inside.reduce((total, at) => total + read(n, ch, ...at), 0) / count;
        };
        const [y] = run('avgPool2d', { ...params, countIncludePad }, [x], out);
        expectClose(y, tabulate(out, mean));
        const backward = { ...params, countIncludePad, inputShape: x.shape };
        expectAdjoint(dot(y, dy), dot(x, run('avgPool2dBackward', backward, [dy], x.shape)[0]));
      },
      100,
    );
  });
});

describe('adaptiveAvgPool2d', () => {
  it('is the mean over windows that cover the image', () => {
    forAll(fc.tuple(pair(1, 2), pair(1, 9), pair(1, 9), anySeed), ([maps, image, outputSize, seed]) => {
      const x = noise([...maps, ...image], seed);
      const out = [...maps, ...outputSize];
      const read = reader(x);
      // Input cell k and output cell i overlap where the intervals [k, k+1) and [iH/OH, (i+1)H/OH) do.
      const overlaps = (axis: 0 | 1, i: number) =>
        [...Array(image[axis]).keys()].filter(
          (k) => (k + 1) * outputSize[axis] > i * image[axis] && k * outputSize[axis] < (i + 1) * image[axis],
        );
      const expected = tabulate(out, (n, c, i, j) => {
        const values = overlaps(0, i).flatMap((h) => overlaps(1, j).map((w) => read(n, c, h, w)));
        return values.reduce((a, b) => a + b) / values.length;
      });
      const [y] = run('adaptiveAvgPool2d', { outputSize }, [x], out);
      expectClose(y, expected);
      const dy = noise(out, seed + 1);
      const [dx] = run('adaptiveAvgPool2dBackward', { outputSize, inputShape: x.shape }, [dy], x.shape);
      expectAdjoint(dot(y, dy), dot(x, dx));
    });
  });

  it('to 1×1 is the mean of the plane', () => {
    const x = array([1, 2, 1, 3], [1, 2, 6, -1, 0, 4]);
    expectClose(run('adaptiveAvgPool2d', { outputSize: [1, 1] }, [x], [1, 2, 1, 1])[0], [3, 1]);
  });
});
