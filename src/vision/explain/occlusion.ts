import { InputError, ShapeError } from '../../errors.js';
import { formatShape } from '../../graph/shape.js';
import type { Layer } from '../../nn/layer.js';
import { noGrad } from '../../tensor/noGrad.js';
import { Tensor } from '../../tensor/tensor.js';
import type { AttributionMaps } from './maps.js';
import { type ExplainedClass, scoreOf } from './score.js';

export interface OcclusionOptions extends ExplainedClass {
  /** Edge of the square patch, in pixels of the input. */
  readonly patch: number;
  /** Distance of two patches, in pixels. Default: half of the patch, at least 1. */
  readonly stride?: number | undefined;
  /** Value of the covered pixels. Default 0. */
  readonly baseline?: number | undefined;
  /** Covered images that go through the network together (32). */
  readonly batchSize?: number | undefined;
}

/**
 * Occlusion (Zeiler and Fergus 2014): how far the score falls where a patch covers the image, in all
 * channels. Each place gets the mean of the patches that cover it. It needs no gradients, and so works for
 * every network.
 *
 * @param network in evaluation mode
 * @param images `[N, C, H, W]`, as the network takes them
 * @returns maps of the size of the images; positive where the image speaks for the class
 */
export async function occlusion(network: Layer, images: Tensor, options: OcclusionOptions): Promise<AttributionMaps> {
  const { patch, stride = Math.max(1, Math.floor(patch / 2)), baseline = 0, batchSize = 32 } = options;
  for (const [name, value] of Object.entries({ patch, stride, batchSize })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new InputError(`[explain] ${name}: expected a positive integer, got ${value}`);
  }
  if (images.shape.length !== 4) {
    throw new ShapeError(`[explain] images: expected [N, C, H, W], got ${formatShape(images.shape)}`);
  }
  const [count, channels, height, width] = images.shape;
  if (stride > patch) {
    throw new InputError(
      `[explain] stride: expected at most the patch, ${patch}, got ${stride}; places would be left out`,
    );
  }
  const pixels = await images.data('float32');
  const size = channels * height * width;
  const values = new Float32Array(count * height * width);
  const [rows, columns] = [windows(height, patch, stride), windows(width, patch, stride)];
  const patches = rows.flatMap((row) => columns.map((column) => ({ row, column })));
  for (let n = 0; n < count; n++) {
    const image = pixels.subarray(n * size, (n + 1) * size);
    const [whole] = await scores(network, image, [1, channels, height, width], options);
    const map = values.subarray(n * height * width, (n + 1) * height * width);
    const covers = new Uint32Array(height * width);
    for (let begin = 0; begin < patches.length; begin += batchSize) {
      const some = patches.slice(begin, begin + batchSize);
      const covered = new Float32Array(some.length * size);
      some.forEach(({ row, column }, i) => {
        covered.set(image, i * size);
        for (let c = 0; c < channels; c++) {
          for (let y = row.from; y < row.to; y++) {
            const line = i * size + (c * height + y) * width;
            covered.fill(baseline, line + column.from, line + column.to);
          }
        }
      });
      const results = await scores(network, covered, [some.length, channels, height, width], options);
      some.forEach(({ row, column }, i) => {
        for (let y = row.from; y < row.to; y++) {
          for (let x = column.from; x < column.to; x++) {
            map[y * width + x] += whole - results[i];
            covers[y * width + x]++;
          }
        }
      });
    }
    for (let i = 0; i < map.length; i++) map[i] /= covers[i];
  }
  return { values, shape: [count, height, width] };
}

/** The windows along an axis, the last one cut off at the end. */
function windows(size: number, patch: number, stride: number): { readonly from: number; readonly to: number }[] {
  const count = Math.max(0, Math.ceil((size - patch) / stride)) + 1;
  return Array.from({ length: count }, (_, i) => ({ from: i * stride, to: Math.min(i * stride + patch, size) }));
}

async function scores(network: Layer, pixels: Float32Array, shape: readonly number[], explained: ExplainedClass) {
  return noGrad(() => scoreOf(network.forward(Tensor.fromData(pixels, shape)), explained)).data('float32');
}
