import type { Graph, GraphNode, GraphValue } from '../../compiler/graph.js';
import type { OpParams, UnaryFn } from '../../graph/op.js';
import type { KernelFamily } from './ffi/kernelFamily.js';
import { multiplyAdds } from './work.js';

/** Functions whose kernels in the library give a number for NaN: they are made of comparisons. */
export const numbersForNaN = new Set<UnaryFn>(['relu', 'relu6']);

/** Whether a kernel of such a family gives a number for NaN where it applies a function to its results. */
export function losesNaN(fn: UnaryFn, family: KernelFamily): boolean {
  // General products apply functions one number at a time, by formulas with comparisons for the sigmoid too.
  return numbersForNaN.has(fn) || (fn === 'sigmoid' && family === 'generalProduct');
}

/**
 * Values that may be infinite or no number though all sources are finite: what comes from a division, a logarithm and the like.
 * Behind products nothing counts any more: their weights' gradients get what their features had, and the next step tells.
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
      return ['exp', 'log', 'sqrt'].includes((params as OpParams['unary']).fn);
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
export function sourcesOf({ nodes: all, sources }: Graph, nodes: ReadonlySet<GraphNode>): number[] {
  const reached = new Set<GraphValue>();
  for (const node of [...all].reverse()) {
    if (!nodes.has(node) && !node.outputs.some((output) => reached.has(output))) continue;
    for (const input of node.inputs) reached.add(input);
  }
  return sources.flatMap(({ value }, i) => (value.dtype === 'float32' && reached.has(value) ? [i] : []));
}
