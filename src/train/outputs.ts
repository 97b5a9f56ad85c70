import { oneOf, record, requireValue, rule } from '../check.js';
import { InputError, ShapeError } from '../errors.js';
import type { Node, Value } from '../graph/node.js';
import { formatShape, type Shape } from '../graph/shape.js';
import { nodesBehind } from '../graph/walk.js';
import { concat } from '../tensor/combine.js';
import * as F from '../tensor/functional.js';
import { requireTensor, Tensor } from '../tensor/tensor.js';
import type { LossFunction } from './objective.js';

/**
 * The meaning of a network's outputs, which follows from its loss:
 *
 * - `softmax`: one logit per class, `[samples, classes]`; `ignoreIndex` is the label that the loss leaves out
 * - `sigmoid`: the logit of class 1, `[samples]` or `[samples, 1]`
 * - `other`: the loss implies neither
 */
export type OutputMeaning =
  | { readonly kind: 'softmax'; readonly ignoreIndex: number | null }
  | { readonly kind: 'sigmoid' }
  | { readonly kind: 'other' };

/** Ops whose outputs are logits if their inputs are: they move, scale or shift values. */
const keepLogits: ReadonlySet<string> = new Set([
  'reshape',
  'transpose',
  'slice',
  'affine',
  'binary',
  'cast',
  'concat',
]);

const kinds = oneOf(['softmax', 'sigmoid', 'other']);
const meanings = rule<OutputMeaning>(`{ kind: ${kinds.expected} }`, (x) => {
  return record.is(x) && kinds.is((x as Partial<OutputMeaning>).kind);
});

/** Finds the meaning of outputs from the ops that computed a loss from them. */
export function meaningOf(loss: Tensor, outputs: Tensor): OutputMeaning {
  const logits = new Set([outputs.value]);
  for (const node of nodesBehind(loss.value, outputs.value)) {
    if (!node.inputs.some((input) => logits.has(input))) continue;
    const meaning = meaningIn(node, logits);
    if (meaning !== null) return meaning;
    if (keepLogits.has(node.op)) for (const output of node.outputs) logits.add(output);
  }
  return { kind: 'other' };
}

/** The meaning of outputs of a shape with a loss. Nothing is computed. */
export function meaningUnder(loss: LossFunction, shape: Shape): OutputMeaning {
  const outputs = Tensor.placeholder(shape, 'float32');
  return meaningOf(loss(outputs, Tensor.placeholder([shape[0]], 'int32')), outputs);
}

function meaningIn(node: Node, logits: ReadonlySet<Value>): OutputMeaning | null {
  if (node.op === 'softmax') return { kind: 'softmax', ignoreIndex: null };
  if (node.op === 'crossEntropy') {
    return logits.has(node.inputs[0])
      ? { kind: 'softmax', ignoreIndex: (node as Node<'crossEntropy'>).params.ignoreIndex }
      : null;
  }
  if (node.op === 'bceWithLogits') return logits.has(node.inputs[0]) ? { kind: 'sigmoid' } : null;
  return node.op === 'unary' && (node as Node<'unary'>).params.fn === 'sigmoid' ? { kind: 'sigmoid' } : null;
}

/**
 * Probabilities of the classes, `[samples, classes]`: for `softmax` the softmax of the outputs; for `sigmoid`
 * with one output, the probabilities of both classes.
 *
 * @param meaning `other` (default) is taken as `sigmoid` for one output, and as `softmax` for several
 * @throws {ShapeError} unless the outputs are `[samples, outputs]`
 */
export function classProbabilities(outputs: Tensor, meaning: OutputMeaning = { kind: 'other' }): Tensor {
  requireTensor('classProbabilities', outputs, 'outputs');
  const { kind } = requireValue('classProbabilities', 'meaning', meaning, meanings);
  if (outputs.shape.length !== 2) {
    throw new ShapeError(`[evaluate] outputs: expected [samples, classes], got ${formatShape(outputs.shape)}`);
  }
  // For several outputs with a sigmoid each, softmax keeps the order of the classes.
  if (kind === 'softmax' || outputs.shape[1] > 1) return F.softmax(outputs);
  const positive = F.sigmoid(outputs);
  return concat([positive.affine(-1, 1), positive], 1);
}

/** The number of classes that outputs distinguish; null if their meaning does not imply it. */
function classesOf(meaning: OutputMeaning, shape: Shape): number | null {
  if (meaning.kind === 'softmax') return shape[1];
  return meaning.kind === 'sigmoid' && shape.slice(1).every((size) => size === 1) ? 2 : null;
}

/**
 * Checks labels against the classes of a network's outputs.
 *
 * @param where for the message
 * @throws {InputError} naming the first label that is no class
 */
export function requireClasses(where: string, labels: ArrayLike<number>, meaning: OutputMeaning, shape: Shape): void {
  const classes = classesOf(meaning, shape);
  if (classes === null) return;
  const ignored = meaning.kind === 'softmax' ? meaning.ignoreIndex : null;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if ((label >= 0 && label < classes) || label === ignored) continue;
    const outputs = shape[1] ?? 1;
    const advice =
      meaning.kind === 'sigmoid'
        ? 'for more than two classes use CrossEntropyLoss and one output a class'
        : `give the network an output for each class, or look for a wrong label`;
    throw new InputError(
      `[${where}] label of sample ${i}: expected a class from 0 to ${classes - 1} (the network has ${outputs} ` +
        `${outputs === 1 ? 'output' : 'outputs'}), got ${label}; ${advice}`,
    );
  }
}

/** A warning if the outputs already are probabilities but the loss expects logits; else null. */
export function outputsNotice({ kind }: OutputMeaning, outputs: Tensor): string | null {
  const { node } = outputs.value;
  const applied = node?.op === 'unary' ? (node as Node<'unary'>).params.fn : node?.op;
  if (kind === 'other' || applied !== kind) return null;
  const [layer, loss] = kind === 'softmax' ? ['Softmax', 'cross entropy'] : ['Sigmoid', 'binary cross entropy'];
  return `outputs: the network ends in ${layer}, and ${loss} applies its own; leave that layer out`;
}
