import type { Graph, GraphNode, GraphValue } from '../../compiler/graph.js';
import type { OpParams } from '../../graph/op.js';
import { unaryFunctions } from '../../graph/unaryFunctions.js';
import { multiplyAdds } from './cost.js';

/**
 * Values that may be infinite or NaN although all sources are finite: results of a division, a logarithm and
 * the like, and everything computed from them. Products end the search: the gradients of their weights become
 * NaN as well, which the next step notices.
 */
export function mayBeNonFinite({ nodes }: Graph): ReadonlySet<GraphValue> {
  const values = new Set<GraphValue>();
  for (const node of nodes) {
    if (!makesNonFinite(node) && !node.inputs.some((input) => values.has(input))) continue;
    if (multiplyAdds(node) === null) for (const output of node.outputs) values.add(output);
  }
  return values;
}

function makesNonFinite({ op, params }: GraphNode): boolean {
  switch (op) {
    case 'unary':
      return unaryFunctions[(params as OpParams['unary']).fn].makesNonFinite;
    case 'binary':
      return (params as OpParams['binary']).fn === 'div';
    case 'constant':
      return !Number.isFinite((params as OpParams['constant']).value);
    case 'affine': {
      const { scale, shift } = params as OpParams['affine'];
      return !Number.isFinite(scale) || !Number.isFinite(shift);
    }
    default:
      return false;
  }
}

/** Indices of the sources that one of the nodes is computed from. */
export function sourcesBehind({ nodes: all, sources }: Graph, nodes: ReadonlySet<GraphNode>): number[] {
  const reached = new Set<GraphValue>();
  for (const node of [...all].reverse()) {
    if (!nodes.has(node) && !node.outputs.some((output) => reached.has(output))) continue;
    for (const input of node.inputs) reached.add(input);
  }
  return sources.flatMap(({ value }, i) => (value.dtype === 'float32' && reached.has(value) ? [i] : []));
}
