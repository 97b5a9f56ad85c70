import { InternalError } from '../errors.js';
import type { OutputDType } from '../graph/dtype.js';
import { type InputName, inputNames, type OpName, type OpParams, type Spec } from '../graph/op.js';
import { Origin } from '../graph/origin.js';
import type { Shape } from '../graph/shape.js';

/** A value of the graph under compilation: an output of a node, or a source. */
export class GraphValue implements Spec {
  constructor(
    readonly shape: Shape,
    readonly dtype: OutputDType,
    /** The node that computes it; `null` for a source. */
    readonly producer: GraphNode | null,
    /** Which output of the producer, or which source of the graph. */
    readonly index: number,
  ) {}
}

/** A node of the graph under compilation. Passes replace nodes; they do not change them. */
export class GraphNode<K extends OpName = OpName> {
  readonly outputs: readonly GraphValue[];
  /** Nodes made by a pass get the origin of the node that they replace. */
  origin = Origin.none;

  constructor(
    readonly op: K,
    readonly params: OpParams[K],
    readonly inputs: readonly GraphValue[],
    specs: readonly Spec[],
  ) {
    this.outputs = specs.map((spec, i) => new GraphValue(spec.shape, spec.dtype, this as unknown as GraphNode, i));
  }
}

/** Whether a node is of an op; its parameters and inputs then have the types and names of that op. */
export function isOp<K extends OpName>(node: GraphNode | null, op: K): node is GraphNode<K> {
  return node?.op === op;
}

/** The input of that name; `undefined` for an optional one that is not there. */
export function optionalInput<K extends OpName>(node: GraphNode<K>, name: InputName<K>): GraphValue | undefined {
  return node.inputs[(inputNames[node.op] as readonly string[]).indexOf(name)];
}

/** The input of that name. */
export function inputOf<K extends OpName>(node: GraphNode<K>, name: InputName<K>): GraphValue {
  const input = optionalInput(node, name);
  if (input === undefined) throw new InternalError(`${node.op} without ${name}`);
  return input;
}

/** Result of a program: a new array, or the new contents of a source's storage. */
export interface GraphOutput {
  readonly value: GraphValue;
  /** Index of the source that is overwritten; -1 for a new array. */
  readonly into: number;
  /** The program fails before it overwrites anything if this number is not finite. */
  readonly finite?: boolean;
}

export interface GraphSource {
  readonly value: GraphValue;
  /** Lives over many steps, so the engine may keep it in its own memory and layout. */
  readonly persistent: boolean;
}

/** The graph of one program: nodes in an order in which they can run. */
export interface Graph {
  readonly sources: readonly GraphSource[];
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly GraphOutput[];
}

/** How often each value is used, by nodes and as an output. */
export function countUses(graph: Graph): Map<GraphValue, number> {
  const uses = new Map<GraphValue, number>();
  const count = (value: GraphValue) => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of graph.nodes) node.inputs.forEach(count);
  for (const output of graph.outputs) count(output.value);
  return uses;
}

/** Users of every value; a program's output counts as a user that is no node. */
export function collectUsers(graph: Graph): Map<GraphValue, (GraphNode | null)[]> {
  const users = new Map<GraphValue, (GraphNode | null)[]>();
  const use = (value: GraphValue, user: GraphNode | null) => {
    const list = users.get(value);
    if (list === undefined) users.set(value, [user]);
    else list.push(user);
  };
  for (const node of graph.nodes) for (const input of node.inputs) use(input, node);
  for (const { value } of graph.outputs) use(value, null);
  return users;
}

/**
 * Maps a value of the old graph to its replacement in the new one; knows only values computed before the node
 * at hand.
 */
export type Mapping = (value: GraphValue) => GraphValue;

/** Rebuilds a graph: `rebuild` gives the replacement of each node. Nodes without a use are dropped. */
export function rewrite(
  graph: Graph,
  rebuild: (node: GraphNode, inputs: readonly GraphValue[], mapped: Mapping) => Replacement,
): Graph {
  const map = new Map<GraphValue, GraphValue>();
  const mapped: Mapping = (value) => map.get(value) ?? value;
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(mapped);
    const replacement = rebuild(node, inputs, mapped);
    for (const made of replacement.nodes) if (made.origin === Origin.none) made.origin = node.origin;
    nodes.push(...replacement.nodes);
    node.outputs.forEach((output, i) => {
      const value = replacement.outputs[i];
      if (value !== undefined && value !== output) map.set(output, value);
    });
  }
  const outputs = graph.outputs.map((output) => ({ ...output, value: mapped(output.value) }));
  return withoutDeadNodes({ sources: graph.sources, nodes, outputs });
}

export interface Replacement {
  /** The nodes that replace the old one in the order. */
  readonly nodes: readonly GraphNode[];
  /** Replacements of the old node's outputs. */
  readonly outputs: readonly GraphValue[];
}

/** The same node on the (possibly replaced) inputs. */
export function keep(node: GraphNode, inputs: readonly GraphValue[]): Replacement {
  if (inputs.every((input, i) => input === node.inputs[i])) return replaceBy(node);
  return replaceBy(new GraphNode(node.op, node.params, inputs, node.outputs));
}

export function replaceBy(node: GraphNode): Replacement {
  return { nodes: [node], outputs: node.outputs };
}

/** No node: other values replace its outputs. */
export function bypass(...outputs: readonly GraphValue[]): Replacement {
  return { nodes: [], outputs };
}

function withoutDeadNodes(graph: Graph): Graph {
  const live = new Set<GraphNode>();
  const pending = graph.outputs.map((output) => output.value.producer);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node === null || live.has(node)) continue;
    live.add(node);
    for (const input of node.inputs) pending.push(input.producer);
  }
  return { ...graph, nodes: graph.nodes.filter((node) => live.has(node)) };
}
