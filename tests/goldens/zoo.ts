import type { TypedArray } from '../../src/graph/dtype.js';
import { numel, type Shape } from '../../src/graph/shape.js';
import type { Layer } from '../../src/nn/index.js';
import * as models from '../../src/vision/models/index.js';
import { formula, type GoldenZooCase, loadGolden } from './load.js';

type Options = GoldenZooCase['options'] & { readonly batchNorm?: boolean };

/** Makes the network that Paddle calls `name`: `wide_resnet50_2` is `wideResnet50_2` here, `vgg11_bn` an option. */
export function makeReady(name: string, options?: Options): Layer {
  const [, plain, batchNorm] = /^(.*?)(_bn)?$/.exec(name) as RegExpExecArray;
  const key = plain.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const build = models[key as 'vgg11'];
  return build(batchNorm === undefined ? options : ({ ...options, batchNorm: true } as Options));
}

const { period } = loadGolden('zoo');

/** The formula's values, repeated and moved by `offset`. */
export function valuesOf(shape: Shape, seed: number, scale: number, offset: number): Float32Array {
  const values = new Float32Array(numel(shape));
  const first = formula(Math.min(values.length, period), seed, scale).map((value) => value + offset);
  values.set(first);
  for (let filled = first.length; filled < values.length; filled *= 2) values.copyWithin(filled, 0, filled);
  return values;
}

/** Scale of the formula for an entry of the state dict, and what is added. */
function startOf(name: string, shape: Shape): [scale: number, offset: number] {
  if (name.endsWith('._variance')) return [0.5, 1];
  if (!name.endsWith('.weight')) return [0.2, 0];
  if (shape.length === 1) return [0.2, 0.4];
  return [Math.sqrt(6 / (shape.length === 4 ? numel(shape.slice(1)) : shape[0])), 0];
}

export function fill(net: Layer): void {
  [...net.stateDict()].forEach(([name, state], i) => {
    state.load(valuesOf(state.shape, i, ...startOf(name, state.shape)));
  });
}

/** Every value at a multiple of the stride. */
export const sampled = (data: TypedArray, stride: number): Float32Array =>
  Float32Array.from({ length: Math.ceil(data.length / stride) }, (_, i) => data[i * stride]);
