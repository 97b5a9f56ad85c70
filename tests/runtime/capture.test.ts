import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { openOneDnn } from '../../src/engine/onednn/engine.js';
import { livePrimitives, nativeBytes } from '../../src/engine/onednn/ffi.js';
import { setConvolution, setEngine } from '../../src/engine/select.js';
import { equalData } from '../../src/graph/equal.js';
import { BatchNorm2D, Conv2D, ReLU, Sequential } from '../../src/nn/index.js';
import { Adam } from '../../src/optimizer/index.js';
import { RandomGenerator } from '../../src/random.js';
import { compilationCount, programsOf } from '../../src/runtime/realize.js';
import { concat } from '../../src/tensor/combine.js';
import { realizeAll } from '../../src/tensor/evaluate.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import * as F from '../../src/tensor/functional.js';
import { Buffer, Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines, noise } from '../engines.js';

/** Number of programs compiled while `body` runs. */
async function compilations(body: () => Promise<unknown>): Promise<number> {
  const before = compilationCount();
  await body();
  return compilationCount() - before;
}

const image = (seed: number, shape = [2, 3, 6, 6]): Tensor => Tensor.fromData(noise(shape, seed).data, shape);
const weight = (seed: number, shape = [4, 3, 3, 3]): Tensor => Tensor.fromData(noise(shape, seed).data, shape);

describe.each(engines)('%s: programs are cached by structure', (engine) => {
  beforeEach(() => setEngine(engine));

  it('compiles equal structures once, for all data', async () => {
    const net = (seed: number) => F.relu(F.conv2d(image(seed), weight(seed), null, { padding: 1 })).mean();
    await net(1).data();
    expect(await compilations(() => net(2).data())).toBe(0);
    expect(await net(3).item()).not.toBe(await net(4).item());
  });

  it('distinguishes parameters, shapes and dtypes', async () => {
    const conv = (options: F.Conv2dOptions, shape?: number[]) => F.conv2d(image(1, shape), weight(2), null, options);
    await conv({ padding: 1 }).data();
    const others: (() => Tensor)[] = [
      () => conv({ padding: 0 }),
      () => conv({ padding: 1, stride: 2 }),
      () => conv({ padding: [1, 1, 1, 0] }),
      () => conv({ padding: 1 }, [2, 3, 6, 7]),
      () => conv({ padding: 1 }, [1, 3, 6, 6]),
      () => tensor([1, 2]).add(1),
      () => tensor([1, 2], 'int32').add(1),
      () => tensor([1, 2]).add(2),
      () => tensor([1, 2]).sub(1),
      () => tensor([1, 2]).div(0),
      () => tensor([1, 2]).div(-0),
    ];
    for (const other of others) {
      expect(await compilations(() => other().data())).toBe(1);
      expect(await compilations(() => other().data())).toBe(0);
    }
    expect([...(await tensor([1, 2]).div(-0).data())]).toEqual([-Infinity, -Infinity]);
    expect([...(await tensor([1, 2]).div(0).data())]).toEqual([Infinity, Infinity]);
  });

  it('distinguishes roots: which, how many, in which order', async () => {
    const run = (pick: (y: Tensor, z: Tensor) => Tensor[]) => {
      const y = image(1).affine(2, 1);
      const z = y.exp();
      return realizeAll(pick(y, z));
    };
    const choices: ((y: Tensor, z: Tensor) => Tensor[])[] = [
      (_, z) => [z],
      (y, z) => [y, z],
      (y, z) => [z, y],
      (y, z) => [y, z, y],
    ];
    for (const choice of choices) {
      expect(await compilations(() => run(choice))).toBe(1);
      expect(await compilations(() => run(choice))).toBe(0);
    }
  });

  it('counts shared storages as part of the structure', async () => {
    const [a, b] = [tensor([1, 2, 3]), tensor([10, 20, 30])];
    const difference = (x: Tensor, y: Tensor) => x.sub(y.affine(2, 0));
    await difference(a, b).data();
    expect(await compilations(() => difference(b, a).data())).toBe(0);
    const same = difference(a, a);
    expect(await compilations(() => same.data())).toBe(1);
    expect([...(await same.data())]).toEqual([-1, -2, -3]);
    expect([...(await difference(a, b).data())]).toEqual([-19, -38, -57]);
    // Two tensors over equal data are two sources.
    expect(await compilations(() => difference(tensor([1, 2, 3]), tensor([1, 2, 3])).data())).toBe(0);
  });

  it('distinguishes long-lived sources from inputs', async () => {
    const double = (x: Tensor) => x.affine(4, 0).data();
    await double(tensor([1, 2]));
    expect(await compilations(() => double(new Buffer(Float32Array.of(1, 2), [2])))).toBe(1);
    expect(await compilations(() => double(new Parameter(Float32Array.of(1, 2), [2])))).toBe(0);
  });

  it('distinguishes assignments to different states', async () => {
    const [p, q] = [Buffer.filled([3], 1), Buffer.filled([3], 2)];
    const into = async (target: Buffer) => {
      target.assign(p.add(q).value);
      await target.data();
    };
    await into(p);
    expect(await compilations(() => into(q))).toBe(1);
    expect(await compilations(() => into(p))).toBe(0);
    expect([...(await p.data())]).toEqual([8, 8, 8]);
    expect([...(await q.data())]).toEqual([5, 5, 5]);
  });

  it('takes learning rates, dropout seeds and labels as data: no recompilation from the second step on', async () => {
    const w = new Parameter(Float32Array.from(noise([108, 5], 1).data), [108, 5]);
    const optimizer = new Adam({ parameters: [w] });
    const generator = new RandomGenerator(1);
    const step = async (i: number) => {
      const x = F.dropout(image(i).flatten({ startAxis: 1 }), { p: 0.2, generator });
      const loss = F.crossEntropy(F.linear(x, w), tensor([i % 5, 1], 'int32'));
      loss.backward();
      optimizer.learningRate = 0.1 / i;
      await optimizer.step();
      optimizer.clearGrad();
      return loss.item();
    };
    expect(await compilations(() => step(1))).toBe(1);
    expect(
      await compilations(async () => {
        for (let i = 2; i < 6; i++) await step(i);
      }),
    ).toBe(0);
  });
});

