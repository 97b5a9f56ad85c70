import type { Graph, GraphNode } from '../../compiler/graph.js';
import type { MatmulParams } from '../../graph/op.js';
import { numel } from '../../graph/shape.js';

/** An element that is read, changed a little and written takes about as long as this many multiply-adds. */
const perElement = 12;

/** A kernel below this many multiply-adds is done before a second thread has got going. */
const smallKernel = 400_000;

/**
 * Multiply-adds of a convolution or linear layer, in any direction, by the plain algorithm; `null` for other
 * nodes.
 */
export function multiplyAdds({ op, params, inputs, outputs }: GraphNode): number | null {
  switch (op) {
    case 'conv2d':
    case 'conv2dBackwardData': {
      const [result, weight] = [op === 'conv2d' ? outputs[0] : inputs[0], inputs[1]];
      return numel(result.shape) * (numel(weight.shape) / weight.shape[0]);
    }
    case 'conv2dBackwardWeights': {
      const [weight] = outputs;
      return numel(inputs[1].shape) * (numel(weight.shape) / weight.shape[0]);
    }
    case 'matmul':
      return numel(outputs[0].shape) * inputs[0].shape[(params as MatmulParams).transposeA ? 1 : 2];
    case 'linear':
      return numel(inputs[0].shape) * outputs[0].shape[1];
    case 'linearBackwardData':
      return numel(inputs[0].shape) * outputs[0].shape[1];
    case 'linearBackwardWeights':
      return numel(inputs[0].shape) * inputs[1].shape[1];
    default:
      return null;
  }
}

/** The work of a node, roughly, in multiply-adds of a good matrix kernel. */
export function workOf(node: GraphNode): number {
  const sizes = [...node.inputs, ...node.outputs].map(({ shape }) => numel(shape));
  return multiplyAdds(node) ?? perElement * Math.max(0, ...sizes);
}

/** The number of threads, of those available, for a kernel that moves so many elements. */
export function threadsForElements(elements: number, available: number): number {
  return perElement * elements < smallKernel ? 1 : available;
}

/**
 * A program below this many multiply-adds (less than a millisecond) runs on one thread. A second thread
 * gains a fifth on an idle machine, and costs a factor of twenty as soon as another process takes the core:
 * kernels of microseconds wait for it at every turn.
 */
const smallProgram = 30e6;

/** The work of a graph, roughly, in multiply-adds of a good matrix kernel. */
export function workOfGraph({ nodes }: Graph): number {
  return nodes.reduce((sum, node) => sum + workOf(node), 0);
}

/** The number of threads of an engine. */
export class ThreadCount {
  #count: number;
  /** Whether the user set it. */
  #chosen: boolean;
  /** Equal for numbers with which equal programs are made. */
  key = '';

  /** @param chosen whether the user set the number */
  constructor(count: number, chosen: boolean) {
    this.#count = count;
    this.#chosen = chosen;
    this.#setKey();
  }

  get count(): number {
    return this.#count;
  }

  /** Sets the number that the user wants. */
  choose(count: number): void {
    this.#count = count;
    this.#chosen = true;
    this.#setKey();
  }

  #setKey(): void {
    this.key = `${this.#count} ${this.#chosen}`;
  }

  /** Most threads for the kernels of a graph: one if it is small, unless the user set the number. */
  for(graph: Graph): number {
    return !this.#chosen && workOfGraph(graph) < smallProgram ? 1 : this.#count;
  }
}

/** The number of threads, of those available, for the kernels of a node. */
export function threadsFor(node: GraphNode, available: number): number {
  return workOf(node) < smallKernel ? 1 : available;
}
