import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { engineNames, setEngine } from '../../src/engine/select.js';
import { NonFiniteError } from '../../src/errors.js';
import type { TypedArray } from '../../src/graph/dtype.js';
import { DataLoader } from '../../src/io/data/dataloader.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { BatchNorm2D, Conv2D, Flatten, Layer, Linear, MaxPool2D, ReLU, Sequential } from '../../src/nn/index.js';
import { Adam, Momentum, SGD } from '../../src/optimizer/index.js';
import { RandomGenerator, seed } from '../../src/random.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { DivergenceError } from '../../src/train/divergence.js';
import { nonFiniteInStep, nonFiniteState } from '../../src/train/nonFinite.js';
import { train } from '../../src/train/train.js';
import { AlexNet } from '../../src/vision/models/course/index.js';

/** ReLU and max pooling behind the convolution: neither lets NaN through on oneDNN. */
class Net extends Layer {
  readonly conv = new Conv2D(1, 8, 3, { padding: 1 });
  readonly norm = new BatchNorm2D(8);
  readonly features = new Sequential(new ReLU(), new MaxPool2D(2));
  readonly conv2 = new Conv2D(8, 16, 3);
  readonly fc = new Linear(64, 2);

  forward(x: Tensor): Tensor {
    const y = this.features.forward(this.norm.forward(this.conv.forward(x)));
    return this.fc.forward(F.maxPool2d(F.relu(this.conv2.forward(y)), 1).flatten({ startAxis: 1 }));
  }
}

function images(
  length: number,
  shape: readonly number[],
  spoil: (image: Float32Array, index: number) => void,
): Dataset {
  const generator = new RandomGenerator(1);
  const size = shape.reduce((a, b) => a * b);
  const samples = Array.from({ length }, (_, index) => {
    const image = generator.fillNormal(new Float32Array(size), 0, 1);
    spoil(image, index);
    return { image, shape, label: index % 2 };
  });
  return { length, get: (index) => samples[index] };
}

const loss = (outputs: Tensor, labels: Tensor) => F.crossEntropy(outputs, labels);
const batch = () => Tensor.fromData(new RandomGenerator(3).fillNormal(new Float32Array(4 * 64), 0, 1), [4, 1, 8, 8]);
const labels = () => Tensor.fromData(Int32Array.of(0, 1, 0, 1));

afterEach(() => {
  Reflect.deleteProperty(process.env, 'FOVEA_MEMORY_LIMIT');
});

