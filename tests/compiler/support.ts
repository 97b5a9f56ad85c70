import type { Graph } from '../../src/compiler/graph.js';
import { noTraits, type Target } from '../../src/compiler/optimize.js';
import type { Assignment } from '../../src/graph/node.js';
import { capture, toGraph } from '../../src/runtime/capture.js';
import type { Tensor } from '../../src/tensor/tensor.js';

/** The graph that realizing the tensors would compile, before any pass. */
export function graphOf(tensors: readonly Tensor[], assigned: readonly Assignment[] = []): Graph {
  return toGraph(
    capture(
      tensors.map((t) => t.value),
      assigned,
    ),
  );
}

/** The ops of a graph in order, with what the compiler fused into them: `conv2d+relu`. */
export function opsOf(graph: Graph): string[] {
  return graph.nodes.map(({ op, params }) => {
    if ('activation' in params && params.activation !== undefined) return `${op}+${params.activation.fn}`;
    if ('relu' in params && params.relu) return `${op}+relu`;
    return op;
  });
}

/** An engine with kernels for fused ops, but none for batch norm with a sum. */
export const fused: Target = { traits: () => ({ ...noTraits, fuses: true }) };
