import type { Node, Value } from '../../graph/node.js';
import { nodesBehind } from '../../graph/walk.js';

/** Ops whose results depend on random numbers, or on the other images of a batch. */
const changing: ReadonlySet<string> = new Set(['dropoutMask', 'batchNormTrain']);

/** How a value depends on images and on parameters. */
type Kind = 'constant' | 'fixed' | 'trained';

/**
 * The values of a forward pass where its frozen part ends: they depend on the images and on nothing that
 * changes in a training, and the rest of the network is computed from them.
 *
 * @param outputs of the network
 * @param images its input
 */
export function frozenFeatures(outputs: Value, images: Value): Value[] {
  const kinds = new Map<Value, Kind>([[images, 'fixed']]);
  const kindOf = (value: Value): Kind => kinds.get(value) ?? (value.requiresGrad ? 'trained' : 'constant');
  const features = new Set<Value>();
  for (const node of nodesBehind(outputs)) {
    const kind = kindOfNode(node, kindOf);
    for (const output of node.outputs) kinds.set(output, output.requiresGrad ? 'trained' : kind);
    if (kind === 'trained') for (const input of node.inputs) if (kindOf(input) === 'fixed') features.add(input);
  }
  if (kindOf(outputs) === 'fixed') features.add(outputs);
  return [...features];
}

function kindOfNode({ op, inputs }: Node, kindOf: (value: Value) => Kind): Kind {
  if (changing.has(op)) return 'trained';
  const found = inputs.map(kindOf);
  if (found.includes('trained')) return 'trained';
  return found.includes('fixed') ? 'fixed' : 'constant';
}

/** Drops the updates of running statistics of a forward pass that will not be computed. */
export function discardAssignments(outputs: Value): void {
  for (const node of nodesBehind(outputs)) {
    for (const { target } of node.assignments ?? []) target.committed();
    node.assignments = null;
  }
}
