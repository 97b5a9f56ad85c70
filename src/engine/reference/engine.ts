import type { Graph, GraphNode, GraphValue } from '../../compiler/graph.js';
import { noTraits, type Traits } from '../../compiler/optimize.js';
import type { Precision } from '../../compiler/precision.js';
import { printGraph } from '../../compiler/print.js';
import { requireFinite } from '../../errors.js';
import { bytesPerElement, type DType } from '../../graph/dtype.js';
import type { OpName } from '../../graph/op.js';
import { numel } from '../../graph/shape.js';
import { Storage } from '../../graph/storage.js';
import type { CompileOptions, Engine, Program, Support, Watch } from '../engine.js';
import type { ProgramMemory } from '../memory.js';
import { arrayFor, type NDArray } from '../ndarray.js';
import type { Kernel } from './kernel.js';
import { kernels } from './kernels.js';

/** Plain loops over plain arrays: the oracle of the tests, and the fallback where oneDNN is not installed. */
export class ReferenceEngine implements Engine {
  readonly name = 'reference';
  readonly settings = { threads: 1, precision: 'float32', convolution: 'auto' } as const;
  readonly settingsKey = '';
  readonly threadsUsed = 1;
  readonly heldBytes = 0;

  describe(): string {
    return 'reference (plain TypeScript loops)';
  }

  /** It has no choice in any setting. */
  configure(): void {}

  supports(precision: Precision): Support {
    if (precision === 'float32') return { possible: true };
    return { possible: false, reason: 'the reference engine has no kernels for it' };
  }

  traits(): Traits {
    return noTraits;
  }

  compile(graph: Graph, { watch = null }: CompileOptions = {}): Program {
    return new ReferenceProgram(graph, watch);
  }
}

/** Computes one node of a graph. */
export function runKernel(node: GraphNode, inputs: readonly NDArray[], outputs: readonly NDArray[]): void {
  (kernels[node.op] as Kernel<OpName>)(node.params, inputs, outputs);
}

class ReferenceProgram implements Program {
  readonly keptBytes = 0;
  readonly arenaBytes = 0;
  readonly finiteSources = [];

  constructor(
    readonly graph: Graph,
    readonly watch: Watch | null,
  ) {}

  get memory(): ProgramMemory {
    const { sources, nodes } = this.graph;
    const sizeOf = ({ shape, dtype }: GraphValue) =>
      numel(shape) * bytesPerElement(dtype === 'opaque' ? 'int32' : dtype);
    const total = (values: readonly GraphValue[]) => values.reduce((sum, value) => sum + sizeOf(value), 0);
    const kept = sources.filter(({ persistent }) => persistent);
    return { working: total(nodes.flatMap(({ outputs }) => outputs)), resident: total(kept.map(({ value }) => value)) };
  }

  run(sources: readonly Storage[]): Storage[] {
    const { graph } = this;
    const arrays = new Map<GraphValue, NDArray>();
    const arrayOf = (value: GraphValue) => arrays.get(value) as NDArray;
    graph.sources.forEach(({ value }, i) => {
      arrays.set(value, { shape: value.shape, dtype: value.dtype, data: sources[i].evict() });
    });
    for (const node of graph.nodes) {
      const outputs = node.outputs.map(arrayFor);
      runKernel(node, node.inputs.map(arrayOf), outputs);
      node.outputs.forEach((output, i) => {
        arrays.set(output, outputs[i]);
        if (output.dtype === 'float32') this.watch?.(node, outputs[i].data);
      });
    }
    for (const { value, finite } of graph.outputs) if (finite) requireFinite(arrayOf(value).data[0]);
    // Nothing is overwritten before everything has been read: one source's new value may be another's old
    // one.
    const results = graph.outputs.map(({ value }) => {
      const { data } = arrayOf(value);
      return value.producer === null ? data.slice() : data;
    });
    const storages: Storage[] = [];
    graph.outputs.forEach(({ value, into }, i) => {
      if (into >= 0) sources[into].evict().set(results[i]);
      else storages.push(new Storage(value.shape, value.dtype as DType, results[i]));
    });
    return storages;
  }

  toString(): string {
    return printGraph(this.graph);
  }

  summary(): string {
    return `${this.graph.nodes.length} steps`;
  }

  dispose(): void {}
}
