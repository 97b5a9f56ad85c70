import type { OpName, OpParams } from '../../graph/op.js';
import type { NDArray } from '../ndarray.js';

/**
 * Computes one op into preallocated outputs. It writes every element of them and assumes nothing about their
 * earlier contents. Elementwise ops, updates and `runningAverage` allow an output to be the very array of an
 * input.
 */
export type Kernel<K extends OpName> = (
  params: OpParams[K],
  inputs: readonly NDArray[],
  outputs: readonly NDArray[],
) => void;
