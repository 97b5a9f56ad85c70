import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { setEngine } from '../../../src/engine/select.js';
import type { Shape } from '../../../src/graph/shape.js';
import { Conv2D, type Layer } from '../../../src/nn/index.js';
import { RandomGenerator, seed } from '../../../src/random.js';
import * as F from '../../../src/tensor/functional.js';
import { noGrad } from '../../../src/tensor/noGrad.js';
import type { Parameter } from '../../../src/tensor/state.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { AlexNet } from '../../../src/vision/models/course/alexnet.js';
import { GoogLeNet } from '../../../src/vision/models/course/googlenet.js';
import { LeNet } from '../../../src/vision/models/course/lenet.js';
import { LeNet224 } from '../../../src/vision/models/course/lenet224.js';
import type { ClassifierOptions } from '../../../src/vision/models/course/options.js';
import { ConvBN, ResNet } from '../../../src/vision/models/course/resnet.js';
import { VGG16 } from '../../../src/vision/models/course/vgg.js';
import { expectAgreement, noise } from '../../engines.js';
import { loadGolden } from '../../goldens/load.js';

const { networks } = loadGolden('architectures');
type Name = keyof typeof networks;

const make: Readonly<Record<Name, (options: ClassifierOptions) => Layer>> = {
  LeNet224: (options) => new LeNet224(options),
  AlexNet: (options) => new AlexNet(options),
  VGG16: (options) => new VGG16(options),
  GoogLeNet: (options) => new GoogLeNet(options),
  GoogLeNetWithHeads: (options) => new GoogLeNet({ ...options, auxiliaryHeads: true }),
  ResNet50: (options) => new ResNet({ ...options, layers: 50 }),
  ResNet101: (options) => new ResNet({ ...options, layers: 101 }),
  ResNet152: (options) => new ResNet({ ...options, layers: 152 }),
};
const names = Object.keys(make) as Name[];
const one = { numClasses: 1 };

/** The output shapes of the direct sublayers for one picture, in the order of the calls. */
function walk(net: Layer, imageSize: number): [string, Shape][] {
  const passed: [string, Shape][] = [];
  for (const [name, layer] of net.namedChildren()) {
    const forward = layer.forward.bind(layer);
    layer.forward = (...inputs) => {
      const output = forward(...inputs);
      passed.push([name, output.shape.slice(1)]);
      return output;
    };
  }
  const { shape } = noGrad(() => net.eval().forward(Tensor.zeros([1, 3, imageSize, imageSize])));
  expect(shape).toEqual([1, 1]);
  return passed;
}

