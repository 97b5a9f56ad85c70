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
  return withoutGrad(() => {
    const leaves = new Map<Value, Value>();
    const nodes = differentiableNodes(root);
    /** The gradients of the outputs of each node. */
    const grads = nodes.map(({ outputs }) => new Array<Value | null>(outputs.length).fill(null));
    if (root.node !== null) grads[root.node.place][root.index] = constant(root.shape, 'float32', 1);
    for (let place = 0; place < nodes.length; place++) {
      const node = nodes[place];
      const outputGrads = grads[place];
      if (outputGrads.every((grad) => grad === null)) continue;
      const outside = setOrigin(node.origin.gradient);
      try {
        const inputGrads = vjpOf(node, outputGrads);
        node.inputs.forEach((input, i) => {
          const grad = inputGrads[i];
          if (!input.requiresGrad || grad === null || grad === undefined) return;
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
    root.released = true;
    return leaves;
  });
}

function vjpOf<K extends OpName>(node: Node<K>, grads: readonly (Value | null)[]): (Value | null)[] {
  const { vjp } = definitionOf(node.op);
  if (vjp === null) return [];
  const { params, inputs, outputs } = node;
  const context: VjpContext<K> = { params, inputs, outputs, grads, needs: inputs.map((input) => input.requiresGrad) };
  return vjp(context);
}

/** The nodes between the leaves and `root`, last one first. `node.place` is the index. */
function differentiableNodes(root: Value): Node[] {
  const walk = newWalk();
  const nodes: Node[] = [];
  const pending = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const { node } = value;
    if (value.released) {
      throw new InputError('[backward] loss: its graph was released by an earlier backward(); run forward again');
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
