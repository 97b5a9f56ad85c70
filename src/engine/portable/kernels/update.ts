import type { OpParams } from '../../../graph/op.js';
import type { Assembler, Vector } from '../../kernels/assembler.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { flatKernel } from './flat.js';

/** `gradient + decay·parameter` */
function decayed(to: Assembler, gradient: Vector, parameter: Vector, weightDecay: number): Vector {
  if (weightDecay !== 0) to.addProduct(gradient, parameter, to.constant(weightDecay));
  return gradient;
}

const negated = (to: Assembler, [rate]: readonly Vector[]) => [to.call('neg', rate)];

/** Operands: parameter, gradient, rate, new parameter. */
export function sgdKernel(count: number, { weightDecay }: OpParams['sgdUpdate']): TaskKernel {
  return flatKernel({
    count,
    reads: 2,
    scalars: [1],
    writes: 1,
    prepare: negated,
    body: (to, [parameter, gradient], [descent]) => {
      to.addProduct(parameter, decayed(to, gradient, parameter, weightDecay), descent);
      return [parameter];
    },
  });
}

/** Operands: parameter, gradient, velocity, rate, new parameter, new velocity. */
export function momentumKernel(count: number, params: OpParams['momentumUpdate']): TaskKernel {
  const { momentum, weightDecay, nesterov } = params;
  return flatKernel({
    count,
    reads: 3,
    scalars: [1],
    writes: 2,
    prepare: negated,
    body: (to, [parameter, gradient, velocity], [descent]) => {
      const g = decayed(to, gradient, parameter, weightDecay);
      const factor = to.constant(momentum);
      const v = to.copy(g);
      to.addProduct(v, velocity, factor);
      if (nesterov) to.addProduct(g, v, factor);
      to.addProduct(parameter, nesterov ? g : v, descent);
      return [parameter, v];
    },
  });
}

/**
 * Operands: parameter, gradient, moments 1 and 2, scalars, new parameter, new moments.
 */
export function adamKernel(count: number, params: OpParams['adamUpdate']): TaskKernel {
  const { beta1, beta2, epsilon, weightDecay } = params;
  return flatKernel({
    count,
    reads: 4,
    scalars: [4],
    writes: 3,
    prepare: (to, [rate, correction1, correction2, kept]) => {
      const root = to.call('sqrt', correction2);
      const step = to.apply('div', to.apply('mul', rate, root), correction1);
      return [to.call('neg', step), to.apply('mul', root, to.constant(epsilon)), kept];
    },
    body: (to, [parameter, gradient, moment1, moment2], [descent, floor, kept]) => {
      const g = decayed(to, gradient, parameter, weightDecay);
      const m = to.apply('mul', moment1, to.constant(beta1));
      to.addProduct(m, g, to.constant(1 - beta1));
      const v = to.apply('mul', moment2, to.constant(beta2));
      to.addProduct(v, to.apply('mul', g, to.constant(1 - beta2)), g);
      const p = to.apply('mul', parameter, kept);
      to.addProduct(p, to.apply('div', m, to.apply('add', to.call('sqrt', v), floor)), descent);
      return [p, m, v];
    },
  });
}

/** `decay·running + (1 − decay)·batch`. Operands: running, batch, result. */
export function averageKernel(count: number, { decay }: OpParams['runningAverage']): TaskKernel {
  return flatKernel({
    count,
    reads: 2,
    writes: 1,
    body: (to, [running, batch]) => {
      const result = to.apply('mul', running, to.constant(decay));
      to.addProduct(result, batch, to.constant(1 - decay));
      return [result];
    },
  });
}
