import type { Node, Value } from './node.js';

let walks = 0;

/** The number of a new walk over the graph, with which it marks nodes and storages. */
export function newWalk(): number {
  return ++walks;
}

/** The nodes that a value needs, in order of creation; only those made after `after`, if it is given. */
export function nodesBehind(value: Value, after: Value | null = null): Node[] {
  const first = after?.node?.id ?? 0;
  const walk = newWalk();
  const found: Node[] = [];
  const waiting = [value.node];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node === null || node.id <= first || node.mark === walk) continue;
    node.mark = walk;
    found.push(node);
    for (const input of node.inputs) waiting.push(input.node);
  }
  return inOrder(found);
}

/**
 * Nodes in order of creation. Ids of one step are close together, so that each gives the place of its node.
 */
export function inOrder(nodes: readonly Node[]): Node[] {
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const { id } of nodes) {
    if (id < first) first = id;
    if (id > last) last = id;
  }
  const range = last - first + 1;
  if (nodes.length < 2 || range > 8 * nodes.length) return [...nodes].sort((a, b) => a.id - b.id);
  const places = new Array<Node | null>(range).fill(null);
  for (const node of nodes) places[node.id - first] = node;
  const ordered: Node[] = [];
  for (const node of places) if (node !== null) ordered.push(node);
  return ordered;
}
