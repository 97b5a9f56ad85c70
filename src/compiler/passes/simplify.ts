import { equalData } from '../../graph/equal.js';
import type { OpParams } from '../../graph/op.js';
import { sameShape } from '../../graph/shape.js';
import {
  bypass,
  type Graph,
  GraphNode,
  type GraphValue,
  isOp,
  keep,
  type Replacement,
  replaceBy,
  rewrite,
} from '../graph.js';

/**
 * Folds constants, joins reshapes and the gradients of slices, drops nodes without an effect (the identity,
 * reductions over axes of size 1), shares equal nodes, removes dead ones.
 */
export function simplify(graph: Graph): Graph {
  const seen = new Map<string, GraphNode[]>();
  return rewrite(graph, (node, inputs) => {
    const simpler = simplifyNode(node, inputs);
    return simpler.nodes.length === 0 ? simpler : share(simpler.nodes[0], seen);
  });
}

function simplifyNode(node: GraphNode, inputs: readonly GraphValue[]): Replacement {
  const [x] = inputs;
  const [y] = node.outputs;
  const folded = foldConstant(node, inputs);
  if (folded !== null) return replaceBy(new GraphNode('constant', folded, [], [y]));
  switch (node.op) {
    case 'reshape':
    case 'broadcastTo':
      if (sameShape(x.shape, y.shape)) return bypass(x);
      if (node.op === 'reshape' && x.producer?.op === 'reshape') {
        const [origin] = x.producer.inputs;
        if (sameShape(origin.shape, y.shape)) return bypass(origin);
        return replaceBy(new GraphNode('reshape', { shape: y.shape }, [origin], [y]));
      }
      break;
    case 'reduce': {
      const { axes } = node.params as OpParams['reduce'];
      if (axes.some((axis) => x.shape[axis] > 1)) break;
      if (sameShape(x.shape, y.shape)) return bypass(x);
      return replaceBy(new GraphNode('reshape', { shape: y.shape }, [x], [y]));
    }
    case 'affine': {
      const { scale, shift } = node.params as OpParams['affine'];
      if (scale === 1 && shift === 0) return bypass(x);
      break;
    }
    case 'binary': {
      const { fn, activation } = node.params as OpParams['binary'];
      const parts = fn === 'add' && activation === undefined ? partsOf(inputs[0], inputs[1]) : null;
      if (parts !== null) return replaceBy(new GraphNode('concat', { axis: parts.axis }, parts.inputs, [y]));
      break;
    }
    default:
  }
  return keep(node, inputs);
}

interface Parts {
  readonly axis: number;
  readonly inputs: readonly GraphValue[];
}

/**
 * The parts whose sum is one after the other, as the gradients of slices that share nothing; `null` for other
 * summands.
 */
function partsOf(...summands: readonly GraphValue[]): Parts | null {
  const padded: Padded[] = [];
  if (!summands.every((value) => collectPadded(value, padded))) return null;
  const [{ axis }] = padded;
  padded.sort((a, b) => a.before - b.before);
  let end = 0;
  for (const part of padded) {
    if (part.axis !== axis || part.before !== end) return null;
    end += part.input.shape[axis];
  }
  return padded[padded.length - 1].after === 0 ? { axis, inputs: padded.map(({ input }) => input) } : null;
}

/** Collects the padded parts of a sum of sums. @returns whether it has no other summands */
function collectPadded(value: GraphValue, into: Padded[]): boolean {
  const { producer } = value;
  const isSum = isOp(producer, 'binary') && producer.params.fn === 'add' && producer.params.activation === undefined;
  if (isSum) return producer.inputs.every((input) => collectPadded(input, into));
  const part = paddedAxis(value);
  if (part !== null) into.push(part);
  return part !== null;
}

interface Padded {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
  readonly input: GraphValue;
}

/** The axis along which a value is zeros but for a part; `null` if there is none. */
function paddedAxis({ producer }: GraphValue): Padded | null {
  if (producer?.op !== 'pad') return null;
  const { before, after, value } = producer.params as OpParams['pad'];
  const axes = before.flatMap((n, axis) => (n + after[axis] > 0 ? [axis] : []));
  const [axis] = axes;
  return value === 0 && axes.length === 1
    ? { axis, before: before[axis], after: after[axis], input: producer.inputs[0] }
    : null;
}

/**
 * The constant that a node computes from a constant; `null` if it does not, or if folding needs more than one
 * operation.
 */
function foldConstant(node: GraphNode, inputs: readonly GraphValue[]): OpParams['constant'] | null {
  const producer = inputs.length === 1 ? inputs[0].producer : null;
  if (producer === null || producer.op !== 'constant') return null;
  const { value } = producer.params as OpParams['constant'];
  const { shape, dtype } = node.outputs[0];
  if (dtype === 'opaque' || dtype === 'bfloat16') return null;
  switch (node.op) {
    case 'reshape':
    case 'broadcastTo':
    case 'transpose':
      return { shape, dtype, value };
    case 'affine': {
      const { scale, shift } = node.params as OpParams['affine'];
      return { shape, dtype, value: Math.fround(scale * value + shift) };
    }
    default:
      return null;
  }
}

function share(node: GraphNode, seen: Map<string, GraphNode[]>): Replacement {
  const alike = seen.get(node.op);
  if (alike === undefined) seen.set(node.op, [node]);
  else {
    for (const other of alike) {
      const same = other.inputs.length === node.inputs.length && other.inputs.every((v, i) => v === node.inputs[i]);
      if (same && equalData(other.params, node.params)) return bypass(...other.outputs);
    }
    alike.push(node);
  }
  return replaceBy(node);
}
