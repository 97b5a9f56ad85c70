import {
  binaries,
  convolutions,
  eltwiseCoefficients,
  eltwisesFromOutput,
  flagBits,
  poolings,
  props,
  reductions,
  softmaxes,
} from '../enums.js';
import { convArguments, poolArguments } from '../geometry.js';
import type { Operation, OperationKind, OperationOf } from '../operation.js';
import type { Calls } from './calls.js';
import { eltwises, normFlags, opDescBytes } from './numbers.js';

type Inits = { readonly [K in OperationKind]: (to: Uint8Array, calls: Calls['inits'], of: OperationOf<K>) => number };

const bytesOf = ({ descs }: Pick<Operation, 'descs'>) => descs.map(({ native }) => native.argument);

/** Fills the library's descriptor of an operation. */
const inits: Inits = {
  convForward: (to, { convForward }, op) =>
    convForward(to, props[op.prop], convolutions[op.algorithm], ...bytesOf(op), ...convArguments(op.geometry)),
  convBackwardData: (to, { convBackwardData }, op) =>
    convBackwardData(to, convolutions[op.algorithm], ...bytesOf(op), ...convArguments(op.geometry)),
  convBackwardWeights: (to, { convBackwardWeights }, op) =>
    convBackwardWeights(to, convolutions[op.algorithm], ...bytesOf(op), ...convArguments(op.geometry)),
  matmul: (to, { matmul }, op) => matmul(to, ...bytesOf(op)),
  linearForward: (to, { linearForward }, op) => linearForward(to, props[op.prop], ...bytesOf(op)),
  linearBackwardData: (to, { linearBackwardData }, op) => linearBackwardData(to, ...bytesOf(op)),
  linearBackwardWeights: (to, { linearBackwardWeights }, op) => linearBackwardWeights(to, ...bytesOf(op)),
  poolForward: (to, { poolForward }, op) =>
    poolForward(to, props[op.prop], poolings[op.pooling], ...bytesOf(op), ...poolArguments(op.geometry)),
  poolBackward: (to, { poolBackward }, op) =>
    poolBackward(to, poolings[op.pooling], ...bytesOf(op), ...poolArguments(op.geometry)),
  normForward: (to, { normForward }, op) =>
    normForward(to, props[op.prop], ...bytesOf(op), op.epsilon, flagBits(normFlags, op.flags)),
  normBackward: (to, { normBackward }, op) =>
    normBackward(to, props.backward, ...bytesOf(op), op.epsilon, flagBits(normFlags, op.flags)),
  eltwiseForward: (to, { eltwiseForward }, op) =>
    eltwiseForward(
      ...[to, props.training, eltwises[op.fn]],
      ...[...bytesOf(op), ...eltwiseCoefficients(op.fn, op.alpha, op.beta)],
    ),
  eltwiseBackward: (to, { eltwiseBackward }, op) =>
    eltwiseBackward(
      ...[to, eltwisesFromOutput[op.fn] ?? eltwises[op.fn]],
      ...[...bytesOf(op), ...eltwiseCoefficients(op.fn, op.alpha)],
    ),
  binary: (to, { binary }, op) => binary(to, binaries[op.fn], ...bytesOf(op)),
  reduction: (to, { reduction }, op) => reduction(to, reductions[op.fn], ...bytesOf(op), 0, 0),
  softmaxForward: (to, { softmaxForward }, op) =>
    softmaxForward(to, props.training, softmaxes[op.softmax], ...bytesOf(op), op.axis),
  softmaxBackward: (to, { softmaxBackward }, op) => softmaxBackward(to, softmaxes[op.softmax], ...bytesOf(op), op.axis),
};

/** The library's descriptor of an operation, and the status of the call that fills it. */
export function opDescOf(calls: Calls, operation: Operation): { readonly bytes: Uint8Array; readonly status: number } {
  const bytes = new Uint8Array(opDescBytes);
  const init = inits[operation.kind] as (to: Uint8Array, calls: Calls['inits'], of: Operation) => number;
  return { bytes, status: init(bytes, calls.inits, operation) };
}
