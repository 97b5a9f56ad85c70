import type { Activation, OpParams } from '../graph/op.js';
import { type Shape, sameShape } from '../graph/shape.js';
import {
  bypass,
  collectUsers,
  countUses,
  type Graph,
  GraphNode,
  type GraphValue,
  keep,
  replaceBy,
  rewrite,
} from './graph.js';

/** Activations that the kernels of conv2d, linear and binary can apply to their own output. */
const fusible = new Set<Activation['fn']>(['relu', 'relu6', 'leakyRelu', 'sigmoid', 'tanh']);

/**
 * Joins an activation with the conv2d, linear or add that feeds it alone: its gradient is computed from its own
 * output, so nobody else needs the value before it.
 */
export function fuseActivations(graph: Graph): Graph {
  const uses = countUses(graph);
  const followers = new Map<GraphNode, GraphNode>();
  for (const node of graph.nodes) {
    if (node.op !== 'unary' || !fusible.has((node.params as Activation).fn)) continue;
    const { producer } = node.inputs[0];
    if (producer !== null && takesActivation(producer) && uses.get(node.inputs[0]) === 1) followers.set(producer, node);
  }
  const absorbed = new Set(followers.values());
  return rewrite(graph, (node, inputs) => {
    if (absorbed.has(node)) return bypass(inputs[0]);
    const follower = followers.get(node);
    if (follower === undefined) return keep(node, inputs);
    const params = { ...node.params, activation: follower.params } as GraphNode['params'];
    return replaceBy(new GraphNode(node.op, params, inputs, node.outputs));
  });
}

function takesActivation({ op, params, outputs }: GraphNode): boolean {
  if ('activation' in params && params.activation !== undefined) return false;
  return op === 'conv2d' || op === 'linear' || (op === 'binary' && outputs[0].dtype === 'float32');
}

/** Whether one node stands before another. */
function orderOf({ nodes }: Graph): (one: GraphNode, other: GraphNode) => boolean {
  const places = new Map(nodes.map((node, i) => [node, i]));
  return (one, other) => (places.get(one) as number) < (places.get(other) as number);
}

/** An add that a convolution can do by adding to what lies in its output's memory. */
interface Accumulation {
  readonly sum: GraphNode;
  readonly summand: GraphValue;
}

/**
 * Joins a convolution with the add behind it, as at the end of a residual block without batch norm, or with a folded one:
 * the kernel adds to the other summand where that lies. That must be computed before, and nobody may need it after.
 */
export function fuseSums(graph: Graph): Graph {
  const users = collectUsers(graph);
  const precedes = orderOf(graph);
  const accumulations = new Map<GraphNode, Accumulation>();
  for (const sum of graph.nodes) {
    if (!isAdd(sum)) continue;
    for (const [y, summand] of [sum.inputs, [...sum.inputs].reverse()]) {
      const [conv, other] = [y.producer, summand.producer];
      if (conv === null || other === null || !takesSummand(conv) || users.get(y)?.length !== 1) continue;
      const isBefore = (node: GraphNode | null) => node !== null && precedes(node, conv);
      const others = users.get(summand)?.filter((user) => user !== sum) ?? [];
      if (!isBefore(other) || !others.every(isBefore) || !sameShape(y.shape, summand.shape)) continue;
      accumulations.set(conv, { sum, summand });
      break;
    }
  }
  const absorbed = new Map([...accumulations].map(([conv, { sum }]) => [sum, conv.outputs[0]]));
  return rewrite(graph, (node, inputs, mapped) => {
    const y = absorbed.get(node);
    if (y !== undefined) return bypass(mapped(y));
    const accumulation = accumulations.get(node);
    if (accumulation === undefined) return keep(node, inputs);
    const { activation } = accumulation.sum.params as OpParams['binary'];
    const params = { ...(node.params as OpParams['conv2d']), ...(activation && { activation }) };
    return replaceBy(new GraphNode(node.op, params, [...inputs, mapped(accumulation.summand)], node.outputs));
  });
}

const isAdd = ({ op, params, outputs }: GraphNode) =>
  op === 'binary' && (params as OpParams['binary']).fn === 'add' && outputs[0].dtype === 'float32';

/** The summand is the fourth input, behind the bias. */
const takesSummand = ({ op, params, inputs }: GraphNode) =>
  op === 'conv2d' && (params as OpParams['conv2d']).activation === undefined && inputs.length === 3;

/** A sum behind a batch norm. */
interface Residual {
  readonly summand: GraphValue;
  readonly relu: boolean;
}

/**
 * Joins batch norm with the add and ReLU behind it, as at the end of a residual block, and backward the sum of what comes from
 * the next block's two branches, the ReLU and batch norm.
 *
 * @param takes shapes of features `[N, C, H, W]` for which the engine has such kernels
 */
