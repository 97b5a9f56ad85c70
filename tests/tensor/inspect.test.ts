import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { F, InputError, io, nn, optimizer, Parameter, RandomGenerator, Tensor, tensor } from '../../src/index.js';
import { engines } from '../engines.js';

/** Names of fields of the graph, which no text for users has. */
const internals = /lazy:|#|storage:|sink|inputs:|WeakRef|\[Object/;

describe.each(engines)('%s: what is printed', (engine) => {
  beforeEach(() => setEngine(engine));

  it('of a tensor: values where they are at hand, else type and shape', async () => {
    const t = tensor([
      [1, -2.5, 3],
      [4, 5, 60],
    ]);
    expect(inspect(t)).toBe('Tensor(float32 [2,3],\n[[   1, -2.5,    3],\n [   4,    5,   60]])');
    expect(inspect(tensor(7))).toBe('Tensor(float32 [],\n7)');
    expect(
      inspect(
        tensor(
          [
            [[1], [2]],
            [[3], [4]],
          ],
          'int32',
        ),
      ),
    ).toBe('Tensor(int32 [2,2,1],\n[[[1],\n  [2]],\n\n [[3],\n  [4]]])');
    const y = t.mul(2).sum();
    expect(inspect(y)).toBe('Tensor(float32 [], lazy)');
    await y.data();
    expect(inspect(y)).toBe('Tensor(float32 [],\n141)');
    expect(`${y}`).toBe(inspect(y));
    expect(String(y)).toBe(inspect(y));
    expect(inspect([y])).toContain('Tensor(float32 [],\n');
  });

  it('of many values: the ends of each axis', () => {
    const text = inspect(
      Tensor.fromData(
        Float32Array.from({ length: 40_000 }, (_, i) => i),
        [200, 200],
      ),
    );
    expect(text.split('\n')).toHaveLength(8);
    expect(text).toContain('[    0,     1,     2, …,   197,   198,   199]');
    expect(text).toContain('[39800, 39801, 39802, …, 39997, 39998, 39999]]');
  });

  it('of parameters, before and after a step', async () => {
    const p = new Parameter(Float32Array.of(1, 2), [2]);
    const old = p.mul(1);
    expect(inspect(p)).toBe('Parameter(float32 [2],\n[1, 2])');
    p.sum().backward();
    expect(inspect(p.grad)).toBe('Tensor(float32 [2], lazy)');
    const detached = p.detach();
    await new optimizer.SGD({ parameters: [p], learningRate: 1 }).step();
    expect(inspect(p)).toBe('Parameter(float32 [2],\n[0, 1])');
    expect(inspect(detached)).toBe('Tensor(float32 [2], overwritten)');
    expect(JSON.stringify({ old, p })).toBe(
      '{"old":{"dtype":"float32","shape":[2],"values":null},"p":{"dtype":"float32","shape":[2],"values":[0,1]}}',
    );
  });

  it('of all that refers to the graph or to data is short', async () => {
    const net = new nn.Sequential(new nn.Conv2D(1, 2, 3), new nn.BatchNorm2D(2), new nn.ReLU());
    const y = net.forward(Tensor.ones([1, 1, 5, 5]));
    y.sum().backward();
    const opt = new optimizer.Adam({ parameters: net.parameters() });
    await opt.step();
    const data = new io.TensorDataset([Tensor.zeros([4, 1, 2, 2]), tensor([0, 1, 0, 1], 'int32')]);
    const loader = new io.DataLoader(data, { batchSize: 2, shuffle: true });
    expect(inspect(net)).toBe(String(net));
    expect(inspect(net.sublayers())).toContain('BatchNorm2D(numFeatures=2');
    expect(inspect(opt)).toBe('Adam(learningRate=0.001, 4 parameters, 1 steps)');
    expect(inspect(loader)).toBe('DataLoader(4 samples in 2 batches of 2, shuffled)');
    expect(inspect(new RandomGenerator(1))).toMatch(/^RandomGenerator\(\d+, \d+, \d+, \d+\)$/);
    const everything = [
      net,
      y,
      y.value,
      y.value.node,
      net.parameters(),
      net.stateDict(),
      opt,
      loader,
      new RandomGenerator(1),
    ];
    for (const thing of [...everything, net.parameters()[0].storage]) {
      expect(inspect(thing, { depth: 10 })).not.toMatch(internals);
      expect(JSON.stringify(thing).length).toBeLessThan(2000);
    }
    expect(JSON.parse(JSON.stringify(net))).toMatchObject({
      type: 'Sequential',
      sublayers: { 0: { type: 'Conv2D', state: { weight: [2, 1, 3, 3], bias: [2] } } },
    });
    expect(RandomGenerator.fromState(JSON.parse(JSON.stringify(new RandomGenerator(5)))).nextUint32()).toBe(
      new RandomGenerator(5).nextUint32(),
    );
  });

  it('of operators: the right call', () => {
    const t = tensor([1, 2]);
    const uses: (() => unknown)[] = [
      () => (t as never as number) + 1,
      () => (t as never as number) * 2,
      () => (t as never as number) < 3,
      () => -(t as never as number),
      () => Number(t),
    ];
    for (const use of uses) {
      expect(use).toThrow(InputError);
      expect(use).toThrow('write a.add(b)');
    }
    expect(F.relu(t).toString()).toBe('Tensor(float32 [2], lazy)');
  });
});
