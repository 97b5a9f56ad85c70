import type { Graph, GraphNode } from '../../compiler/graph.js';
import type { OpName } from '../../graph/op.js';
import type { TaskKernel } from '../kernels/taskKernel.js';
import {
  Lowering as CommonLowering,
  type LoweringOptions,
  type Lower as LowerWith,
  type LoweringTable as TableOf,
} from '../planned/lowering.js';
import type { Operand as OperandIn } from '../planned/steps.js';
import type { KernelCall, PortableBackend } from './backend.js';
import type { Kernel } from './kernel.js';
import type { Layout } from './layout.js';

/** A buffer and its layout. */
export type Operand = OperandIn<Layout>;

/** Turns one node into steps. */
export type Lower<K extends OpName> = LowerWith<K, Lowering>;

export type LoweringTable = TableOf<Lowering>;

/** The lowering to kernels in WebAssembly. */
export class Lowering extends CommonLowering<Layout, KernelCall> {
  readonly #backend: PortableBackend;
  /** Nodes of equal shapes share their code. */
  readonly #kernels = new Map<TaskKernel, Kernel>();

  constructor(
    graph: Graph,
    backend: PortableBackend,
    options: LoweringOptions,
    /** Whether convolutions may be computed by Winograd's algorithm. */
    readonly usesWinograd: boolean,
  ) {
    super(graph, backend, options);
    this.#backend = backend;
  }

  /** Channels in a panel of weights. */
  readonly panel = 8;

  /**
   * Adds a call of a kernel, which takes what it reads and then what it writes. Kernels of {@link generate}
   * are translated once.
   *
   * @param kind the name of the kernel, for people
   * @param isConstant whether it computes constants alone; by default as the node
   */
  run(
    name: string,
    shape: TaskKernel,
    reads: readonly Operand[],
    writes: readonly Operand[],
    kind = name,
    isConstant?: boolean,
  ): void {
    const operands = [...reads, ...writes];
    let kernel = this.#kernels.get(shape);
    if (kernel === undefined) {
      kernel = this.#backend.kernel(operands.length + (shape.scratch > 0 ? 1 : 0), shape);
      this.#kernels.set(shape, kernel);
    }
    this.addCall(name, this.#backend.call(kind, kernel), { reads, writes, operands }, isConstant);
  }
}

/** `conv2d+relu` */
export function nameOf({ op, params }: GraphNode): string {
  if ('activation' in params && params.activation !== undefined) return `${op}+${params.activation.fn}`;
  return 'relu' in params && params.relu ? `${op}+relu` : op;
}
