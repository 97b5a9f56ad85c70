import { describe, expect, it } from 'vitest';
import { optimize } from '../../../src/compiler/optimize.js';
import { hoist } from '../../../src/engine/planned/hoist.js';
import type { Assignment } from '../../../src/graph/node.js';
import type { Layer } from '../../../src/nn/layer.js';
import * as ops from '../../../src/ops/index.js';
import * as F from '../../../src/tensor/functional.js';
import { noGrad } from '../../../src/tensor/noGrad.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { AlexNet } from '../../../src/vision/models/alexnet.js';
import { GoogLeNet } from '../../../src/vision/models/course/googlenet.js';
import { LeNet } from '../../../src/vision/models/lenet.js';
import { ResNet } from '../../../src/vision/models/resnet.js';
import { VGG } from '../../../src/vision/models/vgg.js';
import { graphOf } from '../../compiler/support.js';
import { ToyEngine } from './toy.js';

const toy = new ToyEngine();

/** Names and kinds of the planned steps, those first that are hoisted. */
function stepsOf(values: readonly Tensor[], assigned: readonly Assignment[]): string {
  const lowered = toy.lower(optimize(graphOf(values, assigned), toy));
  const { steps, count } = hoist(lowered);
  const lines = steps.map(
    ({ name, kind }, i) => `${i < count ? 'once ' : ''}${name}${kind === 'call' ? '' : ` ${kind}`}`,
  );
  for (const { destroy } of lowered.owned) destroy();
  return `${lines.join('\n')}\n`;
}

function trainingSteps(network: Layer, shape: readonly number[]): string {
  network.train();
  const loss = F.crossEntropy(
    network.forward(Tensor.placeholder(shape, 'float32')),
    Tensor.placeholder([shape[0]], 'int32'),
  );
  loss.backward();
  const rate = Tensor.full([], 0.1).value;
  const updates = network.parameters().map((parameter) => {
    const [updated] = ops.sgdUpdate({ weightDecay: 0 }, parameter.value, (parameter.grad as Tensor).value, rate);
    return parameter.overwrite(updated);
  });
  return stepsOf([loss], updates);
}

function predictionSteps(network: Layer, shape: readonly number[]): string {
  network.eval();
  return noGrad(() => stepsOf([network.forward(Tensor.placeholder(shape, 'float32'))], []));
}

// A change in a pass, a lowering or the room shows here as the difference that it makes; `vitest -u` writes the files
// again.

describe('steps of a training and of a prediction, on an engine of plain arrays', () => {
  it.each([
    ['lenet', () => new LeNet(), [10, 1, 28, 28]],
    ['alexnet', () => new AlexNet({ numClasses: 10 }), [2, 3, 224, 224]],
    ['vgg11', () => new VGG(11, { numClasses: 10 }), [2, 3, 64, 64]],
    ['googlenet', () => new GoogLeNet({ numClasses: 10 }), [2, 3, 224, 224]],
    ['resnet18', () => new ResNet(18, { numClasses: 10 }), [2, 3, 64, 64]],
  ] as const)('%s', async (name, make, shape) => {
    const network = make();
    // First, since the updates of a training step replace the parameters.
    await expect(predictionSteps(network, shape)).toMatchFileSnapshot(`snapshots/${name}-prediction.txt`);
    await expect(trainingSteps(network, shape)).toMatchFileSnapshot(`snapshots/${name}-training.txt`);
  });
});