describe.each(engineNames)('values that are not finite, %s', (engine) => {
  beforeEach(() => {
    setEngine(engine);
    seed(3);
  });

  test('a step that refuses such a loss changes nothing, and can be made again', async () => {
    const network = new Net();
    const optimizer = new Adam({ parameters: network.parameters() });
    const step = async (factor: number) => {
      loss(network.forward(batch()), labels()).mul(factor).backward();
      await optimizer.step({ finiteLoss: true }).finally(() => optimizer.clearGrad());
    };
    const snapshot = async () => {
      const states = [...network.stateDict().values(), ...optimizer.stateDict(network.namedParameters()).values()];
      return Promise.all(states.map((state) => state.data()));
    };
    await step(1);
    const before = await snapshot();
    await expect(step(Number.POSITIVE_INFINITY)).rejects.toThrow(NonFiniteError);
    await expect(step(Number.NaN)).rejects.toThrow('[step] loss: expected a finite number, got NaN');
    expect(await snapshot()).toEqual(before);
    expect(optimizer.steps).toBe(1);
    await step(1);
    expect(await snapshot()).not.toEqual(before);
  });

  test('the layer is named whose output is the first, though the next one hides it', async () => {
    const network = new Net();
    // Products beyond 3.4e38 of both signs: ∞ − ∞.
    const huge = network.conv2.weight.storage.read().map((w) => 3e38 * Math.sign(w));
    network.conv2.weight.load(huge as Float32Array);
    const found = await nonFiniteInStep(network, batch(), () => loss(network.forward(batch()), labels()));
    expect(found).toMatchObject({ what: 'output of conv2 (conv2d)', total: 4 * 16 * 4 });
    expect(found?.count).toBeGreaterThan(0);
    expect(network.conv2.weight.grad).toBeNull();
    // Neither have running statistics moved, nor does anything wait to move them.
    expect(await network.norm._mean.data()).toEqual(new Float32Array(8));
  });

  test('a NaN in any parameter or in the inputs stops a step, before anything is overwritten', async () => {
    const network = new Net();
    const parameters = [...network.namedParameters()];
    const healthy = new Map<string, TypedArray>();
    for (const [name, parameter] of parameters) healthy.set(name, await parameter.data());
    const optimizer = new Momentum({ parameters: network.parameters(), learningRate: 0.1 });
    const step = async (x: Tensor) => {
      loss(network.forward(x), labels()).backward();
      await optimizer.step({ finiteLoss: true }).finally(() => optimizer.clearGrad());
    };
    for (const [name, parameter] of parameters) {
      const data = (healthy.get(name) as TypedArray).slice();
      data[data.length >> 1] = Number.NaN;
      parameter.load(data);
      await expect(step(batch()), name).rejects.toThrow(NonFiniteError);
      expect(await parameter.data(), name).toEqual(data);
      parameter.load(healthy.get(name) as TypedArray);
    }
    const x = (await batch().data()).slice();
    x[100] = Number.NaN;
    await expect(step(Tensor.fromData(x, [4, 1, 8, 8]))).rejects.toThrow(NonFiniteError);
    await step(batch());
  });

  test.each([
    ['SGD', 40],
    ['Momentum', 40],
    ['Adam', 40],
    ['SGD', 5],
    ['Momentum', 5],
  ] as const)('weights that a step of %s makes NaN stop the next one: %i channels', async (rule, channels) => {
    const network = new Sequential(
      new Conv2D(1, channels, 3),
      new ReLU(),
      new Conv2D(channels, 3, 3),
      new ReLU(),
      new Flatten(),
      new Linear(48, 2),
    );
    const parameters = network.parameters();
    const optimizer = new { SGD, Momentum, Adam }[rule]({ parameters, learningRate: 0.01 });
    // The gradient of this term is NaN in one weight, while its value is 0.
    const [weight] = parameters;
    const mask = new Float32Array(weight.size);
    mask[weight.size - 1] = 1;
    const step = async (spoils: boolean) => {
      let total = loss(network.forward(batch()), labels());
      if (spoils) {
        const chosen = weight.mul(Tensor.fromData(mask, weight.shape)).sum();
        total = total.add(chosen.sub(chosen.detach()).square().sqrt());
      }
      total.backward();
      await optimizer.step({ finiteLoss: true }).finally(() => optimizer.clearGrad());
      return total.item();
    };
    expect(await step(false)).toBeGreaterThan(0);
    expect(await step(true)).toBeGreaterThan(0);
    expect((await weight.data()).filter(Number.isNaN).length).toBeGreaterThan(0);
    await expect(step(false)).rejects.toThrow(NonFiniteError);
  });

  test('gradients come after all outputs, in their own order', async () => {
    const network = new Sequential(new Linear(64, 4), new Linear(4, 2));
    const x = batch().reshape([4, 64]);
    const objective = () => network.forward(x).mul(1e-30).mul(1e-30).exp().mul(1e38).mean().mul(1e-8);
    // The derivative of y ↦ √y at 0.
    const root = () => network.forward(x).mul(0).sqrt().mean();
    expect(await nonFiniteInStep(network, x, objective)).toBeNull();
    expect(await nonFiniteInStep(network, x, root)).toMatchObject({ what: expect.stringMatching(/^gradient \(/) });
  });

  test('parameters and buffers are looked at', async () => {
    const network = new Net();
    expect(await nonFiniteState(network)).toBeNull();
    network.norm._variance.load(Float32Array.of(1, 1, Number.NaN, 1, Number.NEGATIVE_INFINITY, 1, 1, 1));
    expect(await nonFiniteState(network)).toMatchObject({ what: 'buffer norm._variance', count: 2, total: 8 });
    // Nearer to the loss.
    network.fc.bias?.load(Float32Array.of(0, Number.POSITIVE_INFINITY));
    const found = await nonFiniteInStep(network, batch(), () => loss(network.forward(batch()), labels()));
    expect(found).toMatchObject({ what: 'parameter fc.bias', value: Number.POSITIVE_INFINITY, count: 1, total: 2 });
  });

  test('a second run that there is no memory for, or that stays finite, is distinguished', async () => {
    const network = new Net();
    process.env.FOVEA_MEMORY_LIMIT = '1k';
    const objective = () => loss(network.forward(batch()), labels());
    expect(await nonFiniteInStep(network, batch(), objective)).toBeUndefined();
    expect(network.conv2.weight.grad).toBeNull();
    Reflect.deleteProperty(process.env, 'FOVEA_MEMORY_LIMIT');
    expect(await nonFiniteInStep(network, batch(), objective)).toBeNull();

    const diverging = async (then: () => void) => {
      let calls = 0;
      const spoiled = (outputs: Tensor, classes: Tensor) => {
        calls++;
        if (calls > 2) then();
        // Only the step itself gives NaN, in the program of the step before.
        return loss(outputs, classes).mul(Tensor.fromData(Float32Array.of(calls === 2 ? Number.NaN : 1), []));
      };
      const trainLoader = new DataLoader(
        images(8, [1, 8, 8], () => {}),
        { batchSize: 4 },
      );
      const optimizer = new Momentum({ parameters: network.parameters(), learningRate: 0.01 });
      return train({ network, optimizer, loss: spoiled, trainLoader, epochs: 1 }).then(
        () => '',
        (error: DivergenceError) => error.message,
      );
    };
    const start = '[train] loss: expected a finite number, got NaN in epoch 1, batch 2; ';
    const end = 'lower the learning rate (now 0.01) or look for bad images';
    expect(await diverging(() => {})).toBe(`${start}a second, checked run of the step stayed finite; ${end}`);
    const shortage = () => {
      process.env.FOVEA_MEMORY_LIMIT = '1k';
    };
    expect(await diverging(shortage)).toBe(`${start}there was no memory for a second, checked run of the step; ${end}`);
  });

  test('a NaN in an image stops the training at its batch', async () => {
    const data = images(8, [1, 8, 8], (image, index) => {
      if (index === 5) image[20] = Number.NaN;
    });
    const network = new Net();
    const optimizer = new Momentum({ parameters: network.parameters() });
    const error = await train({
      network,
      optimizer,
      loss,
      trainLoader: new DataLoader(data, { batchSize: 4 }),
      epochs: 1,
    }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DivergenceError);
    expect((error as Error).message).toBe(
      '[train] images: expected finite numbers, got NaN (1 of 256 values) in epoch 1, batch 2; look for bad images',
    );
    expect(optimizer.steps).toBe(1);
  });

  test('parameters that no loss shows end the training before they are evaluated or saved', async () => {
    const network = new Net();
    const optimizer = new Momentum({ parameters: network.parameters(), learningRate: 0.01 });
    const data = images(4, [1, 8, 8], () => {});
    // Biases of a layer that is not used.
    const spare = Object.assign(network, { spare: new Linear(2, 2) });
    const spoil = { onBatchEnd: () => spare.spare.bias?.load(Float32Array.of(Number.NaN, 0)) };
    const ended: number[] = [];
    const error = await train({
      network,
      optimizer,
      loss,
      trainLoader: new DataLoader(data, { batchSize: 4 }),
      callbacks: [spoil, { onEpochEnd: (_, { epoch }) => void ended.push(epoch) }],
      epochs: 2,
    }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ epoch: 1, batch: null, nonFinite: { what: 'parameter spare.bias', count: 1 } });
    expect(ended).toEqual([]);
  });
});

test('AlexNet at too high a rate ends with the layer that overflows', async () => {
  setEngine('onednn');
  seed(0);
  // For images of 64×64.
  const small = { fc1: new Linear(1024, 256), fc2: new Linear(256, 256), fc3: new Linear(256, 2) };
  const network = Object.assign(new AlexNet({ numClasses: 2 }), small);
  const optimizer = new Momentum({ learningRate: 1e30, parameters: network.parameters() });
  const trainLoader = new DataLoader(
    images(40, [3, 64, 64], () => {}),
    { batchSize: 2 },
  );
  const error = await train({ network, optimizer, loss, trainLoader, epochs: 1 }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DivergenceError);
  const { message, nonFinite } = error as DivergenceError;
  expect(nonFinite?.what).toMatch(/^output of (conv|fc)\d \((conv2d|linear)\)$/);
  expect(message).toMatch(/^\[train\] loss: expected a finite number, got (NaN|∞) in epoch 1, batch 2; first/);
  expect(message).toContain(`first non-finite value: ${nonFinite?.what}, `);
  expect(optimizer.steps).toBe(1);
  expect(await nonFiniteState(network)).toBeNull();
});