describe('structure', () => {
  // No values are needed, and sampling the 134 million of VGG-16 takes seconds.
  beforeAll(() => {
    vi.spyOn(RandomGenerator.prototype, 'fillNormal').mockImplementation((array) => array);
    vi.spyOn(RandomGenerator.prototype, 'fillUniform').mockImplementation((array) => array);
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });

  const counts: Readonly<Record<Name, number>> = {
    LeNet224: 19_233_841,
    AlexNet: 71_916_929,
    VGG16: 134_264_641,
    GoogLeNet: 5_974_577,
    GoogLeNetWithHeads: 22_889_267,
    ResNet50: 23_510_081,
    ResNet101: 42_502_209,
    ResNet152: 58_145_857,
  };

  it.each(names)('%s: names, shapes and number of parameters are those of Paddle', (name) => {
    const net = make[name](one);
    expect([...net.stateDict()].map(([key, { shape }]) => [key, shape])).toEqual(
      Object.entries(networks[name].stateDict),
    );
    expect(networks[name].trainable).toBe(counts[name]);
    expect(net.parameterCount()).toBe(counts[name]);
  });

  it.each(names)('%s: numClasses is the number of logits', (name) => {
    const net = make[name]({ numClasses: 5 });
    expect(net.forward(Tensor.zeros([2, 3, 224, 224])).shape).toEqual([2, 5]);
  });

  it('LeNet224, stage by stage', () => {
    expect(walk(new LeNet224(one), 224)).toEqual([
      ['conv1', [6, 220, 220]],
      ['maxPool1', [6, 110, 110]],
      ['conv2', [16, 106, 106]],
      ['maxPool2', [16, 53, 53]],
      ['conv3', [120, 50, 50]],
      ['fc1', [64]],
      ['fc2', [1]],
    ]);
  });

  it('AlexNet, stage by stage', () => {
    expect(walk(new AlexNet(one), 224)).toEqual([
      ['conv1', [96, 56, 56]],
      ['maxPool1', [96, 28, 28]],
      ['conv2', [256, 28, 28]],
      ['maxPool2', [256, 14, 14]],
      ['conv3', [384, 14, 14]],
      ['conv4', [384, 14, 14]],
      ['conv5', [256, 14, 14]],
      ['maxPool5', [256, 7, 7]],
      ['fc1', [4096]],
      ['drop1', [4096]],
      ['fc2', [4096]],
      ['drop2', [4096]],
      ['fc3', [1]],
    ]);
  });

  it('VGG-16, stage by stage', () => {
    expect(walk(new VGG16(one), 224)).toEqual([
      ['conv1_1', [64, 224, 224]],
      ['conv1_2', [64, 224, 224]],
      ['pool', [64, 112, 112]],
      ['conv2_1', [128, 112, 112]],
      ['conv2_2', [128, 112, 112]],
      ['pool', [128, 56, 56]],
      ['conv3_1', [256, 56, 56]],
      ['conv3_2', [256, 56, 56]],
      ['conv3_3', [256, 56, 56]],
      ['pool', [256, 28, 28]],
      ['conv4_1', [512, 28, 28]],
      ['conv4_2', [512, 28, 28]],
      ['conv4_3', [512, 28, 28]],
      ['pool', [512, 14, 14]],
      ['conv5_1', [512, 14, 14]],
      ['conv5_2', [512, 14, 14]],
      ['conv5_3', [512, 14, 14]],
      ['pool', [512, 7, 7]],
      ['fc1', [4096]],
      ['dropout1', [4096]],
      ['fc2', [4096]],
      ['dropout2', [4096]],
      ['fc3', [1]],
    ]);
  });

  it('GoogLeNet, stage by stage', () => {
    const stages: [string, Shape][] = [
      ['conv1', [64, 224, 224]],
      ['pool1', [64, 112, 112]],
      ['conv2_1', [64, 112, 112]],
      ['conv2_2', [192, 112, 112]],
      ['pool2', [192, 56, 56]],
      ['block3_1', [256, 56, 56]],
      ['block3_2', [480, 56, 56]],
      ['pool3', [480, 28, 28]],
      ['block4_1', [512, 28, 28]],
      ['block4_2', [512, 28, 28]],
      ['block4_3', [512, 28, 28]],
      ['block4_4', [528, 28, 28]],
      ['block4_5', [832, 28, 28]],
      ['pool4', [832, 14, 14]],
      ['block5_1', [832, 14, 14]],
      ['block5_2', [1024, 14, 14]],
      ['pool5', [1024, 1, 1]],
      ['fc', [1]],
    ];
    expect(walk(new GoogLeNet(one), 224)).toEqual(stages);
    expect(walk(new GoogLeNet({ ...one, auxiliaryHeads: true }), 224)).toEqual(stages);
  });

  it('an auxiliary head of GoogLeNet, layer by layer', () => {
    const { aux1, aux2 } = new GoogLeNet({ ...one, auxiliaryHeads: true });
    for (const [head, channels] of [
      [aux1, 512],
      [aux2, 528],
    ] as const) {
      if (head === null) expect.fail('no head');
      expect(head.pool.forward(Tensor.zeros([1, channels, 28, 28])).shape).toEqual([1, channels, 8, 8]);
      expect(head.conv.weight.shape).toEqual([128, channels, 1, 1]);
      expect(head.fc1.weight.shape).toEqual([8192, 1024]);
      expect(head.forward(Tensor.zeros([3, channels, 28, 28])).shape).toEqual([3, 1]);
    }
  });

  it.each([
    [50, [3, 4, 6, 3]],
    [101, [3, 4, 23, 3]],
    [152, [3, 8, 36, 3]],
  ] as const)('ResNet-%i, stage by stage', (layers, depths) => {
    const net = new ResNet({ ...one, layers });
    const blocks = depths.flatMap((depth, stage) =>
      Array.from({ length: depth }, (_, i): [string, Shape] => {
        const size = 56 >> stage;
        return [`bb_${stage}_${i}`, [256 << stage, size, size]];
      }),
    );
    expect(walk(net, 224)).toEqual([
      ['conv', [64, 112, 112]],
      ['pool2d_max', [64, 56, 56]],
      ...blocks,
      ['pool2d_avg', [2048, 1, 1]],
      ['out', [1]],
    ]);
    const convolutions = net.sublayers().filter((layer) => layer instanceof Conv2D);
    // The name counts convolutions outside the short branches, and the last layer.
    expect(convolutions).toHaveLength(layers - 1 + depths.length);
  });

  it.each([
    ['LeNet', LeNet],
    ['LeNet224', LeNet224],
    ['AlexNet', AlexNet],
    ['VGG16', VGG16],
    ['GoogLeNet', GoogLeNet],
    ['ResNet', ResNet],
  ])('%s asks for the number of classes', (name, Network) => {
    for (const options of [undefined, {}, { numClasses: 0 }]) {
      expect(() => new Network(options as ClassifierOptions)).toThrow(
        `[${name}] numClasses: expected an integer of at least 1, got ${(options as Partial<ClassifierOptions>)?.numClasses ?? 'nothing'}; ` +
          `name it: new vision.models.course.${name}({ numClasses: 10 })`,
      );
    }
  });

  it('ResNet refuses other depths', () => {
    expect(() => new ResNet({ ...one, layers: 34 as 50 })).toThrow('[ResNet] layers: expected 50, 101, 152, got 34');
  });

  it('GoogLeNet has heads when it is made with them, for images that are large enough', () => {
    const x = Tensor.zeros([1, 3, 33, 33]);
    expect(() => new GoogLeNet(one).forwardWithHeads(x)).toThrow(
      '[GoogLeNet] auxiliary heads: expected a network with them, got one without',
    );
    for (const imageSize of [32, 40.5]) {
      expect(() => new GoogLeNet({ ...one, auxiliaryHeads: true, imageSize })).toThrow(
        `[GoogLeNet] imageSize: expected an integer of at least 33 with auxiliary heads, got ${imageSize}`,
      );
    }
    const net = new GoogLeNet({ numClasses: 3, auxiliaryHeads: true, imageSize: 33 });
    const { logits, auxiliary } = net.forwardWithHeads(x);
    expect([logits, ...auxiliary].map(({ shape }) => shape)).toEqual([
      [1, 3],
      [1, 3],
      [1, 3],
    ]);
  });
});

