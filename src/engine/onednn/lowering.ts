import type { Graph, GraphNode } from '../../compiler/graph.js';
import type { Activation, OpName, UnaryFn } from '../../graph/op.js';
import {
  Lowering as CommonLowering,
  type LoweringOptions as CommonOptions,
  type Lower as LowerWith,
  type LoweringTable as TableOf,
} from '../planned/lowering.js';
import type { Operand as OperandIn } from '../planned/steps.js';
import type { OneDnnBackend } from './backend.js';
import { CodeCall, type OneDnnCall, PrimitiveCall } from './calls.js';
import type { KernelCode } from './code/kernel.js';
import type { MemoryDesc, Primitive } from './ffi.js';
import type { ConvChoice, WinogradKernels } from './lower/winograd.js';

/** A buffer and the library's layout of it. */
export type Operand = OperandIn<MemoryDesc>;

/** Turns one node into steps. */
export type Lower<K extends OpName> = LowerWith<K, Lowering>;

export type LoweringTable = TableOf<Lowering>;

export interface LoweringOptions extends CommonOptions {
  readonly convolution: ConvChoice;
  readonly winograd: WinogradKernels;
}

/** Functions whose kernels in the library turn NaN into a number, since they use comparisons. */
export const numbersForNaN = new Set<UnaryFn>(['relu', 'relu6']);

/** Whether a kernel of this family turns NaN into a number when it applies a function to its results. */
function losesNaN(fn: UnaryFn, family: Primitive['family']): boolean {
  // General products apply functions to one number at a time. Their formula of the sigmoid has comparisons
  // too.
  return numbersForNaN.has(fn) || (fn === 'sigmoid' && family === 'generalProduct');
}

type ArgList = readonly (readonly [argument: number, operand: Operand])[];

/** The lowering to oneDNN's kernels and to machine code that Fovea generates. */
export class Lowering extends CommonLowering<MemoryDesc, OneDnnCall> {
  /** The kernels of convolutions. */
  readonly convolution: ConvChoice;
  /** The kernels of Winograd's that are used. */
  readonly winograd: WinogradKernels;

  constructor(graph: Graph, backend: OneDnnBackend, options: LoweringOptions) {
    super(graph, backend, options);
    this.convolution = options.convolution;
    this.winograd = options.winograd;
  }

  /** Records that this primitive, which applies the activation to its results, computes a node. */
  activates(node: GraphNode, activation: Activation | undefined, { family }: Primitive): void {
    if (activation !== undefined && losesNaN(activation.fn, family)) this.losesNaN(node);
  }

  /** Adds a call of one of the library's kernels. */
  call(name: string, primitive: Primitive, reads: ArgList, writes: ArgList): void {
    const all = [...reads, ...writes];
    const call = new PrimitiveCall(
      primitive,
      all.map(([argument]) => argument),
    );
    const operandsOf = (list: ArgList) => list.map(([, operand]) => operand);
    this.addCall(name, call, { reads: operandsOf(reads), writes: operandsOf(writes), operands: operandsOf(all) });
  }

  /**
   * Adds a call of machine code, with the operands in its order; it overwrites `writes` of them.
   *
   * @param isConstant whether it computes constants alone; by default as the node
   */
  code(
    name: string,
    kernel: KernelCode,
    operands: readonly Operand[],
    writes: readonly Operand[],
    isConstant?: boolean,
  ): void {
    const reads = operands.filter((operand) => !writes.includes(operand));
    this.addCall(name, new CodeCall(kernel, this.threads), { reads, writes, operands }, isConstant);
  }
}
