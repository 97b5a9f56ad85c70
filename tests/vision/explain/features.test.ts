import { describe, expect, it } from 'vitest';
import { BatchNorm2D, Conv2D, Flatten, Layer, Linear, MaxPool2D, ReLU, Sequential } from '../../../src/nn/index.js';
import { RandomGenerator } from '../../../src/random.js';
import * as F from '../../../src/tensor/functional.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { explain, models } from '../../../src/vision/index.js';

const random = (count: number, seed = 1) => {
  const generator = new RandomGenerator(seed);
  return Float32Array.from({ length: count }, () => generator.normal());
};
const imagesOf = (...shape: number[]) => Tensor.fromData(random(shape.reduce((a, b) => a * b)), shape);

/** A network with every kind of follower: an activation function, a batch norm, a layer with an activation. */
class Net extends Layer {
  readonly conv1 = new Conv2D(2, 3, 3, { padding: 1 });
  readonly pool = new MaxPool2D(2);
  readonly block = new Sequential(new Conv2D(3, 4, 3, { padding: 1 }), new BatchNorm2D(4), new ReLU());
  readonly conv3 = new Conv2D(4, 4, 1);
  readonly fc1 = new Linear(4 * 9, 5);
  readonly fc2 = new Linear(5, 3);

  forward(x: Tensor): Tensor {
    const y = this.block.forward(this.pool.forward(F.relu(this.conv1.forward(x))));
    const z = this.conv3.forward(y).add(y).flatten({ startAxis: 1 });
    return this.fc2.forward(F.sigmoid(this.fc1.forward(z)));
  }
}

describe('features of layers', () => {
  it('are those after batch norm and activation, without pooling and logits', async () => {
    const net = new Net().eval();
    const images = imagesOf(2, 2, 6, 6);
    expect(explain.featureLayers(net, images.shape)).toEqual([
      { name: 'conv1', shape: [2, 3, 6, 6] },
      { name: 'block', shape: [2, 4, 3, 3] },
      { name: 'conv3', shape: [2, 4, 3, 3] },
      { name: 'fc1', shape: [2, 5] },
    ]);
    const maps = await explain.featureMaps(net, images);
    const first = F.relu(net.conv1.forward(images));
    const second = net.block.forward(net.pool.forward(first));
    for (const [i, wanted] of [first, second, net.conv3.forward(second)].entries()) {
      const values = await wanted.data('float32');
      expect(maps[i].values.length).toBe(values.length);
      maps[i].values.forEach((value, at) => {
        expect(value).toBeCloseTo(values[at], 5);
      });
    }
    const last = explain.lastFeatures(net, images);
    expect(last.shape).toEqual([2, 5]);
    const logits = await net.forward(images).data('float32');
    expect(Array.from(await net.fc2.forward(last).data('float32'))).toEqual(
      Array.from(logits, (x) => expect.closeTo(x, 5)),
    );
  });

  it('of some layers come in the order of the network; others are refused', async () => {
    const net = new Net().eval();
    const images = imagesOf(1, 2, 6, 6);
    const maps = await explain.featureMaps(net, images, { layers: ['block', 'conv1'] });
    expect(maps.map(({ name }) => name)).toEqual(['conv1', 'block']);
    await expect(explain.featureMaps(net, images, { layers: ['blok'] })).rejects.toThrow(
      "expected some of conv1, block, conv3, fc1, got 'blok'; did you mean 'block'?",
    );
    expect(() => explain.lastFeatures(new Flatten(), images)).toThrow('expected layers with weights');
  });

  it('are known for networks with paths and blocks', () => {
    const { LeNet, GoogLeNet, ResNet } = models.course;
    const count = (net: Layer, channels: number, side: number) =>
      explain.featureLayers(net.eval(), [1, channels, side, side]).length;
    expect(count(new LeNet({ numClasses: 2 }), 1, 28)).toBe(4);
    // 57 convolutions and nine blocks.
    expect(count(new GoogLeNet({ numClasses: 2 }), 3, 64)).toBe(66);
    // 53 convolutions and 16 blocks.
    expect(count(new ResNet({ layers: 50, numClasses: 2 }), 3, 64)).toBe(69);
  });
});

