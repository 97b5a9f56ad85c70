import { InputError } from '../errors.js';
import type { Spec } from '../graph/op.js';
import { checkExactShape, type OpDefinition } from './define.js';

export const dropoutMaskOp: OpDefinition<'dropoutMask'> = {
  infer({ shape, p }, [seed]) {
    if (!(p >= 0 && p < 1)) throw new InputError(`[dropout] p: expected 0 <= p < 1, got ${p}`);
    checkExactShape('dropout', 'seed', seed, [2]);
    return [{ shape, dtype: 'float32' }];
  },
  vjp: null,
};

/** Outputs of an update: the parameter and its states, all shaped like the parameter. */
function updated(name: string, parameter: Spec, gradient: Spec, states: readonly Spec[]): Spec[] {
  checkExactShape(name, 'gradient', gradient, parameter.shape);
  for (const state of states) checkExactShape(name, 'state', state, parameter.shape);
  return new Array<Spec>(1 + states.length).fill({ shape: parameter.shape, dtype: 'float32' });
}

export const sgdUpdateOp: OpDefinition<'sgdUpdate'> = {
  infer: (_params, [parameter, gradient]) => updated('sgd', parameter, gradient, []),
  vjp: null,
};

export const momentumUpdateOp: OpDefinition<'momentumUpdate'> = {
  infer: (_params, [parameter, gradient, velocity]) => updated('momentum', parameter, gradient, [velocity]),
  vjp: null,
};

export const adamUpdateOp: OpDefinition<'adamUpdate'> = {
  infer: (_params, [parameter, gradient, m, v]) => updated('adam', parameter, gradient, [m, v]),
  vjp: null,
};
