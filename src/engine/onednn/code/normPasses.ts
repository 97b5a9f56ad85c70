import type { Assembler } from './assembler.js';
import { type ChannelPasses, type Stream, streamRegisters } from './channelPasses.js';
import type { FeatureLayout } from './featureLayout.js';
import { at } from './generalAssembler.js';

const [, second] = streamRegisters;

/** The code depends on these values only. */
export interface NormSpec {
  readonly layout: FeatureLayout;
  /** Number of channels in memory: whole vectors. */
  readonly channels: number;
  /** Whether the last vector has places without a channel. They stay 0. */
  readonly padded: boolean;
  readonly epsilon: number;
  readonly relu: boolean;
  /** Whether a summand is added before relu. */
  readonly sum: boolean;
}

/** A batch norm for which code is written. */
export interface Norm {
  readonly spec: NormSpec;
  readonly passes: ChannelPasses;
}

/** Numbers of the current channels, and the registers that they are loaded into. */
export interface ChannelNumbers {
  readonly into: readonly number[];
  readonly from: Stream;
  /** Bytes from the stream's place. */
  readonly offset?: number;
}

export function loadChannels(to: Assembler, perChannel: readonly ChannelNumbers[]): void {
  for (const { into, from, offset = 0 } of perChannel) {
    into.forEach((register, v) => {
      to.vload(register, at(from.at, offset + v * to.vectorBytes));
    });
  }
}

/** √(variance + ε), in place. Overwrites another register. */
export function takeDeviation(norm: Norm, to: Assembler, variance: number, lost: number): void {
  to.vconstant(lost, norm.spec.epsilon, second);
  to.v('add', variance, variance, lost);
  to.vsqrt(variance, variance);
}
