import { currentEngine } from '../engine/select.js';
import { numel, type Shape } from '../graph/shape.js';
import { someSource } from '../graph/waiting.js';
import { RandomGenerator } from '../random.js';
import { realize } from '../runtime/realize.js';
import { Tensor } from '../tensor/tensor.js';
import type { LossFunction } from './objective.js';
import { within } from './scope.js';

/** Limit of the probe's classes: it has a sample of each. */
const mostClasses = 1000;

/**
 * The value of a loss for fixed outputs and one sample of each class. It distinguishes losses with the same
 * name but other options: reduction, weights of the classes, an ignored class, another function.
 *
 * @param shape of the network's outputs, `[samples, …]`
 * @param weighted whether the loss gets weights of the classes. The probe uses ones: the weights themselves
 *   are compared apart
 * @returns null if the value says nothing: it depends on parameters, differs from call to call, or the loss
 *   refuses the probe
 */
export function lossProbe(loss: LossFunction, shape: Shape, weighted: boolean): number | null {
  const classes = Math.max(2, shape[1] ?? 1);
  if (classes > mostClasses) return null;
  const [first, second] = [tried(loss, shape, classes, weighted), tried(loss, shape, classes, weighted)];
  return first === second ? first : null;
}

function tried(loss: LossFunction, [, ...rest]: Shape, classes: number, weighted: boolean): number | null {
  const generator = new RandomGenerator(0);
  const outputs = Float32Array.from({ length: classes * numel(rest) }, () => 2 * generator.normal());
  const labels = Int32Array.from({ length: classes }, (_, i) => i);
  try {
    return within({ generator }, () => {
      const weights = weighted ? Tensor.full([classes], 1) : undefined;
      const result = loss(Tensor.fromData(outputs, [classes, ...rest]), Tensor.fromData(labels, [classes]), weights);
      const { value } = result;
      if (result.size !== 1 || someSource(value, ({ storage }) => storage?.persistent === true)) return null;
      realize(currentEngine(), [value]);
      const [number] = value.current().read();
      return Number.isFinite(number) ? number : null;
    });
  } catch {
    return null;
  }
}