describe('the cache gives programs back', () => {
  beforeEach(() => setEngine('onednn'));

  const filter = weight(2);
  /** A program of its own for every `n`, with a constant, kernels and a scratchpad. */
  const run = (n: number) => {
    const x = F.conv2d(image(1), filter, null, { padding: 1 });
    return F.softmax(concat([x.add(n), Tensor.full([2, 1, 6, 6], n)], 1), 1)
      .sum()
      .item();
  };

  it('holds 64 programs and frees all that the oldest one owned', async () => {
    programsOf(openOneDnn()).clear();
    const noPrimitives = livePrimitives();
    for (let n = 0; n < 64; n++) await run(n);
    const [primitives, bytes] = [livePrimitives(), nativeBytes()];
    expect(primitives).toBeGreaterThanOrEqual(noPrimitives + 64);
    expect(await compilations(() => run(63))).toBe(0);
    expect(await compilations(() => run(0))).toBe(0);
    // Program 0 was used a moment ago, so 1 to 20 are dropped. The programs are alike in all but a constant.
    for (let n = 100; n < 120; n++) await run(n);
    expect(livePrimitives()).toBe(primitives);
    // The garbage collector may free parameters of other tests meanwhile.
    expect(nativeBytes()).toBeLessThanOrEqual(bytes);
    expect(await compilations(() => run(0))).toBe(0);
    expect(await compilations(() => run(1))).toBe(1);
    expect(await run(1)).toBeCloseTo(72, 4);
  });
});

describe('the cache keeps few bytes', () => {
  it('drops the weights that other batch sizes prepared, and computes the same when they come again', async () => {
    setEngine('onednn');
    const programs = programsOf(openOneDnn());
    programs.clear();
    // Winograd's kernels keep larger weights than the first program, and this is not known in advance.
    setConvolution('direct');
    const network = new Sequential(new Conv2D(64, 128, 3), new BatchNorm2D(128), new ReLU()).eval();
    const predict = async (n: number) => (await network.forward(image(5, [n, 64, 8, 8])).data()).slice(0, 99);
    const first = await predict(1);
    const { limit } = programs;
    const each = programs.bytes;
    // At least the weights that the batch norm is part of.
    expect(each).toBeGreaterThan(64 * 128 * 9 * 4);
    programs.limit = 3 * each;
    const before = nativeBytes();
    try {
      for (let n = 2; n < 9; n++) await predict(n);
      expect(programs.bytes).toBeLessThanOrEqual(programs.limit);
      expect(nativeBytes() - before).toBeLessThan(programs.limit);
      expect(await compilations(() => predict(8))).toBe(0);
      expect(await compilations(() => predict(1))).toBe(1);
      expect(await predict(1)).toEqual(first);
      programs.limit = 0;
      programs.trim();
      // The one used last stays.
      expect(await compilations(() => predict(1))).toBe(0);
    } finally {
      programs.limit = limit;
      setConvolution('auto');
    }
    programs.clear();
    expect(programs.bytes).toBe(0);
    expect(nativeBytes()).toBeLessThan(before);
  });
});

describe('equalData', () => {
  const plain = fc.letrec((tie) => ({
    leaf: fc.oneof(
      fc.constantFrom(0, -0, 1, 2, Number.NaN, Infinity, true, false, '', 'a', undefined),
      fc.integer({ min: 0, max: 3 }),
    ),
    node: fc.oneof(
      { depthSize: 'small' },
      tie('leaf'),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).node;

  it('agrees with deep equality', () => {
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        expect(equalData(a, b)).toBe(isDeepStrictEqual(a, b));
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it('finds a copy equal and a copy with one change different', () => {
    fc.assert(
      fc.property(fc.array(plain, { minLength: 1 }), fc.nat(), (list, place) => {
        const copy = structuredClone(list);
        expect(equalData(list, copy)).toBe(true);
        copy[place % list.length] = 'changed';
        expect(equalData(list, copy)).toBe(false);
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});
