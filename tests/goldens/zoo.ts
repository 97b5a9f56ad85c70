import type { Layer } from '../../src/nn/index.js';
import * as models from '../../src/vision/models/index.js';
import type { GoldenZooCase } from './load.js';

type Options = GoldenZooCase['options'] & { readonly batchNorm?: boolean };

/** Makes the network that Paddle calls `name`: `wide_resnet50_2` is `wideResnet50_2` here, `vgg11_bn` an option. */
export function makeReady(name: string, options?: Options): Layer {
  const [, plain, batchNorm] = /^(.*?)(_bn)?$/.exec(name) as RegExpExecArray;
  const key = plain.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const build = models[key as 'vgg11'];
  return build(batchNorm === undefined ? options : ({ ...options, batchNorm: true } as Options));
}