describe('dead channels', () => {
  /** Channel 0 sees the image, 1 is always below 0, 2 gives a constant; the linear layer saturates. */
  function constructed() {
    const conv = new Conv2D(1, 3, 1);
    conv.weight.load(Float32Array.of(1, 0, 0));
    conv.bias?.load(Float32Array.of(0, -1, 2));
    const fc = new Linear(12, 2);
    fc.weight.load(Float32Array.from({ length: 24 }, (_, i) => (i === 0 ? 1 : 0)));
    fc.bias?.load(Float32Array.of(0, 200));
    class Made extends Layer {
      readonly conv = conv;
      readonly fc = fc;
      readonly out = new Linear(2, 2);
      forward(x: Tensor): Tensor {
        const y = F.relu(this.conv.forward(x)).flatten({ startAxis: 1 });
        return this.out.forward(F.sigmoid(this.fc.forward(y)));
      }
    }
    return new Made().eval();
  }

  it('give one value for all images; those that any image wakes are not among them', async () => {
    const batches = [Tensor.full([2, 1, 2, 2], 0), Tensor.fromData(Float32Array.of(3, 0, 0, 1), [1, 1, 2, 2])];
    const [conv, fc] = await explain.channelActivity(constructed(), batches);
    expect(conv).toMatchObject({ name: 'conv', dead: [1, 2] });
    expect(Array.from(conv.least)).toEqual([0, 0, 2]);
    expect(Array.from(conv.most)).toEqual([3, 0, 2]);
    expect(conv.mean[0]).toBeCloseTo(4 / 12, 6);
    expect(fc).toMatchObject({ name: 'fc', dead: [1] });
    expect(await explain.channelActivity(constructed(), batches, { layers: ['fc'] })).toHaveLength(1);
    const [asleep] = await explain.channelActivity(constructed(), batches.slice(0, 1), { layers: ['conv'] });
    expect(asleep.dead).toEqual([0, 1, 2]);
  });
});

describe('pictures of filters and channels', () => {
  it('show weights around grey, and blue as blue', async () => {
    const net = new Sequential(new Conv2D(3, 2, 1));
    net
      .stateDict()
      .get('0.weight')
      ?.load(Float32Array.of(-2, 0, 0, 1, 0, 0));
    const filters = await explain.firstFilters(net);
    expect(filters).toMatchObject({ layer: '0', shape: [2, 3, 1, 1] });
    const shown = (blueFirst: boolean) =>
      explain.filterPictures(filters, { blueFirst }).map(({ values }) => Array.from(values));
    expect(shown(false)).toEqual([
      [0, 0.5, 0.5],
      [0.75, 0.5, 0.5],
    ]);
    expect(shown(true)[0]).toEqual([0.5, 0.5, 0]);
    await expect(explain.firstFilters(new Linear(2, 2))).rejects.toThrow('expected a convolution');
  });

  it('stand in a grid, magnified by whole numbers', () => {
    const white = { values: Float32Array.of(0, 0.25), shape: [1, 1, 2] as const };
    const grid = explain.tiles([white, white, white], { columns: 2, size: 4 });
    // Two pictures of 4×2 and three gaps of 2 across, two and three down.
    expect(grid.shape).toEqual([3, 10, 14]);
    expect(Array.from(grid.values.subarray(2 * 14, 3 * 14))).toEqual([
      1, 1, 0, 0, 0.25, 0.25, 1, 1, 0, 0, 0.25, 0.25, 1, 1,
    ]);
    expect(() => explain.tiles([])).toThrow('expected at least one');
    expect(() => explain.tiles([white, { ...white, shape: [1, 2, 1] }])).toThrow('expected pictures of one size');
    const maps = { values: Float32Array.of(0, 1, 0, 0), shape: [1, 2, 1, 2] };
    const [alive, dead] = explain.channelPictures(maps);
    expect(alive.values[1]).toBeCloseTo(253 / 255, 6);
    expect(dead.values[1]).toBeCloseTo(68 / 255, 6);
    expect(explain.channelPictures(maps, { channels: 1 })).toHaveLength(1);
    expect(() => explain.channelPictures(maps, { image: 1 })).toThrow('expected a number from 0 to 0, got 1');
  });
});
