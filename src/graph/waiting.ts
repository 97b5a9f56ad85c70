import type { AssignmentTarget, Node, Value } from './node.js';
import type { Storage } from './storage.js';
import { inOrder, newWalk } from './walk.js';

/**
 * States whose newest contents are not computed yet, such as the running statistics of a forward pass that
 * has not run. A program that overwrites data computes them first, if they depend on the old data.
 *
 * The references are weak: an unused network is collected together with its graph.
 */
const waiting = new Set<WeakRef<AssignmentTarget>>();
const references = new WeakMap<AssignmentTarget, WeakRef<AssignmentTarget>>();

/** Notes that a state waits. It does so until {@link stopWaiting}. */
export function startWaiting(target: AssignmentTarget): void {
  let reference = references.get(target);
  if (reference === undefined) {
    reference = new WeakRef(target);
    references.set(target, reference);
  }
  waiting.add(reference);
}

export function stopWaiting(target: AssignmentTarget): void {
  if (waiting.size === 0) return;
  const reference = references.get(target);
  if (reference !== undefined) waiting.delete(reference);
}

/** All states that wait, in the order in which they began to. */
export function waitingStates(): AssignmentTarget[] {
  const targets: AssignmentTarget[] = [];
  for (const reference of waiting) {
    const target = reference.deref();
    if (target === undefined) waiting.delete(reference);
    else targets.push(target);
  }
  return targets;
}

/**
 * The states that wait for contents computed from `storage`. One walk serves all of them, since their graphs
 * overlap. Realized data are where the search ends.
 */
export function waitingFor(storage: Storage): AssignmentTarget[] {
  const states = waitingStates();
  if (states.length === 0) return states;
  const walk = newWalk();
  const nodes: Node[] = [];
  const open = states.map(({ value }) => value);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const { node } = value;
    if (value.storage !== null || node === null || node.mark === walk) continue;
    node.mark = walk;
    nodes.push(node);
    open.push(...node.inputs);
  }
  const depending = new Set<Node>();
  const depends = (value: Value): boolean =>
    value.storage === null ? value.node !== null && depending.has(value.node) : value.storage === storage;
  for (const node of inOrder(nodes)) if (node.inputs.some(depends)) depending.add(node);
  return states.filter(({ value }) => depends(value));
}

/** Whether a value, or one that it is computed from, is accepted. Realized data are where the search ends. */
export function someSource(value: Value, accepts: (value: Value) => boolean): boolean {
  const seen = new Set<Value>();
  const open = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (accepts(next)) return true;
    if (next.storage === null && next.node !== null) open.push(...next.node.inputs);
  }
  return false;
}
