import type { Node, Value } from './node.js';

/** The nodes that a value needs, in order of creation; only those made after `after`, if it is given. */
export function nodesBehind(value: Value, after: Value | null = null): Node[] {
  const first = after?.node?.id ?? 0;
  const found = new Set<Node>();
  const waiting = [value.node];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node === null || node.id <= first || found.has(node)) continue;
    found.add(node);
    for (const input of node.inputs) waiting.push(input.node);
  }
  return [...found].sort((a, b) => a.id - b.id);
}
