import { describe, expect, it } from 'vitest';
import { F, nn, optimizer, Parameter, setEngine, type Tensor, tensor, uniform } from '../../src/index.js';
import { capture, toGraph } from '../../src/runtime/capture.js';
import { engines } from '../engines.js';

class Net extends nn.Layer {
  readonly features = new nn.Sequential(
    new nn.Conv2D(2, 3, 3, { padding: 1 }),
    new nn.BatchNorm2D(3),
    new nn.ReLU(),
    new nn.Conv2D(3, 3, 3),
  );
  readonly fc = new nn.Linear(3, 2);
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.features.forward(x).mean({ axis: [2, 3] }));
  }
}

const images = () => uniform([4, 2, 6, 6]);
const labels = tensor([0, 1, 1, 0], 'int32');
const dataOf = async (states: Iterable<Tensor>) => Promise.all([...states].map((state) => state.data()));

/** Names of the ops that a step runs. */
function opsOf(net: Net): string[] {
  const loss = F.crossEntropy(net.forward(images()), labels);
  loss.backward();
  const gradients = net.parameters().flatMap(({ grad }) => (grad === null ? [] : [grad.value]));
  const { nodes } = toGraph(capture([loss.value, ...gradients], []));
  for (const parameter of net.parameters()) parameter.clearGrad();
  return nodes.map(({ op }) => op);
}

describe.each(engines)('%s: frozen parameters', (engine) => {
  it.each([
    ['SGD', (parameters: Parameter[]) => new optimizer.SGD({ parameters, learningRate: 0.1, weightDecay: 0.1 })],
    ['Momentum', (parameters: Parameter[]) => new optimizer.Momentum({ parameters, learningRate: 0.1 })],
    ['AdamW', (parameters: Parameter[]) => new optimizer.AdamW({ parameters, learningRate: 0.1 })],
  ])('keep their values with %s, and continue once they are trained again', async (_, make) => {
    setEngine(engine);
    const net = new Net();
    const trained = make(net.parameters());
    const step = async () => {
      F.crossEntropy(net.forward(images()), labels).backward();
      await trained.step();
      trained.clearGrad();
    };
    await step();
    net.features.trainable = false;
    expect(net.features.trainable).toBe(false);
    expect(net.trainable).toBe(false);
    const frozen = await dataOf(net.features.parameters());
    const states = [...trained.stateDict(net.features.namedParameters())].filter(([name]) => !name.endsWith('updates'));
    const statesBefore = await dataOf(states.map(([, state]) => state));
    const head = await net.fc.weight.data();
    for (let i = 0; i < 2; i++) await step();
    expect(await dataOf(net.features.parameters())).toEqual(frozen);
    expect(await dataOf(states.map(([, state]) => state))).toEqual(statesBefore);
    expect(await net.fc.weight.data()).not.toEqual(head);
    net.features.trainable = true;
    await step();
    (await dataOf(net.features.parameters())).forEach((data, i) => {
      // The bias of a convolution before a batch norm has no gradient.
      if (i !== 1) expect(data).not.toEqual(frozen[i]);
    });
  });

  it('keep what a checkpoint has of them', async () => {
    setEngine(engine);
    const [net, other] = [new Net(), new Net()];
    net.features.trainable = false;
    expect([...net.stateDict().keys()]).toEqual([...other.stateDict().keys()]);
    const entries = new Map<string, { shape: readonly number[]; dtype: 'float32'; data: Float32Array }>();
    for (const [name, state] of other.stateDict()) {
      entries.set(name, { shape: state.shape, dtype: 'float32', data: await state.data('float32') });
    }
    net.loadStateDict(entries);
    expect(await dataOf(net.parameters())).toEqual(await dataOf(other.parameters()));
    expect(net.features.trainable).toBe(false);
    F.crossEntropy(net.forward(images()), labels).backward();
    expect(net.features.parameters().every(({ grad }) => grad === null)).toBe(true);
    expect(net.fc.weight.grad).not.toBeNull();
  });
});

describe('freezing', () => {
  it('spares the ops of the gradients', () => {
    const net = new Net();
    const isBackward = (op: string) => /Backward/.test(op);
    expect(opsOf(net).filter(isBackward)).toContain('conv2dBackwardWeights');
    net.features.trainable = false;
    expect(opsOf(net).filter((op) => isBackward(op) && op !== 'crossEntropyBackward')).toEqual([
      'linearBackwardWeights',
    ]);
    // A gradient passes through frozen layers to those before.
    net.features.sublayers()[0].trainable = true;
    const between = opsOf(net).filter((op) => op.startsWith('conv2dBackward'));
    expect(between).toEqual(['conv2dBackwardData', 'conv2dBackwardWeights']);
  });

  it('between forward and backward counts, and forgets the gradient so far', async () => {
    const [p, q] = [new Parameter(Float32Array.of(2), [1]), new Parameter(Float32Array.of(3), [1])];
    const product = p.mul(q).sum();
    p.trainable = false;
    product.backward();
    expect(p.grad).toBeNull();
    expect(await q.grad?.item()).toBe(2);
    q.trainable = false;
    expect(q.grad).toBeNull();
    expect(() => p.mul(q).sum().backward()).toThrow('one without gradient');
  });

  it('is an option of weights', async () => {
    const fc = new nn.Linear(1, 1, { weightAttr: { trainable: false } });
    expect([fc.weight.trainable, fc.bias?.trainable]).toEqual([false, true]);
    expect(new Parameter(Float32Array.of(1), [1], { trainable: false }).requiresGrad).toBe(false);
  });
});

describe('batch norm of a frozen layer', () => {
  const forward = async (norm: nn.BatchNorm2D) => {
    await norm.forward(tensor([[[[1, 3]]]])).data();
    return norm._mean.item();
  };

  it('follows train() and eval(), as in Paddle', async () => {
    const norm = new nn.BatchNorm2D(1, { momentum: 0.5 });
    norm.trainable = false;
    expect(await forward(norm)).toBe(1);
    norm.eval();
    expect(await forward(norm)).toBe(1);
  });

  it('uses the running statistics in training too with useGlobalStats', async () => {
    const norm = new nn.BatchNorm2D(1, { momentum: 0.5, useGlobalStats: true });
    expect(await forward(norm)).toBe(0);
    expect((await norm.forward(tensor([[[[1, 3]]]])).data())[1]).toBeCloseTo(3, 4);
    norm.useGlobalStats = false;
    norm.eval();
    expect(await forward(norm)).toBe(1);
  });
});
