import { describe, expect, it } from 'vitest';
import { coversImage } from '../../src/engine/onednn/lower/wholeImage.js';
import { setEngine } from '../../src/engine/select.js';
import type { Conv2dParams } from '../../src/graph/op.js';
import * as F from '../../src/tensor/functional.js';
import { type Build, checkOp, noise, stepsOf } from '../engines.js';

const usual: Conv2dParams = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };

describe('a convolution whose kernel covers the image', () => {
  it('is distinguished from others', () => {
    const covers = (x: number[], weight: number[], params: Partial<Conv2dParams> = {}) =>
      coversImage(x, weight, { ...usual, ...params });
    expect(covers([10, 16, 4, 4], [120, 16, 4, 4])).toBe(true);
    expect(covers([1, 3, 5, 2], [8, 3, 5, 2], { stride: [2, 3] })).toBe(true);
    expect(covers([10, 16, 5, 4], [120, 16, 4, 4])).toBe(false);
    expect(covers([10, 16, 1, 1], [120, 16, 1, 1])).toBe(false);
    expect(covers([10, 16, 4, 4], [120, 16, 4, 4], { padding: [0, 0, 1, 0] })).toBe(false);
    expect(covers([10, 16, 4, 4], [120, 4, 4, 4], { groups: 4 })).toBe(false);
    expect(covers([10, 16, 4, 4], [120, 16, 4, 4], { dilation: [2, 1] })).toBe(false);
  });

  it.each([
    [[10, 16, 4, 4], 120, 1],
    [[3, 5, 3, 2], 7, 2],
    [[2, 32, 7, 7], 33, 1],
  ])('is a linear layer, with its gradients: %s to %i', async (shape, out, stride) => {
    setEngine('onednn');
    const [, channels, ...kernel] = shape;
    const args = [noise(shape, 1), noise([out, channels, ...kernel], 2, 0.2), noise([out], 3)];
    const build: Build = (x, weight, bias) => [
      F.sigmoid(F.conv2d(x, weight, bias, { stride })),
      F.conv2d(x, weight, null, { stride }),
    ];
    const { steps } = await stepsOf(() => checkOp(build, args));
    const names = new Set(steps.map(({ name }) => name).filter((name) => name.startsWith('conv2d')));
    expect(names).toEqual(new Set(['conv2d', 'conv2d+sigmoid', 'conv2dBackwardData', 'conv2dBackwardWeights']));
  });

  it('continues between layers in other layouts', async () => {
    const args = [noise([4, 3, 9, 9], 1), noise([16, 3, 3, 3], 2, 0.3), noise([24, 16, 7, 7], 3, 0.1)];
    await checkOp((x, first, second) => {
      const y = F.relu(F.conv2d(F.relu(F.conv2d(x, first)), second));
      return F.conv2d(y, second.reshape([24, 784, 1, 1]).slice([0, 0, 0, 0], [24, 24, 1, 1]));
    }, args);
  });
});
