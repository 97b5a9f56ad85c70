import type { Graph, GraphNode, GraphValue } from '../../compiler/graph.js';

/** Ops whose kernels may refuse their inputs: a label that is no class. */
const refusing = new Set<GraphNode['op']>(['crossEntropy']);

/**
 * Puts each node that overwrites a source right behind the last reader of the old contents, so that its
 * gradient need not be kept until the end of the step. All nodes that can make the program fail come before
 * the first of them.
 */
export function scheduleUpdates(graph: Graph): Graph {
  const targets = new Map<GraphNode, GraphValue[]>();
  const guards = new Set<GraphNode>(graph.nodes.filter(({ op }) => refusing.has(op)));
  for (const { value, into, finite } of graph.outputs) {
    if (value.producer === null) continue;
    if (finite) guards.add(value.producer);
    if (into >= 0) targets.set(value.producer, [...(targets.get(value.producer) ?? []), graph.sources[into].value]);
  }
  // Nodes that depend on an overwriting node come after it.
  const late = new Set<GraphNode>(targets.keys());
  for (const node of graph.nodes) {
    if (node.inputs.some(({ producer }) => producer !== null && late.has(producer))) late.add(node);
  }
  const early = graph.nodes.filter((node) => !late.has(node));
  const waiting = new Set(graph.nodes.filter((node) => late.has(node)));
  const readers = countReaders(graph.nodes);
  const concerned = collectConcerned(targets);
  let guarded = early.filter((node) => guards.has(node)).length;
  const placed = new Set<GraphNode>();
  const order: GraphNode[] = [];
  const place = (node: GraphNode) => {
    order.push(node);
    placed.add(node);
    waiting.delete(node);
    for (const input of new Set(node.inputs)) readers.set(input, (readers.get(input) as number) - 1);
  };
  const isReady = (node: GraphNode) => {
    const own = (target: GraphValue) => (node.inputs.includes(target) ? 1 : 0);
    return (
      waiting.has(node) &&
      targets.get(node)?.every((target) => (readers.get(target) ?? 0) === own(target)) === true &&
      node.inputs.every(({ producer }) => producer === null || placed.has(producer))
    );
  };
  const placeReady = (nodes: Iterable<GraphNode>) => {
    for (const node of [...nodes]) if (isReady(node)) place(node);
  };
  if (guarded === 0) placeReady(targets.keys());
  for (const node of early) {
    place(node);
    if (guards.has(node) && --guarded === 0) placeReady(targets.keys());
    if (guarded > 0) continue;
    for (const reason of [node, ...node.inputs]) placeReady(concerned.get(reason) ?? []);
  }
  return { ...graph, nodes: [...order, ...waiting] };
}

function countReaders(nodes: readonly GraphNode[]): Map<GraphValue, number> {
  const readers = new Map<GraphValue, number>();
  for (const { inputs } of nodes) {
    for (const input of new Set(inputs)) readers.set(input, (readers.get(input) ?? 0) + 1);
  }
  return readers;
}

/** The nodes that may have become ready when another one has been placed, or a value has been read. */
function collectConcerned(
  targets: ReadonlyMap<GraphNode, readonly GraphValue[]>,
): Map<GraphNode | GraphValue, GraphNode[]> {
  const concerned = new Map<GraphNode | GraphValue, GraphNode[]>();
  const add = (reason: GraphNode | GraphValue, node: GraphNode) => {
    const list = concerned.get(reason);
    if (list === undefined) concerned.set(reason, [node]);
    else list.push(node);
  };
  for (const [node, values] of targets) {
    for (const { producer } of node.inputs) if (producer !== null) add(producer, node);
    for (const value of values) add(value, node);
  }
  return concerned;
}
