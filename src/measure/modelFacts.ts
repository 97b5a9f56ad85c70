import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { numel, type Shape } from '../graph/shape.js';
import { nodesBehind } from '../graph/walk.js';
import { cacheFolder } from '../platform/node/cacheFolder.js';
import { RandomGenerator, withGenerator } from '../random.js';
import { namedModels } from '../run/catalog/models.js';
import { noGrad } from '../tensor/noGrad.js';
import { Tensor } from '../tensor/tensor.js';
import { nearestName } from '../text/suggest.js';
import { weightFiles } from '../vision/models/weightFiles.js';

/** Facts about a network that are the same on every machine. */
export interface ModelFacts {
  readonly name: string;
  readonly title: string;
  /** `[channels, height, width]` */
  readonly input: Shape;
  /** Outputs that are counted: 1,000 of networks for photographs, as in published numbers; 10 of others. */
  readonly classes: number;
  readonly parameters: number;
  /** Multiplications with addition of convolutions and linear layers, for one image. */
  readonly macs: number;
  /** `downloaded`, `to download`, or null if there are only weights by path. */
  readonly weights: 'downloaded' | 'to download' | null;
}

/** Leaves arrays of zeros as they are: weights of networks that are only counted need no values. */
class NoValues extends RandomGenerator {
  override fillUniform(array: Float32Array): Float32Array {
    return array;
  }

  override fillNormal(array: Float32Array): Float32Array {
    return array;
  }
}

/**
 * The names of networks that match.
 *
 * @param pattern part of a name, or a whole name in which `*` stands for any text; all networks without
 * @throws {InputError} if there are none, with the nearest
 */
export function matchingModels(pattern?: string): string[] {
  const names = Object.keys(namedModels);
  if (pattern === undefined) return names;
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const matches = new RegExp(parts.length === 1 ? parts[0] : `^(zoo-)?${parts.join('.*')}$`, 'i');
  const found = names.filter((name) => matches.test(name));
  if (found.length > 0) return found;
  const plain = new Map(names.map((name) => [name.replace(/^zoo-/, ''), name]));
  // `resnt` is nearer to `resnet` than to `resnet18`.
  for (const name of [...plain.keys()]) {
    const family = name.replace(/[\d_].*/, '');
    if (!plain.has(family)) plain.set(family, family);
  }
  const close = nearestName(pattern.replaceAll('*', ''), [...plain.keys()]);
  const near = close === null ? null : plain.get(close);
  throw new InputError(
    `[models] '${pattern}': expected a part of a name, or a pattern such as 'resnet*', got one that matches no network; ` +
      (near === null ? `there are ${names.join(', ')}` : `did you mean ${near}?`),
  );
}

/** Counts the parameters and operations of a network. Nothing is computed. */
export function modelFacts(name: string): ModelFacts {
  const { title, inputShape, weights, create } = namedModels[name];
  const classes = inputShape[0] === 3 ? 1000 : 10;
  const network = withGenerator(new NoValues(0), () => create({ numClasses: classes }, inputShape)).eval();
  const outputs = noGrad(() => network.forward(Tensor.placeholder([1, ...inputShape], 'float32')));
  const macs = nodesBehind(outputs.value).reduce((sum, { op, inputs, outputs: [y] }) => {
    const [, weight] = inputs;
    if (op === 'conv2d') return sum + numel(y.shape) * numel(weight.shape.slice(1));
    return op === 'linear' ? sum + numel(weight.shape) : sum;
  }, 0);
  return {
    name,
    title,
    input: inputShape,
    classes,
    parameters: network.parameterCount(),
    macs,
    weights: weightsOf(weights),
  };
}

function weightsOf(name: string | undefined): ModelFacts['weights'] {
  if (name === undefined || !Object.hasOwn(weightFiles, name)) return null;
  return existsSync(join(cacheFolder(), 'weights', basename(weightFiles[name].url))) ? 'downloaded' : 'to download';
}

/** Images a second of a network on this machine. */
export const modelSpeed = z.strictObject({
  /** Images in a step, and in a prediction. */
  batch: z.int().min(1),
  train: z.number().min(0),
  predict: z.number().min(0),
  measured: z.iso.datetime(),
});
export type ModelSpeed = z.infer<typeof modelSpeed>;
