/**
 * The floor of a training step and of inference: the sum, over all convolutions and linear layers, of oneDNN's own kernel
 * times, each in the layouts that it likes best and with the fastest of the direct algorithm, Winograd's (float32, 3×3,
 * stride 1) and a product of matrices (bf16, weights of 1×1). Pooling, activations, batch norm, changes of layout and the
 * update come on top: no step of one precision is faster with these kernels. Where the
 * processor multiplies bfloat16 more slowly than float32, the floor in bf16 is that in float32.
 *
 * usage: npm run bench -- floor [network|all] [batch] [threads] [--precision=float32|bf16] [--forward] [--input=3,32,32]
 *        [--layers] [--seconds=0.05] [--json]
 */
import { parseArgs } from 'node:util';
import { openOneDnn } from '../src/engine/onednn/engine.js';
import { bfloat16Unit } from '../src/engine/onednn/processor.js';
import { precisionNames } from '../src/engine/select.js';
import { directions, type KernelLayer, layersOf, measureKernel } from './shared/layerKernels.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    precision: { type: 'string' },
    forward: { type: 'boolean', default: false },
    input: { type: 'string' },
    layers: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '0.05' },
    json: { type: 'boolean', default: false },
  },
});
const [wanted = 'all', batchText = '10', threads = '2'] = positionals;
const batch = Number(batchText);
const seconds = Number(values.seconds);
const engine = openOneDnn();
const unit = bfloat16Unit();

/** Kernels as short as this may be faster on one thread. */
const smallMs = 1;

/** Milliseconds of the layer in each direction. */
function timesOf(layer: KernelLayer, precision: string): number[] {
  const dtype = precision === 'bf16' && unit !== null && unit !== 'slow AVX-512' ? 'bfloat16' : 'float32';
  const winograd = dtype === 'float32' && layer.params !== null;
  return directions.map((direction) => {
    if (direction !== 'forward' && values.forward) return 0;
    // No step needs the gradient of the images.
    if (direction === 'backwardData' && layer.first) return 0;
    const others = winograd ? (['winograd'] as const) : [];
    const products = dtype === 'bfloat16' && direction === 'backwardWeights' ? (['product'] as const) : [];
    const algorithms = ['direct', ...others, ...products] as const;
    const leastMs = (threadCount: number): number => {
      engine.useThreads(threadCount);
      const times = algorithms.map((algorithm) => measureKernel(layer, direction, algorithm, { seconds, dtype }));
      return Math.min(...times.map((time) => time?.ms ?? Number.POSITIVE_INFINITY));
    };
    const ms = leastMs(Number(threads));
    if (!Number.isFinite(ms)) throw new Error(`oneDNN has no ${dtype} kernel for ${direction} of ${layer.weight}`);
    return ms < smallMs ? Math.min(ms, leastMs(1)) : ms;
  });
}

const networks = wanted === 'all' ? ['lenet', 'alexnet', 'googlenet', 'resnet50', 'vgg16'] : [wanted];
const usual = unit !== null ? precisionNames : (['float32'] as const);
for (const network of networks) {
  for (const precision of values.precision === undefined ? usual : [values.precision]) {
    const sums = directions.map(() => 0);
    for (const layer of layersOf(network, batch, values.input?.split(',').map(Number))) {
      const times = timesOf(layer, precision);
      times.forEach((ms, i) => {
        sums[i] += layer.count * ms;
      });
      if (values.layers) {
        const shapes = `[${layer.x}] -> [${layer.y}], weight [${layer.weight}], stride ${layer.params?.stride ?? '–'}`;
        console.log(`${layer.count} × ${times.map((ms) => ms.toFixed(2)).join(' / ')} ms  ${shapes}`);
      }
    }
    const infer = sums[0];
    const train = values.forward ? null : sums.reduce((sum, ms) => sum + ms);
    if (values.json) console.log(JSON.stringify({ network, batch, precision, train, infer }));
    else {
      const step = train === null ? '' : `training step ${train.toFixed(2)} ms, `;
      console.log(`${network}, batch ${batch}, ${precision}: ${step}forward ${infer.toFixed(2)} ms`);
    }
  }
}