export function fuseResiduals(graph: Graph, takes: (shape: Shape) => boolean): Graph {
  const users = collectUsers(graph);
  const precedes = orderOf(graph);
  const isUsedOnce = (value: GraphValue) => users.get(value)?.length === 1;
  const backwards = new Map<GraphNode | null, GraphNode>();
  for (const node of graph.nodes) if (node.op === 'batchNormBackward') backwards.set(node.inputs[6].producer, node);
  const residuals = new Map<GraphNode, Residual>();
  const norms = new Map<GraphNode, GraphNode>();
  // From the gradient of a sum's ReLU to that of the batch norm before it.
  const gradients = new Map<GraphNode, GraphNode>();
  for (const sum of graph.nodes) {
    const { activation } = sum.params as OpParams['binary'];
    if (!isAdd(sum) || (activation !== undefined && activation.fn !== 'relu') || !takes(sum.outputs[0].shape)) continue;
    for (const [y, summand] of [sum.inputs, [...sum.inputs].reverse()]) {
      const norm = y.producer;
      if (norm?.op !== 'batchNormTrain' || y.index !== 0 || norm.inputs.length > 3 || !isUsedOnce(y)) continue;
      const isBefore = summand.producer === null || precedes(summand.producer, norm);
      if (!isBefore || !sameShape(y.shape, summand.shape) || (norm.params as OpParams['batchNormTrain']).relu) continue;
      residuals.set(norm, { summand, relu: activation !== undefined });
      norms.set(sum, norm);
      const backward = backwards.get(norm);
      const gradient = activation === undefined ? null : (backward?.inputs[5].producer ?? null);
      if (backward !== undefined && gradient !== null && isReluBackwardOf(gradient, sum))
        gradients.set(gradient, backward);
      break;
    }
  }
  const joined = new Map<GraphNode, GraphNode>();
  return rewrite(graph, (node, inputs, mapped) => {
    const norm = norms.get(node);
    if (norm !== undefined) return bypass(mapped(norm.outputs[0]));
    const residual = residuals.get(node);
    if (residual !== undefined) {
      const params = { ...(node.params as OpParams['batchNormTrain']), relu: residual.relu };
      return replaceBy(new GraphNode(node.op, params, [...inputs, mapped(residual.summand)], node.outputs));
    }
    const done = joined.get(node);
    if (done !== undefined) return bypass(...done.outputs.slice(0, 3));
    const backward = gradients.get(node);
    if (backward === undefined) return keep(node, inputs);
    const params = { ...(backward.params as OpParams['batchNormBackward']), relu: true };
    const [dy, ...second] = summandsOf(node.inputs[0], isUsedOnce);
    const operands = [...backward.inputs.slice(0, 5), dy, backward.inputs[6], node.inputs[1], ...second];
    const fused = new GraphNode(backward.op, params, operands.map(mapped), [...backward.outputs, node.outputs[0]]);
    fused.origin = backward.origin;
    joined.set(backward, fused);
    return { nodes: [fused], outputs: [fused.outputs[3]] };
  });
}

/** The two summands of a plain sum that is used for nothing else; otherwise the value itself. */
function summandsOf(value: GraphValue, isUsedOnce: (value: GraphValue) => boolean): readonly GraphValue[] {
  const sum = value.producer;
  if (sum === null || !isAdd(sum) || !isUsedOnce(value)) return [value];
  const isPlain = (sum.params as OpParams['binary']).activation === undefined;
  return isPlain && sum.inputs.every(({ shape }) => sameShape(shape, value.shape)) ? sum.inputs : [value];
}

/** Joins batch norm with the ReLU that follows it, forward and backward. */
export function fuseBatchNormRelu(graph: Graph): Graph {
  const uses = countUses(graph);
  const relus = new Map<GraphNode, GraphNode>();
  const backwards = new Map<GraphNode, GraphNode>();
  for (const node of graph.nodes) {
    if (node.op === 'unary' && (node.params as Activation).fn === 'relu') {
      const norm = node.inputs[0].producer;
      const joins = norm !== null && (norm.op === 'batchNormTrain' || norm.op === 'batchNorm');
      if (joins && node.inputs[0].index === 0 && uses.get(node.inputs[0]) === 1) relus.set(norm, node);
    }
    if (node.op === 'batchNormBackward') {
      const norm = node.inputs[6].producer;
      if (norm !== null) backwards.set(norm, node);
    }
  }
  const reluGradients = new Map<GraphNode, GraphNode>();
  for (const [norm, relu] of relus) {
    const backward = backwards.get(norm);
    if (backward === undefined) continue;
    const gradient = backward.inputs[5].producer;
    const joins = gradient !== null && isReluBackwardOf(gradient, relu) && uses.get(backward.inputs[5]) === 1;
    // Without its backward counterpart the mask would not be known to the backward kernel.
    if (joins) reluGradients.set(gradient, relu);
    else relus.delete(norm);
  }
  const absorbed = new Set(relus.values());
  const fusedBackwards = new Set([...relus.keys()].map((norm) => backwards.get(norm)));
  return rewrite(graph, (node, inputs) => {
    if (absorbed.has(node) || reluGradients.has(node)) return bypass(inputs[0]);
    if (!relus.has(node) && !fusedBackwards.has(node)) return keep(node, inputs);
    const params = { ...(node.params as OpParams['batchNorm']), relu: true };
    return replaceBy(new GraphNode(node.op, params, inputs, node.outputs));
  });
}

function isReluBackwardOf(node: GraphNode, relu: GraphNode): boolean {
  if (node.op !== 'unaryBackward' || (node.params as Activation).fn !== 'relu') return false;
  const output: GraphValue = node.inputs[1];
  return output === relu.outputs[0];
}
