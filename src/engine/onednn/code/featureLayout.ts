import { bytesPerElement } from '../../../graph/dtype.js';
import type { MemoryDesc } from '../ffi.js';
import type { Address, Assembler, Masking } from './assembler.js';

/** Number of float32 in a vector register. */
export const lanes = 16;
export const vectorBytes = 4 * lanes;

export type FeatureType = 'float32' | 'bfloat16';

/**
 * Layout of features in memory, for a kernel that loops over pixels and, within them, over vectors of
 * channels.
 */
export interface FeatureLayout {
  readonly type: FeatureType;
  /** Number of planes of pixels. A pixel of a plane has all channels, or 16 of them. */
  readonly planes: number;
  readonly rows: number;
  readonly columns: number;
  /** Number of channels of a pixel that are side by side. */
  readonly channels: number;
}

export const bytesOf = ({ type }: FeatureLayout): number => bytesPerElement(type);

/** The layout of an array; `null` if the kernels here do not support it. */
export function featureLayoutOf(desc: MemoryDesc): FeatureLayout | null {
  const [batch, channels, rows, columns] = desc.shape;
  const type = desc.dtype;
  if (type !== 'float32' && type !== 'bfloat16') return null;
  const blocks = Math.ceil(channels / lanes);
  // A box inside a larger array has gaps.
  if (desc.size !== batch * blocks * lanes * rows * columns * bytesPerElement(type)) return null;
  const size = { type, rows, columns };
  if (desc.hasBlocks([{ axis: 1, size: lanes }])) return { ...size, planes: batch * blocks, channels: lanes };
  if (channels === blocks * lanes && desc.isChannelsLast()) return { ...size, planes: batch, channels };
  return null;
}

/** Number of vectors of a pixel's channels that the code processes together: the largest divisor up to 4. */
export function vectorsOf({ channels }: FeatureLayout): number {
  return [4, 3, 2].find((n) => (channels / lanes) % n === 0) ?? 1;
}

/** Loads 16 features of memory as float32. */
export function loadFeatures(
  to: Assembler,
  { type }: Pick<FeatureLayout, 'type'>,
  register: number,
  from: Address,
  masking?: Masking,
): void {
  if (type === 'float32') to.vload(register, from, 512, masking);
  else to.vwiden(register, from, masking);
}

/** Stores 16 float32 as features in memory, rounded if necessary. Overwrites the register. */
export function storeFeatures(
  to: Assembler,
  { type }: Pick<FeatureLayout, 'type'>,
  place: Address,
  register: number,
): void {
  if (type === 'float32') to.vstore(place, register);
  else to.vstoreRounded(place, register);
}
