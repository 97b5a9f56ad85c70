import type { TaskKernel } from '../../src/engine/kernels/taskKernel.js';
import { transformedPlace, winogradKernel } from '../../src/engine/kernels/winogradConv.js';
import { winogradGradient } from '../../src/engine/kernels/winogradGradient.js';
import { openPortable } from '../../src/engine/portable/engine.js';
import { forwardAxis } from '../../src/engine/portable/kernels/axis.js';
import { gatherKernel } from '../../src/engine/portable/kernels/conv.js';
import { weightGradientKernel } from '../../src/engine/portable/kernels/convWeights.js';
import { productWeightsKernel } from '../../src/engine/portable/kernels/productWeights.js';
import { backwardGather, forwardGather } from '../../src/engine/portable/lower/conv.js';

/** Layers as `images,in,out,size,kernel,stride,padding`. */
export const usualLayers = [
  '10,64,64,56,3,1,1',
  '10,64,256,56,1,1,0',
  '10,128,128,56,3,2,1',
  '10,256,256,14,3,1,1',
  '10,512,512,7,3,1,1',
];
const { backend } = openPortable();

/** Whether the target has fused multiply-add, and whether its compiler keeps the order of instructions. */
export const { fuses, keepsOrder } = backend.target;

/** Milliseconds of processor time of the fastest run. */
function measure(kernel: TaskKernel, sizes: readonly number[]): number {
  const elements = [...sizes, ...(kernel.scratch > 0 ? [kernel.scratch / 4] : [])];
  const blocks = elements.map((size) => backend.allocate(4 * size));
  const places = blocks.map(({ offset }) => offset);
  const run = backend.kernel(places.length, kernel).over(backend.heap.memory);
  blocks.forEach((block, i) => {
    block.array('float32', 0, elements[i]).fill(0.5);
  });
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + 1500;
  for (let runs = 0; runs < 5 || performance.now() < end; runs++) {
    const before = process.cpuUsage().user;
    run(...places, 0, kernel.tasks);
    best = Math.min(best, (process.cpuUsage().user - before) / 1000);
  }
  for (const block of blocks) block.free();
  return best;
}

/** GFLOP/s of a layer on one thread, by processor time, so that other programs on the machine do not count. */
export function kernelSpeeds(layer: string): Readonly<Record<string, number>> {
  const [images, inChannels, outChannels, size, kernel, stride, pad] = layer.split(',').map(Number);
  const output = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const axis = { input: size, output, kernel, stride, pad, dilation: 1 };
  const shape = { images, groups: 1, inChannels, outChannels };
  const seen = { ...shape, axes: [axis, axis] } as const;
  const [row, input] = [forwardAxis(axis), [size, size] as const];
  const sizes = {
    x: images * inChannels * size * size,
    weights: inChannels * (outChannels + 8) * kernel * kernel,
    y: images * outChannels * output * output,
  };
  const gradient = { ...shape, input, output: [output, output], kernel: [kernel, kernel], row, col: row } as const;
  const times = {
    forward: measure(gatherKernel(forwardGather(seen, { bias: false, summand: false }), 1), [
      sizes.x,
      sizes.weights,
      sizes.y,
    ]),
    'input gradient': measure(gatherKernel(backwardGather(seen), 1), [sizes.y, sizes.weights, sizes.x]),
    'weight gradient': measure(
      kernel === 1 && stride === 1
        ? productWeightsKernel(images * output * output, inChannels, outChannels)
        : weightGradientKernel(gradient),
      [sizes.x, sizes.y, sizes.weights],
    ),
  };
  if (kernel === 3 && stride === 1) {
    const kind = { ...shape, lanes: 4, blocked: false };
    const turned = { ...kind, inChannels: outChannels, outChannels: inChannels };
    const square = { input, output: [output, output] } as const;
    const back = { input: square.output, output: input } as const;
    const plain = { bias: false, summand: false };
    const padded = (channels: number) => Math.ceil(channels / 8) * 8;
    const winograd = {
      forward: winogradKernel({ ...kind, ...square, padding: [pad, pad] }, plain, 1),
      'input gradient': winogradKernel({ ...turned, ...back, padding: [2 - pad, 2 - pad] }, plain, 1),
    };
    const transformed = 36 * transformedPlace(padded(outChannels), padded(inChannels));
    const gradientShape = { ...kind, input, output: square.output, padding: [pad, pad] } as const;
    Object.assign(times, {
      'Winograd forward': measure(winograd.forward, [sizes.x, transformed, sizes.y]),
      'Winograd input gradient': measure(winograd['input gradient'], [sizes.y, transformed, sizes.x]),
      'Winograd weight gradient': measure(winogradGradient(gradientShape, 1), [sizes.x, sizes.y, transformed]),
    });
  }
  const flops = 2 * sizes.y * inChannels * kernel * kernel;
  return Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, flops / ms / 1e6]));
}
