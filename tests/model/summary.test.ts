import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { Model } from '../../src/model/model.js';
import { flops, summary } from '../../src/model/summary.js';
import * as nn from '../../src/nn/index.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { resnet18 } from '../../src/vision/models/index.js';
import { LeNet } from '../../src/vision/models/lenet.js';

/** One of each layer that Paddle counts in a way of its own; ReLU is passed twice. */
class Net extends nn.Layer {
  conv = new nn.Conv2D(3, 8, 3, { padding: 1 });
  bn = new nn.BatchNorm2D(8);
  relu = new nn.ReLU();
  pool = new nn.MaxPool2D(2, { stride: 2 });
  avg = new nn.AdaptiveAvgPool2D(1);
  fc = new nn.Linear(8, 4);
  seq = new nn.Sequential(new nn.Conv2D(8, 8, 3, { groups: 2, biasAttr: false }), new nn.ReLU());
  leaky = new nn.LeakyReLU();
  avg2 = new nn.AvgPool2D(2, { stride: 2 });
  flatten = new nn.Flatten();

  forward(x: Tensor): Tensor {
    const y = this.pool.forward(this.relu.forward(this.bn.forward(this.conv.forward(x))));
    const z = this.avg2.forward(this.leaky.forward(this.relu.forward(this.seq.forward(y))));
    return this.fc.forward(this.flatten.forward(this.avg.forward(z)));
  }
}

// The texts and numbers were made by Paddle 3.3.1.
describe('summary', () => {
  test('looks as in Paddle', () => {
    const counts = summary(new LeNet(), [1, 1, 28, 28]);
    expect(counts).toEqual({ totalParams: 61_610, trainableParams: 61_610 });
    const rule = '-'.repeat(75);
    const double = '='.repeat(75);
    expect(
      String(counts)
        .split('\n')
        .map((line) => line.trimEnd()),
    ).toEqual([
      rule,
      ' Layer (type)       Input Shape          Output Shape         Param #',
      double,
      '   Conv2D-1       [[1, 1, 28, 28]]      [1, 6, 28, 28]          60',
      '    ReLU-1        [[1, 6, 28, 28]]      [1, 6, 28, 28]           0',
      '  MaxPool2D-1     [[1, 6, 28, 28]]      [1, 6, 14, 14]           0',
      '   Conv2D-2       [[1, 6, 14, 14]]     [1, 16, 10, 10]         2,416',
      '    ReLU-2       [[1, 16, 10, 10]]     [1, 16, 10, 10]           0',
      '  MaxPool2D-2    [[1, 16, 10, 10]]      [1, 16, 5, 5]            0',
      '   Linear-1          [[1, 400]]            [1, 120]           48,120',
      '   Linear-2          [[1, 120]]            [1, 84]            10,164',
      '   Linear-3          [[1, 84]]             [1, 10]              850',
      double,
      'Total params: 61,610',
      'Trainable params: 61,610',
      'Non-trainable params: 0',
      rule,
      'Input size (MB): 0.00',
      'Forward/backward pass size (MB): 0.11',
      'Params size (MB): 0.24',
      'Estimated Total Size (MB): 0.35',
      rule,
    ]);
    expect(inspect(counts)).toBe(String(counts));
  });

  test('counts what batch norm keeps, and shows a layer as often as it is passed', () => {
    const net = new Net();
    const counts = summary(net, [2, 3, 16, 16]);
    expect(counts).toEqual({ totalParams: 580, trainableParams: 564 });
    expect(String(counts)).toContain('    AdaptiveAvgPool2D-1    [[2, 8, 3, 3]]'.trim());
    expect(
      String(counts)
        .split('\n')
        .filter((line) => line.trim().startsWith('ReLU-1 ')),
    ).toHaveLength(2);
    expect(net.training).toBe(true);
    expect(() => summary(net, [2, 4, 16, 16])).toThrow(ShapeError);
    expect(summary(resnet18(), [1, 3, 224, 224])).toEqual({ totalParams: 11_699_112, trainableParams: 11_689_512 });
  });
});

test('control characters in names of classes are shown', () => {
  const odd = { '\u001b[2JOdd\n': class extends nn.ReLU {} };
  const [Odd] = Object.values(odd);
  const net = new nn.Sequential(new Odd());
  const text = `${summary(net, [1, 4])}\n${flops(net, [1, 4])}`;
  expect(text).not.toContain('\u001b');
  expect(text).toContain('\\x1b[2JOdd\\n-1');
});

describe('flops', () => {
  test('counts as Paddle does', () => {
    expect(flops(new Net(), [2, 3, 16, 16])).toMatchObject({ total: 144_560, parameters: 580 });
    expect(flops(resnet18(), [1, 3, 224, 224])).toMatchObject({ total: 1_819_066_368, parameters: 11_699_112 });
    expect(new Model(new LeNet()).flops([1, 1, 28, 28]).total).toBe(347_560);
  });

  test('has a table of the layers', () => {
    const lines = String(flops(new LeNet(), [1, 1, 28, 28])).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      // Layers are numbered as they are made, so that the first column is as wide as its numbers.
      expect.stringMatching(/^\+-+\+-{17}\+-{17}\+-{8}\+-{8}\+$/),
      expect.stringMatching(/^\| +Layer Name +\| {3}Input Shape {3}\| {3}Output Shape {2}\| Params \| Flops {2}\|$/),
      lines[0],
    ]);
    const cells = lines.slice(3, -2).map((line) => line.replace(/^\|[^|]*/, ''));
    expect(cells).toEqual([
      '|  [1, 1, 28, 28] |  [1, 6, 28, 28] |   60   | 47040  |',
      '|  [1, 6, 28, 28] |  [1, 6, 28, 28] |   0    |   0    |',
      '|  [1, 6, 28, 28] |  [1, 6, 14, 14] |   0    |   0    |',
      '|  [1, 6, 14, 14] | [1, 16, 10, 10] |  2416  | 241600 |',
      '| [1, 16, 10, 10] | [1, 16, 10, 10] |   0    |   0    |',
      '| [1, 16, 10, 10] |  [1, 16, 5, 5]  |   0    |   0    |',
      '|     [1, 400]    |     [1, 120]    | 48120  | 48000  |',
      '|     [1, 120]    |     [1, 84]     | 10164  | 10080  |',
      '|     [1, 84]     |     [1, 10]     |  850   |  840   |',
    ]);
    expect(lines.at(-1)).toBe('Total Flops: 347560     Total Params: 61610');
  });
});
