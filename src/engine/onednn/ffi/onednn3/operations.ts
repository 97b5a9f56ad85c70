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
import type { Address } from '../system.js';
import type { Calls } from './calls.js';
import { eltwises, normFlags } from './numbers.js';

/** Arguments of every description. `hint` describes the forward primitive, or is 0. */
export interface Common {
  readonly engine: Address;
  readonly attributes: Address;
  readonly hint: Address;
}

type Creators = {
  readonly [K in OperationKind]: (
    calls: Calls['creators'],
    out: BigUint64Array,
    of: OperationOf<K>,
    common: Common,
  ) => number;
};

const addressesOf = ({ descs }: Pick<Operation, 'descs'>) => descs.map(({ native }) => native.argument);

const creators: Creators = {
  convForward: ({ convForward }, out, op, { engine, attributes }) =>
    convForward(
      ...[out, engine, props[op.prop], convolutions[op.algorithm]],
      ...[...addressesOf(op), ...convArguments(op.geometry), attributes],
    ),
  convBackwardData: ({ convBackwardData }, out, op, { engine, attributes, hint }) =>
    convBackwardData(
      ...[out, engine, convolutions[op.algorithm]],
      ...[...addressesOf(op), ...convArguments(op.geometry), hint, attributes],
    ),
  convBackwardWeights: ({ convBackwardWeights }, out, op, { engine, attributes, hint }) =>
    convBackwardWeights(
      ...[out, engine, convolutions[op.algorithm]],
      ...[...addressesOf(op), ...convArguments(op.geometry), hint, attributes],
    ),
  matmul: ({ matmul }, out, op, { engine, attributes }) => matmul(out, engine, ...addressesOf(op), attributes),
  linearForward: ({ linearForward }, out, op, { engine, attributes }) =>
    linearForward(out, engine, props[op.prop], ...addressesOf(op), attributes),
  linearBackwardData: ({ linearBackwardData }, out, op, { engine, attributes, hint }) =>
    linearBackwardData(out, engine, ...addressesOf(op), hint, attributes),
  linearBackwardWeights: ({ linearBackwardWeights }, out, op, { engine, attributes, hint }) =>
    linearBackwardWeights(out, engine, ...addressesOf(op), hint, attributes),
  poolForward: ({ poolForward }, out, op, { engine, attributes }) =>
    poolForward(
      ...[out, engine, props[op.prop], poolings[op.pooling]],
      ...[...addressesOf(op), ...poolArguments(op.geometry), attributes],
    ),
  poolBackward: ({ poolBackward }, out, op, { engine, attributes, hint }) =>
    poolBackward(
      ...[out, engine, poolings[op.pooling]],
      ...[...addressesOf(op), ...poolArguments(op.geometry), hint, attributes],
    ),
  normForward: ({ normForward }, out, op, { engine, attributes }) => {
    const [data] = addressesOf(op);
    const flags = flagBits(normFlags, op.flags);
    return normForward(out, engine, props[op.prop], data, data, op.epsilon, flags, attributes);
  },
  normBackward: ({ normBackward }, out, op, { engine, attributes, hint }) => {
    const [diffData, data] = addressesOf(op);
    const flags = flagBits(normFlags, op.flags);
    return normBackward(out, engine, props.backward, diffData, diffData, data, op.epsilon, flags, hint, attributes);
  },
  eltwiseForward: ({ eltwiseForward }, out, op, { engine, attributes }) => {
    const [data] = addressesOf(op);
    const coefficients = eltwiseCoefficients(op.fn, op.alpha, op.beta);
    return eltwiseForward(out, engine, props.training, eltwises[op.fn], data, data, ...coefficients, attributes);
  },
  eltwiseBackward: ({ eltwiseBackward }, out, op, { engine, attributes, hint }) => {
    const [diffData, data] = addressesOf(op);
    const kind = eltwisesFromOutput[op.fn] ?? eltwises[op.fn];
    const coefficients = eltwiseCoefficients(op.fn, op.alpha);
    return eltwiseBackward(out, engine, kind, diffData, diffData, data, ...coefficients, hint, attributes);
  },
  binary: ({ binary }, out, op, { engine, attributes }) =>
    binary(out, engine, binaries[op.fn], ...addressesOf(op), attributes),
  reduction: ({ reduction }, out, op, { engine, attributes }) =>
    reduction(out, engine, reductions[op.fn], ...addressesOf(op), 0, 0, attributes),
  softmaxForward: ({ softmaxForward }, out, op, { engine, attributes }) =>
    softmaxForward(out, engine, props.training, softmaxes[op.softmax], ...addressesOf(op), op.axis, attributes),
  softmaxBackward: ({ softmaxBackward }, out, op, { engine, attributes, hint }) =>
    softmaxBackward(out, engine, softmaxes[op.softmax], ...addressesOf(op), op.axis, hint, attributes),
};

/** Creates the description of a primitive. @returns the library's status */
export function createDescription(calls: Calls, out: BigUint64Array, operation: Operation, common: Common): number {
  const create = creators[operation.kind] as (
    calls: Calls['creators'],
    out: BigUint64Array,
    of: Operation,
    common: Common,
  ) => number;
  return create(calls.creators, out, operation, common);
}
