import { describe, expect, it } from 'vitest';
import { InputError, ShapeError } from '../../../src/errors.js';
import { Parameter, seed, Tensor } from '../../../src/index.js';
import { withHeads } from '../../../src/run/catalog/models.js';
import * as models from '../../../src/vision/models/index.js';
import { loadGolden } from '../../goldens/load.js';
import { makeReady } from '../../goldens/zoo.js';

const { initial } = loadGolden('zoo');

describe('weights begin as in Paddle', () => {
  it.each(Object.entries(initial))('%s', async (name, golden) => {
    seed(1);
    const found: Record<string, { std: number; largest: number }> = {};
    for (const [key, state] of makeReady(name, { numClasses: 10 }).stateDict()) {
      if (!(state instanceof Parameter) || state.size < 1000) continue;
      const values = await state.data();
      let [sum, largest, least] = [0, 0, Number.POSITIVE_INFINITY];
      for (let i = 0; i < values.length; i++) {
        const magnitude = Math.abs(values[i]);
        sum += magnitude * magnitude;
        largest = Math.max(largest, magnitude);
        least = Math.min(least, magnitude);
      }
      if (least !== largest) found[key] = { std: Math.sqrt(sum / values.length), largest };
    }
    expect(Object.keys(found)).toEqual(Object.keys(golden));
    for (const [key, [std, largest]] of Object.entries(golden)) {
      // With a thousand values or more, the deviation varies by two percent, and the largest uniform value hardly.
      expect(Math.abs(found[key].std / std - 1), key).toBeLessThan(0.08);
      expect(Math.abs(found[key].largest / largest - 1), key).toBeLessThan(largest / std < 1.8 ? 0.01 : 0.5);
    }
  });
});

describe('options', () => {
  it.each([
    () => models.resnet18({ numClasses: -1 }),
    () => models.vgg11({ numClasses: 1.5 }),
    () => models.lenet({ numClasses: Number.NaN }),
  ])('an invalid number of classes %#', (make) => {
    expect(make).toThrow(InputError);
    expect(make).toThrow(/numClasses: expected an integer of at least 0, got /);
  });

  it.each([models.mobilenetV1, models.mobilenetV2, models.mobilenetV3Small])('an invalid scale %#', (make) => {
    for (const scale of [0, -1, Number.NaN]) {
      expect(() => make({ scale })).toThrow(/scale: expected a positive factor of the channels, got /);
    }
  });

  it('versions, sizes, scales and activations that do not exist', () => {
    expect(() => new models.DenseNet(122 as 121)).toThrow(
      '[DenseNet] depth: expected 121, 161, 169, 201, 264, got 122',
    );
    expect(() => new models.SqueezeNet('1.2' as '1.1')).toThrow("[SqueezeNet] version: expected 1.0 or 1.1, got '1.2'");
    expect(() => new models.MobileNetV3('tiny' as 'small')).toThrow("size: expected small or large, got 'tiny'");
    expect(() => new models.ShuffleNetV2({ scale: 0.75 })).toThrow(
      '[ShuffleNetV2] scale: expected 0.25, 0.33, 0.5, 1, 1.5, 2, got 0.75',
    );
    expect(() => new models.ShuffleNetV2({ act: 'tanh' as 'relu' })).toThrow("act: expected relu or swish, got 'tanh'");
  });

  it('dropout and the channels inside a layer of DenseNet', () => {
    const net = models.densenet121({ dropout: 0.5, numClasses: 3 });
    const x = Tensor.zeros([2, 3, 32, 32]);
    expect(net.forward(x).shape).toEqual([2, 3]);
    const narrow = models.densenet121({ bnSize: 2, numClasses: 0 });
    expect(narrow.parameterCount()).toBeLessThan(models.densenet121({ numClasses: 0 }).parameterCount());
  });

  it('depths that do not exist, and groups where there are no bottlenecks', () => {
    expect(() => new models.VGG(12 as 11)).toThrow('[VGG] depth: expected 11, 13, 16, 19, got 12');
    expect(() => new models.ResNet(20 as 18)).toThrow('[ResNet] depth: expected 18, 34, 50, 101, 152, got 20');
    expect(() => new models.ResNet(34, { groups: 32, width: 4 })).toThrow(
      '[ResNet] width and groups: expected 64 and 1 below 50 layers, got 4 and 32',
    );
  });
});

describe('GoogLeNet', () => {
  const images = (size: number) => Tensor.zeros([2, 3, size, size]);

  it('takes images of other sizes without its inner classifiers alone', () => {
    const net = models.googlenet({ numClasses: 5 });
    expect(net.forward(images(96)).shape).toEqual([2, 5]);
    expect(() => net.forwardWithHeads(images(96))).toThrow(ShapeError);
    const { logits, auxiliary } = net.forwardWithHeads(images(224));
    expect([logits, ...auxiliary].map(({ shape }) => shape)).toEqual([
      [2, 5],
      [2, 5],
      [2, 5],
    ]);
  });

  it('is trained on their losses, too', () => {
    const net = models.googlenet();
    expect(withHeads(net)).toBe(net);
    expect(withHeads(models.lenet())).toBeNull();
  });
});
