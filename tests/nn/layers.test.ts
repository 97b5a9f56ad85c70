import { beforeAll, describe, expect, it } from 'vitest';
import { io, nn, setEngine, type Tensor, tensor } from '../../src/index.js';
import { engines } from '../engines.js';

const valuesOf = async (t: Tensor) => [...(await t.data())];
const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5));

describe.each(engines)('%s: layers without parameters', (engine) => {
  beforeAll(() => setEngine(engine));

  it.each([
    ['Tanh', new nn.Tanh(), Math.tanh],
    ['Hardswish', new nn.Hardswish(), (x: number) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6],
    ['Hardsigmoid', new nn.Hardsigmoid(), (x: number) => Math.min(Math.max(x + 3, 0), 6) / 6],
    ['Silu', new nn.Silu(), (x: number) => x / (1 + Math.exp(-x))],
    ['Swish', new nn.Swish(), (x: number) => x / (1 + Math.exp(-x))],
    ['ReLU6', new nn.ReLU6(), (x: number) => Math.min(Math.max(x, 0), 6)],
    ['ReLU', new nn.ReLU(), (x: number) => Math.max(x, 0)],
    ['Sigmoid', new nn.Sigmoid(), (x: number) => 1 / (1 + Math.exp(-x))],
  ] as const)('%s', async (_, layer, expected) => {
    const x = [-7, -0.5, 0, 2, 9];
    expect(await valuesOf(layer.forward(tensor(x)))).toEqual(close(x.map(expected)));
  });

  it('LogSoftmax along an axis', async () => {
    const x = tensor([
      [1, 2],
      [3, 5],
    ]);
    const log = (a: number, b: number) => a - Math.log(Math.exp(a) + Math.exp(b));
    const rows = [log(1, 2), log(2, 1), log(3, 5), log(5, 3)];
    expect(await valuesOf(new nn.LogSoftmax().forward(x))).toEqual(close(rows));
    const columns = [log(1, 3), log(2, 5), log(3, 1), log(5, 2)];
    expect(await valuesOf(new nn.LogSoftmax(0).forward(x))).toEqual(close(columns));
  });

  it('MSELoss and BCEWithLogitsLoss, with each reduction', async () => {
    const [x, target] = [tensor([[0.5], [-2]]), tensor([[1], [0]])];
    const squares = [0.25, 4];
    const entropies = [Math.log(1 + Math.exp(-0.5)), Math.log(1 + Math.exp(-2))];
    for (const [make, terms] of [
      [(options?: object) => new nn.MSELoss(options), squares],
      [(options?: object) => new nn.BCEWithLogitsLoss(options), entropies],
    ] as const) {
      const sum = terms[0] + terms[1];
      expect(await valuesOf(make().forward(x, target))).toEqual(close([sum / 2]));
      expect(await valuesOf(make({ reduction: 'sum' }).forward(x, target))).toEqual(close([sum]));
      const all = make({ reduction: 'none' }).forward(x, target);
      expect(all.shape).toEqual([2, 1]);
      expect(await valuesOf(all)).toEqual(close(terms));
    }
  });
});

it('a layer prints its tree with the options of each layer', () => {
  const conv = new nn.Conv2D(3, 8, [3, 5], { stride: 2, padding: [0, 2], groups: 1, biasAttr: false });
  const net = new nn.Sequential({
    features: new nn.Sequential(conv, new nn.BatchNorm2D(8), new nn.MaxPool2D(2)),
    drop: new nn.Dropout(0.25),
    fc: new nn.Linear(8, 2),
  });
  expect(String(net)).toBe(`Sequential(
  (features): Sequential(
    (0): Conv2D(3, 8, kernelSize=[3,5], stride=[2,2], padding=[0,0,2,2], bias=false)
    (1): BatchNorm2D(numFeatures=8, momentum=0.9, epsilon=0.00001)
    (2): MaxPool2D(kernelSize=2, stride=2, padding=0)
  )
  (drop): Dropout(p=0.25, mode=upscaleInTrain)
  (fc): Linear(inFeatures=8, outFeatures=2)
)`);
});

it("Paddle's names of parameters do not depend on networks made before", () => {
  const make = () => new nn.Sequential(new nn.Conv2D(1, 2, 3), new nn.Conv2D(2, 2, 3), new nn.Linear(2, 2));
  const first = io.paddleNames(make());
  new nn.Conv2D(1, 1, 1);
  expect(io.paddleNames(make())).toEqual(first);
  expect([...first.values()]).toContain('conv2d_1.w_0');
});
