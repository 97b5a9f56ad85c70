import { beforeEach, describe, expect, it } from 'vitest';
import type { EngineName } from '../../src/engine/engines.js';
import { openOneDnn } from '../../src/engine/onednn/engine.js';
import { nativeBytes } from '../../src/engine/onednn/ffi.js';
import { setEngine } from '../../src/engine/select.js';
import { EngineError } from '../../src/errors.js';
import { Adam, Momentum } from '../../src/optimizer/index.js';
import { compilationCount } from '../../src/runtime/realize.js';
import { realizeAll } from '../../src/tensor/evaluate.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import * as F from '../../src/tensor/functional.js';
import { Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { expectAgreement, noise } from '../engines.js';

const image = (shape: number[], seed: number): Tensor => Tensor.fromData(noise(shape, seed).data, shape);

/** A small net with every kind of parameter; grouped weights have one more axis in memory. */
class Net {
  readonly conv = new Parameter(noise([16, 3, 3, 3], 1, 0.3).data as Float32Array, [16, 3, 3, 3]);
  readonly grouped = new Parameter(noise([6, 8, 3, 3], 2, 0.2).data as Float32Array, [6, 8, 3, 3]);
  readonly linear = new Parameter(noise([24, 5], 3, 0.3).data as Float32Array, [24, 5]);
  readonly bias = new Parameter(noise([5], 4, 0.3).data as Float32Array, [5]);
  readonly parameters = [this.conv, this.grouped, this.linear, this.bias];

  constructor(seed = 0) {
    for (const p of this.parameters) p.load(noise(p.shape, seed + 10, 0.3).data);
  }

  forward(x: Tensor): Tensor {
    const y = F.relu(F.conv2d(x, this.conv, null, { padding: 1 }));
    const z = F.sigmoid(F.conv2d(F.maxPool2d(y, 2), this.grouped, null, { groups: 2 }));
    return F.linear(F.adaptiveAvgPool2d(z, 2).flatten({ startAxis: 1 }), this.linear, this.bias);
  }

  loss(batch: number, seed: number): Tensor {
    const labels = Tensor.fromData(Int32Array.from({ length: batch }, (_, i) => (seed + i) % 5));
    return F.crossEntropy(this.forward(image([batch, 3, 12, 12], seed)), labels);
  }
}

async function expectSameParameters(actual: Net, expected: Net, what: string): Promise<void> {
  for (const [i, parameter] of actual.parameters.entries()) {
    const wanted = await expected.parameters[i].data();
    expectAgreement(await parameter.data(), wanted, `${what}: parameter ${i}`, { tolerance: 3e-5 });
  }
}

/** One net trained by a list of engines and batch sizes, a step each. */
async function train(
  net: Net,
  steps: readonly (readonly [EngineName, number])[],
  onStep?: (i: number) => Promise<void>,
) {
  const optimizer = new Momentum({ parameters: net.parameters, learningRate: 0.2, weightDecay: 0.01 });
  for (const [i, [engine, batch]] of steps.entries()) {
    setEngine(engine);
    net.loss(batch, i).backward();
    await optimizer.step();
    optimizer.clearGrad();
    await onStep?.(i);
  }
}

describe('programs that share parameters', () => {
  it('engines may take turns', async () => {
    const turns: EngineName[] = ['onednn', 'reference', 'onednn', 'onednn', 'reference', 'onednn'];
    const [mixed, expected] = [new Net(), new Net()];
    await train(
      expected,
      turns.map(() => ['reference', 4] as const),
    );
    await train(
      mixed,
      turns.map((engine) => [engine, 4] as const),
    );
    expect(mixed.conv.storage.device).not.toBeNull();
    await expectSameParameters(mixed, expected, 'turns');
  });

  it('batch sizes may take turns, with evaluation in between, without recompiling', async () => {
    const batches = [8, 3, 8, 8, 3, 1, 8, 1];
    const [actual, expected] = [new Net(), new Net()];
    const evaluations: number[][] = [[], []];
    const evaluate = (net: Net, into: number[]) => async () => {
      const y = F.softmax(net.forward(image([2, 3, 20, 20], 7)));
      into.push(...(await y.data()));
    };
    await train(
      expected,
      batches.map((batch) => ['reference', batch] as const),
      evaluate(expected, evaluations[0]),
    );
    const counts: number[] = [];
    await train(
      actual,
      batches.map((batch) => ['onednn', batch] as const),
      async () => {
        await evaluate(actual, evaluations[1])();
        counts.push(compilationCount());
      },
    );
    await expectSameParameters(actual, expected, 'batches');
    expectAgreement(Float32Array.from(evaluations[1]), evaluations[0], 'evaluations', { tolerance: 1e-4 });
    // Three batch sizes and one evaluation.
    expect(counts[7] - counts[5]).toBe(0);
    expect(counts[5] - counts[4]).toBe(1);
  });

  it('nets of one structure share a program and keep their own parameters', async () => {
    setEngine('onednn');
    const nets = [new Net(1), new Net(2)];
    const expected = [new Net(1), new Net(2)];
    const before = compilationCount();
    const optimizers = [...nets, ...expected].map(
      (net) => new Adam({ parameters: net.parameters, learningRate: 0.01 }),
    );
    for (let step = 0; step < 3; step++) {
      for (const [i, net] of [...nets, ...expected].entries()) {
        setEngine(i < 2 ? 'onednn' : 'reference');
        net.loss(4, step).backward();
        await optimizers[i].step();
        optimizers[i].clearGrad();
      }
    }
    expect(compilationCount() - before).toBe(2);
    await expectSameParameters(nets[0], expected[0], 'first');
    await expectSameParameters(nets[1], expected[1], 'second');
  });

  /** The same memory as the weight of one convolution of 4 channels and as that of two groups of 4. */
  const once = (w: Tensor) => F.conv2d(image([2, 4, 9, 9], 1), w, null, { padding: 1 });
  const grouped = (w: Tensor) => F.conv2d(image([2, 8, 9, 9], 2), w, null, { groups: 2 });

  it('each reads a parameter in the layout it likes, and sees every change', async () => {
    const data = noise([16, 4, 3, 3], 5).data as Float32Array;
    const w = new Parameter(Float32Array.from(data), [16, 4, 3, 3]);
    const check = async (scale: number) => {
      for (const build of [once, grouped]) {
        setEngine('onednn');
        const actual = await build(w).data();
        setEngine('reference');
        const expected = await build(
          Tensor.fromData(
            data.map((v) => v * scale),
            w.shape,
          ),
        ).data();
        expectAgreement(actual, expected, `scale ${scale}`);
      }
      setEngine('onednn');
    };
    await check(1);
    w.load(data.map((v) => v * 2));
    await check(2);
    w.assign(w.detach().affine(1.5, 0).value);
    await w.data();
    await check(3);
    setEngine('reference');
    w.assign(w.detach().affine(2, 0).value);
    await w.data();
    await check(6);
  });

  it('each writes a parameter in the layout it likes', async () => {
    const make = () => new Parameter(noise([16, 4, 3, 3], 5, 0.2).data as Float32Array, [16, 4, 3, 3]);
    const run = async (engine: EngineName) => {
      setEngine(engine);
      const w = make();
      const optimizer = new Momentum({ parameters: [w], learningRate: 0.1 });
      for (const build of [once, grouped, grouped, once, grouped]) {
        build(w).square().mean().backward();
        await optimizer.step();
        optimizer.clearGrad();
      }
      return w.data();
    };
    expectAgreement(await run('onednn'), await run('reference'), 'weight', { tolerance: 3e-5 });
  });

  it('gives memory in a layout that it leaves back at once', async () => {
    setEngine('onednn');
    const w = new Parameter(noise([16, 4, 3, 3], 5, 0.2).data as Float32Array, [16, 4, 3, 3]);
    const optimizer = new Momentum({ parameters: [w], learningRate: 0.1 });
    const train = async (build: (w: Tensor) => Tensor) => {
      build(w).square().mean().backward();
      await optimizer.step();
      optimizer.clearGrad();
    };
    const bytesAfter = async (build: (w: Tensor) => Tensor, reads = false) => {
      await train(build);
      // A program that only reads keeps a copy, and replaces it after every update.
      if (reads) await realizeAll([once(w.detach())]);
      return nativeBytes();
    };
    const bytesOfRound = async (reads: boolean) => [await bytesAfter(once, reads), await bytesAfter(grouped, reads)];
    for (const reads of [false, true]) {
      // The first round compiles, and the second one knows all layouts.
      await bytesOfRound(reads);
      const bytes = await bytesOfRound(reads);
      for (let i = 0; i < 3; i++) {
        const later = await bytesOfRound(reads);
        // The garbage collector may free parameters of other tests meanwhile.
        later.forEach((now, turn) => {
          expect(now).toBeLessThanOrEqual(bytes[turn]);
        });
      }
    }
  });

  it('one program may use a parameter in two layouts and update it', async () => {
    const run = async (engine: EngineName) => {
      setEngine(engine);
      const w = new Parameter(noise([16, 4, 3, 3], 5, 0.2).data as Float32Array, [16, 4, 3, 3]);
      const average = new Parameter(new Float32Array(576), [16, 4, 3, 3]);
      const optimizer = new Adam({ parameters: [w], learningRate: 0.01 });
      for (let step = 0; step < 3; step++) {
        const y = grouped(w);
        // A running mean of weights that have one more axis in memory.
        average.assign(average.affine(0.9, 0).add(F.tanh(w).affine(0.1, 0)).value, y.value);
        y.square().mean().add(once(w).abs().mean()).backward();
        await optimizer.step();
        optimizer.clearGrad();
      }
      return [await w.data(), await average.data()];
    };
    const [actual, expected] = [await run('onednn'), await run('reference')];
    expectAgreement(actual[0], expected[0], 'weight', { tolerance: 3e-5 });
    expectAgreement(actual[1], expected[1], 'average', { tolerance: 3e-5 });
  });
});

describe('the arena', () => {
  beforeEach(() => setEngine('onednn'));

  const small = (seed: number) => F.sigmoid(image([1, 3, 8, 8], seed).affine(2, 1)).sum({ axis: [2, 3] });

  it('may grow between two runs of a program', async () => {
    const first = await small(1).data();
    const { bytes } = openOneDnn().arena.memory;
    const size = Math.ceil(Math.sqrt(bytes / 4)) + 600;
    const large = image([1, 1, size, size], 2).exp().add(1).sum();
    await large.data();
    expect(openOneDnn().arena.memory.bytes).toBeGreaterThan(bytes);
    expect(await small(1).data()).toEqual(first);
    const w = new Parameter(noise([4, 3, 3, 3], 1).data as Float32Array, [4, 3, 3, 3]);
    const conv = async () => F.conv2d(image([1, 3, 8, 8], 3), w).data();
    const before = await conv();
    await F.tanh(image([2, 1, size, size], 2))
      .sum()
      .data();
    expect(await conv()).toEqual(before);
  });

  it('may fail to grow', async () => {
    const first = await small(1).data();
    const { arena } = openOneDnn();
    expect(() => arena.reserve(2 ** 50)).toThrow(EngineError);
    expect(() => arena.memory.view(0, 64)).not.toThrow();
    expect(await small(1).data()).toEqual(first);
  });

  it('does not hold what was delivered', async () => {
    const y = small(1);
    const first = await y.data();
    const copy = first.slice();
    await small(2).data();
    expect(first).toEqual(copy);
    expect(await y.data()).toEqual(copy);
    (await y.data()).fill(0);
    expect(await y.data()).toEqual(copy);
  });

  it('leaves inputs as they were', async () => {
    const x = image([2, 16, 4, 4], 1);
    const copy = await x.data();
    await realizeAll([F.relu(x).affine(2, 1), x.exp(), x.reshape([32, 16]).add(1)]);
    expect(await x.data()).toEqual(copy);
  });

  it('gives inputs back that are outputs', async () => {
    const x = image([2, 16, 4, 4], 1);
    const copies = [x.affine(1, 0), x.reshape([512]), x.reshape([512]).reshape([2, 16, 4, 4])];
    await realizeAll([...copies, x.affine(2, 0)]);
    for (const copy of copies) expect(await copy.data()).toEqual(await x.data());
    expect([...(await tensor([3, 4]).affine(1, 0).data())]).toEqual([3, 4]);
  });
});
