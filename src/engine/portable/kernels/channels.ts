import type { Assembler, Integer } from '../../kernels/assembler.js';
import { float } from '../../kernels/tile.js';

/** Vectors of channels that a task takes: a cache line of each pixel in WebAssembly. */
const groupVectors = 4;

/** A vector of channels: its place, and how many channels it has. */
export interface ChannelVector {
  readonly bytes: number;
  readonly lanes: number;
}

/** Bytes between groups of channels. */
export const groupBytes = ({ lanes }: Pick<Assembler, 'lanes'>): number => groupVectors * lanes * float;

/** Number of groups of channels, for a target of 4 lanes. */
export const groupsOf = (channels: number, lanes = 4): number => Math.ceil(channels / (groupVectors * lanes));

function vectorsOf(to: Assembler, channels: number): ChannelVector[] {
  return Array.from({ length: Math.ceil(channels / to.lanes) }, (_, v) => ({
    bytes: v * to.lanes * float,
    lanes: Math.min(to.lanes, channels - v * to.lanes),
  }));
}

/** Code for one group of channels, of which the last may have fewer. */
export function ofGroup(
  to: Assembler,
  channels: number,
  group: Integer,
  body: (vectors: readonly ChannelVector[]) => void,
): void {
  const size = groupVectors * to.lanes;
  const [whole, rest] = [Math.floor(channels / size), channels % size];
  if (rest === 0) body(vectorsOf(to, size));
  else if (whole === 0) body(vectorsOf(to, rest));
  else
    to.ifLess(
      group,
      whole,
      () => body(vectorsOf(to, size)),
      () => body(vectorsOf(to, rest)),
    );
}

/** A loop over all groups of channels of a pixel. `next` moves the pointers to the next group. */
export function overGroups(
  to: Assembler,
  channels: number,
  body: (vectors: readonly ChannelVector[]) => void,
  next: (bytes: number) => void,
): void {
  const size = groupVectors * to.lanes;
  to.repeat(Math.floor(channels / size), () => {
    body(vectorsOf(to, size));
    next(size * float);
  });
  if (channels % size > 0) to.scope(() => body(vectorsOf(to, channels % size)));
}
