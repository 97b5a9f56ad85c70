import { availableParallelism } from 'node:os';
import type { Graph, GraphNode } from '../../compiler/graph.js';
import { validating } from '../../env.js';
import { InputError } from '../../errors.js';
import { numel } from '../../graph/shape.js';
import type { Engine, Program } from '../engine.js';
import { instructionSet, libraryVersion, setThreadCount } from './ffi.js';
import { lowerings } from './lower/table.js';
import { Lowering } from './lowering.js';
import { Arena, OneDnnProgram, type Runtime } from './program.js';

/** Below this much arithmetic (floating-point operations a run) starting a second thread costs more than it brings. */
const smallProgram = 60e6;

/** oneDNN's kernels, called through its C API. */
export class OneDnnEngine implements Engine, Runtime {
  readonly name = 'onednn';
  readonly fuses = true;
  readonly arena = new Arena();
  #threads: number;
  #inUse = 0;

  constructor() {
    this.#threads = Number(process.env.OMP_NUM_THREADS) || availableParallelism();
  }

  /** Most threads that a program may use; small programs use one. */
  get threads(): number {
    return this.#threads;
  }

  set threads(count: number) {
    if (!Number.isInteger(count) || count < 1) {
      throw new InputError(`[engine] threads: expected a positive integer, got ${count}`);
    }
    this.#threads = count;
  }

  describe(): string {
    return `oneDNN ${libraryVersion()}, ${instructionSet()}`;
  }

  compile(graph: Graph): Program {
    const threads = arithmetic(graph) < smallProgram ? 1 : this.#threads;
    // Kernels are generated for a number of threads.
    this.useThreads(threads);
    const lowered = Lowering.lower(scheduleUpdates(graph), lowerings, validating());
    return new OneDnnProgram(lowered, this, threads);
  }

  useThreads(count: number): void {
    if (count !== this.#inUse) setThreadCount(count);
    this.#inUse = count;
  }
}

/** Puts the nodes that overwrite sources last, after everybody who reads the old contents. */
function scheduleUpdates(graph: Graph): Graph {
  const late = new Set<GraphNode>();
  for (const { value, into } of graph.outputs) if (into >= 0 && value.producer !== null) late.add(value.producer);
  // Whoever depends on a late node is late as well.
  for (const node of graph.nodes) {
    if (node.inputs.some(({ producer }) => producer !== null && late.has(producer))) late.add(node);
  }
  const isLate = (node: GraphNode) => late.has(node);
  return { ...graph, nodes: [...graph.nodes.filter((node) => !isLate(node)), ...graph.nodes.filter(isLate)] };
}

/** Floating-point operations of the convolutions and linear layers, roughly all there are. */
function arithmetic(graph: Graph): number {
  let total = 0;
  for (const { op, inputs, outputs } of graph.nodes) {
    if (op === 'conv2d' || op === 'conv2dBackwardData') {
      const [out, dyOrX] = op === 'conv2d' ? [outputs[0], inputs[1]] : [inputs[0], inputs[1]];
      total += 2 * numel(out.shape) * (numel(dyOrX.shape) / dyOrX.shape[0]);
    } else if (op === 'conv2dBackwardWeights') {
      total += 2 * numel(inputs[1].shape) * (numel(outputs[0].shape) / outputs[0].shape[0]);
    } else if (op.startsWith('linear')) {
      const [n, width] = inputs[0].shape;
      const other = op === 'linearBackwardWeights' ? inputs[1].shape[1] : outputs[0].shape[1];
      total += 2 * n * width * other;
    }
  }
  return total;
}

let engine: OneDnnEngine | null = null;

/**
 * The engine on the system's oneDNN library.
 *
 * @throws {EngineError} if the library is missing or of another version; the message says how to install it
 */
export function openOneDnn(): OneDnnEngine {
  libraryVersion();
  engine ??= new OneDnnEngine();
  return engine;
}
