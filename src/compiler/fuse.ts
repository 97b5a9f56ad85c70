import type { Activation, OpParams } from '../graph/op.js';
import { sameShape } from '../graph/shape.js';
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
  const places = new Map<GraphNode | null, number>(graph.nodes.map((node, i) => [node, i]));
  const accumulations = new Map<GraphNode, Accumulation>();
  for (const sum of graph.nodes) {
    if (!isAdd(sum)) continue;
    for (const [y, summand] of [sum.inputs, [...sum.inputs].reverse()]) {
      const [conv, other] = [y.producer, summand.producer];
      if (conv === null || other === null || !takesSummand(conv) || users.get(y)?.length !== 1) continue;
      const isBefore = (node: GraphNode | null) =>
        (places.get(node) ?? Number.POSITIVE_INFINITY) < (places.get(conv) ?? 0);
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
