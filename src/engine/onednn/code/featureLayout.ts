import { bytesPerElement } from '../../../graph/dtype.js';
import type { MemoryDesc } from '../ffi.js';
import type { Assembler, Lanes } from './assembler.js';
import type { Address } from './generalAssembler.js';

export type FeatureType = 'float32' | 'bfloat16';

/**
 * Layout of features in memory, for a kernel that loops over pixels and, within them, over vectors of
 * channels.
 */
export interface FeatureLayout {
  readonly type: FeatureType;
  /** Number of channels in a vector of the code. */
  readonly lanes: Lanes;
  /** Number of planes of pixels. A pixel of a plane has all channels, or one vector of them. */
  readonly planes: number;
  readonly rows: number;
  readonly columns: number;
  /** Number of channels of a pixel that are side by side. */
  readonly channels: number;
}

export const bytesOf = ({ type }: FeatureLayout): number => bytesPerElement(type);

/**
 * The layout of an array for code with vectors of that width; `null` if the kernels here do not support
 * it.
 */
export function featureLayoutOf(desc: MemoryDesc, lanes: Lanes): FeatureLayout | null {
  const [batch, channels, rows, columns] = desc.shape;
  const type = desc.dtype;
  if (type !== 'float32' && type !== 'bfloat16') return null;
  const blocks = Math.ceil(channels / lanes);
  // A box inside a larger array has gaps.
  if (desc.size !== batch * blocks * lanes * rows * columns * bytesPerElement(type)) return null;
  const size = { type, lanes, rows, columns };
  if (desc.hasBlocks([{ axis: 1, size: lanes }])) return { ...size, planes: batch * blocks, channels: lanes };
  if (channels === blocks * lanes && desc.isChannelsLast()) return { ...size, planes: batch, channels };
  return null;
}

/** Vectors of float32 that every processor with code has. */
export const fewestLanes = 8;

/**
 * The same for the widest vectors that suit the layout: convolutions with few channels in a group have blocks
 * of 8 on processors with wider vectors, too.
 */
export function featureLayoutFor(desc: MemoryDesc, widest: Lanes | null): FeatureLayout | null {
  if (widest === null) return null;
  const layout = featureLayoutOf(desc, widest);
  return layout === null && desc.dtype === 'float32' ? featureLayoutOf(desc, fewestLanes) : layout;
}

/**
 * Number of vectors of a pixel's channels that the code processes together, as far as there are registers.
 */
export function vectorsOf({ lanes, channels }: FeatureLayout): number {
  const counts = lanes === 16 ? [4, 3, 2] : [2];
  return counts.find((n) => (channels / lanes) % n === 0) ?? 1;
}

/** Bytes of a vector of features. */
export const vectorBytesOf = (layout: FeatureLayout): number => layout.lanes * bytesOf(layout);

/** Loads a vector of features of memory as float32; with a mask only where it has a 1, and 0 elsewhere. */
export function loadFeatures(
  to: Assembler,
  { type }: Pick<FeatureLayout, 'type'>,
  register: number,
  from: Address,
  mask?: number,
): void {
  if (type === 'bfloat16') to.vwiden(register, from, mask);
  else if (mask === undefined) to.vload(register, from);
  else to.vloadWhere(mask, register, from);
}

/** Stores a vector of float32 as features in memory, rounded if necessary. Overwrites the register. */
export function storeFeatures(
  to: Assembler,
  { type }: Pick<FeatureLayout, 'type'>,
  place: Address,
  register: number,
): void {
  if (type === 'float32') to.vstore(place, register);
  else to.vstoreRounded(place, register);
}
