import type { Tensor } from './tensor.js';

/** For advice: `, such as Linear(16, 2)`, if outputs come from a linear layer that could have so many; else nothing. */
export function linearWith({ value: { node } }: Tensor, outputs: number): string {
  return node?.op === 'linear' ? `, such as Linear(${node.inputs[1].shape[0]}, ${outputs})` : '';
}
