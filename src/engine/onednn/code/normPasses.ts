import type { Gate } from '../../../graph/op.js';
import type { Assembler } from './assembler.js';
import { type ChannelPasses, type PassRegisters, type Stream, streamRegisters } from './channelPasses.js';
import type { FeatureLayout } from './featureLayout.js';
import { GateCode, type GateRegisters, gateRegisters } from './gate.js';
import { at, type Gpr } from './generalAssembler.js';

const [, second] = streamRegisters;

/** The register for a gate's constants, which no pass uses otherwise. */
const gatePointer = streamRegisters[7];

/** The code of the norm's gate, with registers of a pass; `null` without one. */
export function gateOf(norm: Norm, to: Assembler, take: PassRegisters, mask: number): GateOfPass | null {
  const { gate } = norm.spec;
  if (gate === undefined) return null;
  return { code: new GateCode(gate, to, gatePointer), registers: { free: take.vectors(gateRegisters), mask } };
}

export interface GateOfPass {
  readonly code: GateCode;
  readonly registers: GateRegisters;
}

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
  /** A function of the result; not with relu or a summand. */
  readonly gate?: Gate | undefined;
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

/**
 * Where the shifts are. Behind those of the parameter may be any numbers: if channels are padded, the forward
 * pass puts zeros there, behind the factors.
 */
export function shiftsOf(
  { spec, passes }: Norm,
  into: readonly number[],
  register: Gpr,
  operands: { readonly factor: number; readonly shift: number },
): ChannelNumbers {
  if (!spec.padded) return { into, from: passes.perChannel(register, operands.shift) };
  return { into, from: passes.perChannel(register, operands.factor), offset: passes.channelBytes };
}

/** √(variance + ε), in place. Overwrites another register. */
export function takeDeviation(norm: Norm, to: Assembler, variance: number, lost: number): void {
  to.vconstant(lost, norm.spec.epsilon, second);
  to.v('add', variance, variance, lost);
  to.vsqrt(variance, variance);
}
