import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { BatchNorm2D, Conv2D, Layer, Linear, ReLU, Sequential } from '../../src/nn/index.js';
import { summarize } from '../../src/nn/summary.js';
import { compilationCount } from '../../src/runtime/realize.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { LeNet } from '../../src/vision/models/course/index.js';

describe('summarize', () => {
  test('walks LeNet layer by layer', () => {
    const before = compilationCount();
    const { layers, parameters, buffers, outputShape } = summarize(new LeNet({ numClasses: 10 }), [3, 1, 28, 28]);
    expect(
      layers.map(({ name, outputShape: shape, state, parameters: count }) => [
        name.replace(/_\d+$/, ''),
        shape,
        state.weight,
        state.bias,
        count,
      ]),
    ).toEqual([
      ['conv2d', [3, 6, 24, 24], [6, 1, 5, 5], [6], 156],
      ['max_pool2d', [3, 6, 12, 12], undefined, undefined, 0],
      ['conv2d', [3, 16, 8, 8], [16, 6, 5, 5], [16], 2416],
      ['max_pool2d', [3, 16, 4, 4], undefined, undefined, 0],
      ['conv2d', [3, 120, 1, 1], [120, 16, 4, 4], [120], 30_840],
      ['linear', [3, 64], [120, 64], [64], 7744],
      ['linear', [3, 10], [64, 10], [10], 650],
    ]);
    expect({ parameters, buffers, outputShape }).toEqual({ parameters: 41_806, buffers: 0, outputShape: [3, 10] });
    expect(compilationCount()).toBe(before);
  });

  test('shows a layer as often as it is passed, and counts it once', () => {
    class Twice extends Layer {
      conv = new Conv2D(2, 2, 1);
      act = new ReLU();
      block = new Sequential(new BatchNorm2D(2), this.act);
      unused = new Linear(7, 7);
      forward(x: Tensor): Tensor {
        return this.block.forward(this.conv.forward(this.act.forward(this.conv.forward(x))));
      }
    }
    const network = new Twice();
    const { layers, parameters, buffers } = summarize(network, [1, 2, 3, 4]);
    expect(layers.map(({ type, parameters: count }) => [type, count])).toEqual([
      ['Conv2D', 6],
      ['ReLU', 0],
      ['Conv2D', 0],
      ['BatchNorm2D', 4],
      ['ReLU', 0],
    ]);
    expect(parameters).toBe(6 + 4 + 56);
    expect(buffers).toBe(4);
    expect(network.training).toBe(true);
    expect(Object.keys(network.conv)).not.toContain('forward');
  });

  test('refuses an input that does not fit, and leaves the network as it was', () => {
    const network = new LeNet({ numClasses: 10 });
    expect(() => summarize(network, [3, 1, 32, 32])).toThrow(ShapeError);
    expect(() => summarize(network, [3, 3, 28, 28])).toThrow(ShapeError);
    expect(Object.hasOwn(network.conv1, 'forward')).toBe(false);
    expect(network.conv1.training).toBe(true);
  });
});
