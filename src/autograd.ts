import { InputError } from './errors.js';
import type { Node, Value } from './graph/node.js';
import type { OpName } from './graph/op.js';
import { setOrigin } from './graph/origin.js';
import { numel } from './graph/shape.js';
import { inOrder, newWalk } from './graph/walk.js';
import { definitionOf, type VjpContext } from './ops/define.js';
import { binary, constant, withoutGrad } from './ops/index.js';

/**
 * Reverse-mode differentiation of a scalar: adds the gradient's nodes to the graph, computes nothing.
 *
 * @returns the gradient of every leaf that requires one
 */
export function gradients(root: Value): Map<Value, Value> {
  if (numel(root.shape) !== 1) {
    throw new InputError(
      `[backward] loss: expected a scalar, got shape [${root.shape}]; reduce it with mean() or sum()`,
    );
  }
  if (!root.requiresGrad) {
    throw new InputError('[backward] loss: expected one that depends on parameters, got one without gradient');
  }
  const nodes = differentiableNodes(root, '[backward] loss');
  const { leaves } = backpropagate(root, nodes, requiresGradient);
  root.released = true;
  return leaves;
}

/**
 * The gradients of the sum of `root` with respect to leaves and to outputs of nodes. It adds nodes to the
 * graph and computes nothing; `root` can be differentiated again.
 *
 * @returns null for a value on which `root` does not depend
 */
export function gradientsOf(root: Value, wanted: readonly Value[]): (Value | null)[] {
  const nodes = differentiableNodes(root, '[grad] output');
  const targets = new Set(wanted);
  /** Whether a node computes with one of the targets. */
  const reaches = new Array<boolean>(nodes.length);
  const leadsTo = (value: Value): boolean =>
    value.requiresGrad && (targets.has(value) || (value.node !== null && reaches[value.node.place]));
  for (let place = nodes.length - 1; place >= 0; place--) reaches[place] = nodes[place].inputs.some(leadsTo);
  const { leaves, grads } = backpropagate(root, nodes, leadsTo);
  return wanted.map((value) => {
    if (value.node === null) return leaves.get(value) ?? null;
    // The place of a node that the walk has not met is that of another walk.
    return nodes[value.node.place] === value.node ? grads[value.node.place][value.index] : null;
  });
}

const requiresGradient = (value: Value): boolean => value.requiresGrad;

/**
 * Follows gradients from `root` through nodes.
 *
 * @param nodes last one first, with their places
 * @param needs whether an input of a node needs a gradient
 * @returns the gradients of leaves, and those of the outputs of each node
 */
function backpropagate(root: Value, nodes: readonly Node[], needs: (input: Value) => boolean) {
  return withoutGrad(() => {
    const leaves = new Map<Value, Value>();
    const grads = nodes.map(({ outputs }) => new Array<Value | null>(outputs.length).fill(null));
    const ones = constant(root.shape, 'float32', 1);
    if (root.node !== null) grads[root.node.place][root.index] = ones;
    else leaves.set(root, ones);
    for (let place = 0; place < nodes.length; place++) {
      const node = nodes[place];
      const outputGrads = grads[place];
      if (outputGrads.every((grad) => grad === null)) continue;
      const outside = setOrigin(node.origin.gradient);
      try {
        const needed = node.inputs.map(needs);
        const inputGrads = vjpOf(node, outputGrads, needed);
        node.inputs.forEach((input, i) => {
          const grad = inputGrads[i];
          if (!needed[i] || grad === null || grad === undefined) return;
          if (input.node === null) {
            const sum = leaves.get(input);
            leaves.set(input, sum === undefined ? grad : binary('add', sum, grad));
          } else {
            const sums = grads[input.node.place];
            const sum = sums[input.index];
            sums[input.index] = sum === null ? grad : binary('add', sum, grad);
          }
        });
      } finally {
        setOrigin(outside);
      }
    }
    return { leaves, grads };
  });
}

function vjpOf<K extends OpName>(
  node: Node<K>,
  grads: readonly (Value | null)[],
  needs: readonly boolean[],
): (Value | null)[] {
  const { vjp } = definitionOf(node.op);
  if (vjp === null) return [];
  const { params, inputs, outputs } = node;
  const context: VjpContext<K> = { params, inputs, outputs, grads, needs };
  return vjp(context);
}

/** The nodes between the leaves and `root`, last one first. `node.place` is the index. */
function differentiableNodes(root: Value, where: string): Node[] {
  const walk = newWalk();
  const nodes: Node[] = [];
  const pending = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const { node } = value;
    if (value.released) {
      throw new InputError(`${where}: its graph was released by an earlier backward(); run forward again`);
    }
    if (node === null || node.mark === walk) continue;
    node.mark = walk;
    nodes.push(node);
    for (const input of node.inputs) if (input.requiresGrad) pending.push(input);
  }
  // The order of creation is a topological one.
  const ordered = inOrder(nodes).reverse();
  for (let i = 0; i < ordered.length; i++) ordered[i].place = i;
  return ordered;
}
