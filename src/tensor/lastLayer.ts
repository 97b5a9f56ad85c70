import type { Tensor } from './tensor.js';

/** Advice for an error: `, such as Linear(16, 2)` if the tensor comes from a linear layer, else nothing. */
export function linearWith({ value: { node } }: Tensor, outputs: number): string {
  return node?.op === 'linear' ? `, such as Linear(${node.inputs[1].shape[0]}, ${outputs})` : '';
}