describe('behaviour', () => {
  beforeAll(() => setEngine('onednn'));

  it('the last layer of ResNet begins uniform within 1/√2048, not as other layers', async () => {
    seed(1);
    const weight = new ResNet({ numClasses: 100 }).stateDict().get('out.weight') as Parameter;
    const values = Float32Array.from(await weight.data());
    const limit = 1 / Math.sqrt(2048);
    const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBeGreaterThan(0.9999 * limit);
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(variance).toBeCloseTo(limit ** 2 / 3, 5);
  });

  it('ConvBN: convolution, batch norm, then relu, leaky relu of slope 0.1 or nothing', async () => {
    const x = Tensor.fromData(noise([2, 4, 7, 7]).data, [2, 4, 7, 7]);
    const make = (act?: 'relu' | 'leaky') => {
      seed(3);
      return new ConvBN(4, 6, 3, act === undefined ? { stride: 2, groups: 2 } : { stride: 2, groups: 2, act });
    };
    const y = make().forward(x);
    expect(y.shape).toEqual([2, 6, 4, 4]);
    const data = await y.data();
    // Normalized: of each channel the mean is 0 and the mean square 1.
    expectAgreement(await y.mean({ axis: [0, 2, 3] }).data(), new Float32Array(6), 'mean');
    expectAgreement(
      await y
        .square()
        .mean({ axis: [0, 2, 3] })
        .data(),
      new Float32Array(6).fill(1),
      'variance',
      {
        tolerance: 1e-3,
      },
    );
    expect(data.some((value) => value < 0)).toBe(true);
    expectAgreement(
      await make('relu').forward(x).data(),
      data.map((value) => Math.max(value, 0)),
      'relu',
    );
    expectAgreement(
      await make('leaky').forward(x).data(),
      data.map((value) => Math.max(value, 0.1 * value)),
      'leaky',
    );
  });

  it('GoogLeNet: gradients of the auxiliary losses reach no further than their place', () => {
    const net = new GoogLeNet({ ...one, auxiliaryHeads: true, imageSize: 40 });
    const { auxiliary } = net.forwardWithHeads(Tensor.zeros([1, 3, 40, 40]));
    F.binaryCrossEntropyWithLogits(auxiliary[0], Tensor.ones([1, 1])).backward();
    const layers = new Set(
      [...net.namedParameters()].filter(([, p]) => p.grad !== null).map(([name]) => name.split('.')[0]),
    );
    expect([...layers]).toEqual(['conv1', 'conv2_1', 'conv2_2', 'block3_1', 'block3_2', 'block4_1', 'aux1']);
  });

  it('AlexNet drops in training and only there', async () => {
    const net = new AlexNet(one);
    const x = Tensor.full([1, 3, 224, 224], 1);
    const logits = async () => (await noGrad(() => net.forward(x)).data())[0];
    expect(await logits()).not.toBe(await logits());
    net.eval();
    expect(await logits()).toBe(await logits());
  });
});
