import { places } from '../../src/engine/kernels/winograd.js';
import { transformedPlace } from '../../src/engine/kernels/winogradConv.js';
import type { Lanes } from '../../src/engine/onednn/code/assembler.js';
import type { KernelCode } from '../../src/engine/onednn/code/kernel.js';
import { MachineCode } from '../../src/engine/onednn/code/machineCode.js';
import {
  blockedShape,
  convolutionCode,
  gradientCode,
  gradientPitch,
  resultsCode,
  weightsCode,
} from '../../src/engine/onednn/code/winograd.js';
import { NativeMemory } from '../../src/engine/onednn/ffi.js';
import type { ConvDirection } from '../../src/engine/onednn/lower/winograd.js';
import { numel } from '../../src/graph/shape.js';
import type { KernelLayer } from './layerKernels.js';

export interface CodeTime {
  /** Least milliseconds of the convolution. */
  readonly ms: number;
  /** Least milliseconds of the transforms of weights, or of their gradients. */
  readonly weightsMs: number;
}

/** Measures our own kernels of Winograd's for a layer; `null` where they do not take it. */
export function measureCode(
  { x, y, weight, params, bias }: KernelLayer,
  direction: ConvDirection,
  { lanes, threads, seconds }: { readonly lanes: Lanes; readonly threads: number; readonly seconds: number },
): CodeTime | null {
  const [out, channels, height, width] = weight;
  if (params === null || height !== 3 || width !== 3 || out % lanes > 0 || channels % lanes > 0) return null;
  const [top, , left] = params.padding;
  const plain = numel(weight);
  const [features, results] = [numel(x), numel(y)];
  const time = (kernel: KernelCode, sizes: readonly number[]) => measure(kernel, sizes, threads, seconds);
  if (direction === 'backwardWeights') {
    const transformed = places * transformedPlace(gradientPitch(lanes, out), channels);
    return {
      ms: time(gradientCode(blockedShape(lanes, x, y, [top, left]), threads), [features, results, transformed]),
      weightsMs: time(resultsCode({ lanes, inChannels: channels, outChannels: out }, threads), [plain, transformed]),
    };
  }
  const forward = direction === 'forward';
  const [inChannels, outChannels] = forward ? [channels, out] : [out, channels];
  const transformed = places * transformedPlace(outChannels, inChannels);
  const shape = forward ? blockedShape(lanes, x, y, [top, left]) : blockedShape(lanes, y, x, [2 - top, 2 - left]);
  const hasBias = forward && bias;
  const main = convolutionCode(shape, { bias: hasBias, summand: false }, false, threads);
  const sizes = [forward ? features : results, transformed, ...(hasBias ? [out] : []), forward ? results : features];
  return {
    ms: time(main, sizes),
    weightsMs: time(weightsCode({ lanes, inChannels, outChannels, turned: !forward }, threads), [plain, transformed]),
  };
}

/** The least milliseconds of a kernel over arrays of these sizes and its working memory. */
function measure(kernel: KernelCode, sizes: readonly number[], threads: number, seconds: number): number {
  const code = new MachineCode(kernel);
  const bytes = [...sizes.map((size) => size * Float32Array.BYTES_PER_ELEMENT), kernel.workingBytes * threads];
  const memories = bytes.map((size) => new NativeMemory(Math.max(64, size)));
  memories.forEach((memory, i) => {
    new Float32Array(memory.view(0, memory.bytes)).fill(1.01);
    code.point(i, memory, 0);
  });
  let ms = Number.POSITIVE_INFINITY;
  const end = performance.now() + 1000 * seconds;
  for (let i = 0; i < 3 || performance.now() < end; i++) {
    const start = performance.now();
    code.run(threads);
    ms = Math.min(ms, performance.now() - start);
  }
  code.destroy();
  for (const memory of memories) memory.free();
  return ms;
}
