import { beforeEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../../src/engine/select.js';
import { numel } from '../../../src/graph/shape.js';
import { Conv2D, Layer, Linear, MaxPool2D, ReLU } from '../../../src/nn/index.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { explain } from '../../../src/vision/index.js';
import { engines } from '../../engines.js';
import { closeTo, formula, type GoldenFormula, loadGolden } from '../../goldens/load.js';

const golden = loadGolden('explain');

class Net extends Layer {
  readonly conv1 = new Conv2D(3, 4, 3, { padding: 1 });
  readonly relu1 = new ReLU();
  readonly pool1 = new MaxPool2D(2);
  readonly conv2 = new Conv2D(4, 6, 3, { padding: 1 });
  readonly relu2 = new ReLU();
  readonly fc = new Linear(150, 3);

  forward(x: Tensor): Tensor {
    const features = this.pool1.forward(this.relu1.forward(this.conv1.forward(x)));
    return this.fc.forward(this.relu2.forward(this.conv2.forward(features)).flatten({ startAxis: 1 }));
  }
}

const valuesOf = ({ shape, seed, scale }: GoldenFormula) => formula(numel(shape), seed, scale);

function goldenNet(): Net {
  const net = new Net();
  const states = net.stateDict();
  for (const parameter of golden.parameters) {
    const values = valuesOf(parameter);
    const state = states.get(parameter.name);
    // PyTorch's weight is [out, in], Paddle's is [in, out].
    if (parameter.name === 'fc.weight') {
      const [outputs, inputs] = parameter.shape;
      state?.load(Float32Array.from(values, (_, i) => values[(i % outputs) * inputs + Math.floor(i / outputs)]));
    } else state?.load(values);
  }
  return net.eval();
}

describe.each(engines)('explanations on %s', (engine) => {
  beforeEach(() => setEngine(engine));
  const images = () => Tensor.fromData(valuesOf(golden.images), golden.images.shape);

  it('are those of a network that computes the same', async () => {
    closeTo(await goldenNet().forward(images()).data(), golden.logits, 1e-5, 1e-5);
  });

  it.each(golden.cams)('$method of $layer for class $class against $against', async (wanted) => {
    const { method, layer, against } = wanted;
    const options = { method, layer, class: wanted.class, against: against ?? undefined };
    const maps = await explain.classActivation(goldenNet(), images(), options);
    closeTo(maps.values, wanted.map, 1e-4, 1e-5);
    const shown = explain.normalizeMaps(explain.resizeMaps(explain.normalizeMaps(maps), [10, 10]));
    closeTo(shown.values, wanted.shown, 0, 1e-4);
  });

  it.each(golden.integratedGradients)('integrated gradients of class $class in $steps steps', async (wanted) => {
    const { baseline, steps } = wanted;
    const result = await explain.integratedGradients(goldenNet(), images(), { class: wanted.class, baseline, steps });
    closeTo(result.values, wanted.values, 1e-4, 1e-5);
    closeTo(result.delta, wanted.delta, 0, 1e-4);
  });

  it.each(golden.occlusion)('occlusion of class $class by patches of $patch', async (wanted) => {
    const { patch, stride, baseline } = wanted;
    const options = { class: wanted.class, patch, stride, baseline, batchSize: 7 };
    const maps = await explain.occlusion(goldenNet(), images(), options);
    closeTo(maps.values, wanted.map, 1e-4, 1e-5);
  });
});

describe('explanations', () => {
  it('give with one output the map of either class', async () => {
    class Binary extends Layer {
      readonly conv = new Conv2D(1, 2, 3, { padding: 1 });
      readonly fc = new Linear(2, 1);
      forward(x: Tensor): Tensor {
        return this.fc.forward(this.conv.forward(x).mean({ axis: [2, 3] }));
      }
    }
    const net = new Binary().eval();
    const image = Tensor.fromData(formula(25, 5, 1), [1, 1, 5, 5]);
    const one = await explain.occlusion(net, image, { class: 1, patch: 2 });
    const other = await explain.occlusion(net, image, { class: 0, patch: 2 });
    expect(one.values.some((value) => value !== 0)).toBe(true);
    closeTo(
      one.values,
      other.values.map((value) => -value),
      0,
      1e-6,
    );
  });

  it('work on a network whose parameters are frozen', async () => {
    const net = goldenNet();
    const image = Tensor.fromData(valuesOf(golden.images), golden.images.shape);
    const free = await explain.classActivation(net, image, { layer: 'relu2', class: 0 });
    for (const parameter of net.parameters()) parameter.trainable = false;
    const frozen = await explain.classActivation(net, image, { layer: 'relu2', class: 0 });
    closeTo(frozen.values, free.values, 1e-6, 1e-7);
    expect(net.parameters().every(({ grad }) => grad === null)).toBe(true);
  });

  it.each([
    [{ layer: 'relu3', class: 0 }, "expected names of layers of the network, got 'relu3'; did you mean 'relu1'?"],
    [{ layer: 'fc', class: 0 }, "expected features of several places [N, C, H, W], got [2,3] of 'fc'"],
    [{ layer: 'relu2', class: 3 }, 'class: expected a number from 0 to 2, got 3'],
    [{ layer: 'relu2', class: 1.5 }, 'class: expected a number from 0 to 2, got 1.5'],
    [{ layer: 'relu2', class: 1, against: 1 }, 'against: expected another class than 1, got the same'],
  ])('refuse %j', async (options, message) => {
    const image = Tensor.fromData(valuesOf(golden.images), golden.images.shape);
    await expect(explain.classActivation(goldenNet(), image, options)).rejects.toThrow(message);
  });

  it('refuse patches that leave places out, and an invalid number of steps', async () => {
    const image = Tensor.fromData(valuesOf(golden.images), golden.images.shape);
    const net = goldenNet();
    await expect(explain.occlusion(net, image, { class: 0, patch: 2, stride: 3 })).rejects.toThrow(
      'at most the patch, 2',
    );
    await expect(explain.occlusion(net, image, { class: 0, patch: 0 })).rejects.toThrow('positive integer, got 0');
    await expect(explain.integratedGradients(net, image, { class: 0, steps: 0 })).rejects.toThrow('got 0');
  });
});
