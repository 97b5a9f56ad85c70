import { InputError } from './errors.js';
import type { Node, Value } from './graph/node.js';
import type { OpName } from './graph/op.js';
import { setOrigin } from './graph/origin.js';
import { numel } from './graph/shape.js';
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
    const grads = new Map<Value, Value>([[root, constant(root.shape, 'float32', 1)]]);
    const leaves = new Map<Value, Value>();
    for (const node of differentiableNodes(root)) {
      const outputGrads = node.outputs.map((output) => grads.get(output) ?? null);
      for (const output of node.outputs) grads.delete(output);
      if (outputGrads.every((grad) => grad === null)) continue;
      const outside = setOrigin(node.origin.gradient);
      try {
        const inputGrads = vjpOf(node, outputGrads);
        node.inputs.forEach((input, i) => {
          const grad = inputGrads[i];
          if (!input.requiresGrad || grad === null || grad === undefined) return;
          const into = input.node === null ? leaves : grads;
          const sum = into.get(input);
          into.set(input, sum === undefined ? grad : binary('add', sum, grad));
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

/** The nodes between the leaves and `root`, last one first. */
function differentiableNodes(root: Value): Node[] {
  const nodes = new Set<Node>();
  const pending = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const { node } = value;
    if (value.released) {
      throw new InputError('[backward] loss: its graph was released by an earlier backward(); run forward again');
    }
    if (node !== null && !nodes.has(node)) {
      nodes.add(node);
      for (const input of node.inputs) if (input.requiresGrad) pending.push(input);
    }
  }
  // Ids grow in order of creation, so descending ids are a reverse topological order.
  return [...nodes].sort((a, b) => b.id - a.id);
}
