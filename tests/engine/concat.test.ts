import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import type { Shape } from '../../src/graph/shape.js';
import { concat } from '../../src/tensor/combine.js';
import { realizeAll } from '../../src/tensor/evaluate.js';
import * as F from '../../src/tensor/functional.js';
import { noGrad } from '../../src/tensor/noGrad.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines, expectAgreement, noise, stepsOf } from '../engines.js';

afterEach(() => {
  setEngine('onednn');
});

const tensor = (shape: Shape, seed: number) => Tensor.fromData(noise(shape, seed, 0.5).data, shape);

/** A 1×1 convolution; its result has the library's own layout. */
function pointwise(x: Tensor, out: number, seed: number): Tensor {
  return F.conv2d(x, tensor([out, x.shape[1], 1, 1], seed));
}

/** Both engines compute the same; @returns how often oneDNN's programs copied what they joined */
async function compare(build: () => readonly Tensor[]): Promise<number> {
  const results: Float32Array[][] = [];
  let copies = 0;
  for (const engine of engines) {
    setEngine(engine);
    const outputs = noGrad(build);
    const { steps } = await stepsOf(() => realizeAll([...outputs]));
    copies += steps.filter(({ name }) => name === 'concat').length;
    results.push((await Promise.all(outputs.map((output) => output.data()))) as Float32Array[]);
  }
  results[1].forEach((actual, i) => {
    // Functions are approximated; what was overwritten differs by more.
    expectAgreement(actual, results[0][i], `output ${i}`, { tolerance: 1e-3 });
  });
  return copies;
}

describe('concat', () => {
  const image = () => tensor([1, 16, 6, 5], 1);

  it('of an image’s channels copies nothing', async () => {
    const build = () => {
      const [a, b] = [pointwise(image(), 32, 2), F.relu(pointwise(image(), 16, 3))];
      return [pointwise(concat([a, b, F.sigmoid(a)], 1), 16, 4)];
    };
    expect(await compare(build)).toBe(0);
  });

  it('keeps its parts as long as they are read, and they keep the whole', async () => {
    const build = () => {
      const [a, b] = [pointwise(image(), 32, 2), pointwise(image(), 16, 3)];
      const whole = concat([a, b], 1);
      const rectified = F.relu(whole);
      const residual = pointwise(whole, 32, 5).add(F.relu(a));
      return [residual, F.sigmoid(b), F.tanh(concat([rectified, b], 1)), pointwise(whole, 16, 6).add(b)];
    };
    await compare(build);
  });

  it('of wholes that have parts', async () => {
    const build = () => {
      const [a, b, c] = [pointwise(image(), 16, 2), pointwise(image(), 32, 3), pointwise(image(), 16, 4)];
      const inner = concat([a, b], 1);
      return [pointwise(concat([c, inner], 1), 16, 5), F.relu(inner), F.relu(c)];
    };
    expect(await compare(build)).toBe(0);
  });

  it('keeps the parts of what has become a part itself', async () => {
    const build = () => {
      const [a, b, c] = [pointwise(image(), 16, 2), pointwise(image(), 32, 3), pointwise(image(), 16, 4)];
      const outer = concat([c, concat([a, b], 1)], 1);
      // The first output needs the outer one, which the last one reads when nothing else reads its parts any more.
      return [pointwise(outer, 16, 5), F.tanh(a), F.tanh(b), pointwise(outer, 16, 6)];
    };
    expect(await compare(build)).toBe(0);
  });

  it('of images copies nothing, of the channels of several it does', async () => {
    const batch = (seed: number) => pointwise(tensor([2, 16, 6, 5], seed), 32, seed + 1);
    expect(await compare(() => [F.relu(concat([batch(1), batch(3)], 0))])).toBe(0);
    expect(await compare(() => [F.relu(concat([batch(1), batch(3)], 1))])).toBe(1);
  });

  it('copies what comes twice, what comes from outside, and what does not fill its blocks', async () => {
    const a = () => pointwise(image(), 16, 2);
    expect(await compare(() => [pointwise(concat([image(), a()], 1), 16, 3)])).toBe(1);
    const twice = () => {
      const value = a();
      return [pointwise(concat([value, value], 1), 16, 4)];
    };
    expect(await compare(twice)).toBe(1);
    // 20 channels fill neither blocks of 8 nor of 16.
    const odd = () => [pointwise(concat([pointwise(image(), 20, 5), a()], 1), 16, 6)];
    expect(await compare(odd)).toBe(1);
  });

  it('agrees with the reference in any network', async () => {
    const step = fc.record({
      op: fc.constantFrom('concat', 'concat', 'pointwise', 'relu', 'tanh', 'add'),
      from: fc.array(fc.nat(), { minLength: 3, maxLength: 3 }),
      seed: fc.integer({ min: 1, max: 50 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
        await compare(() => {
          const values = [pointwise(image(), 16, 1), pointwise(image(), 32, 2)];
          for (const { op, from, seed } of steps) {
            const [a, b, c] = from.map((n) => values[n % values.length]);
            const channels = a.shape[1] + b.shape[1] + c.shape[1];
            if (op === 'concat') values.push(concat(channels > 256 ? [a, b].slice(seed % 2) : [a, b, c], 1));
            else if (op === 'pointwise') values.push(pointwise(a, 16 + 16 * (seed % 3), seed));
            else if (op === 'add') values.push(a.add(pointwise(b, a.shape[1], seed)));
            else values.push(op === 'relu' ? F.relu(a) : F.tanh(a));
          }
          return values.filter((_, i) => i >= values.length - 3 || i % 4 === 0);
        });
      }),
      { numRuns: 150 },
    );
  });
});
