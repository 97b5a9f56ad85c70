import { RandomGenerator } from '../../../random.js';
import type { Kernel } from '../kernel.js';

export const dropoutMask: Kernel<'dropoutMask'> = ({ p, upscale }, inputs, outputs) => {
  const seed = inputs[0].data;
  const mask = outputs[0].data;
  const generator = new RandomGenerator(seed[0] >>> 0, seed[1] >>> 0);
  const threshold = p * 2 ** 32;
  const kept = upscale ? 1 / (1 - p) : 1;
  // A product, for the processor cannot foresee a branch on random bits.
  for (let i = 0; i < mask.length; i++) mask[i] = kept * Number(generator.nextUint32() >= threshold);
};
