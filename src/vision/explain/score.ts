import { InputError, ShapeError } from '../../errors.js';
import { formatShape } from '../../graph/shape.js';
import { Tensor } from '../../tensor/tensor.js';

/** The class whose score is explained. */
export interface ExplainedClass {
  /** Number of the class. With one output 1 is the positive class and 0 the other. */
  readonly class: number;
  /** Number of a class to explain it against: the score is the difference of both logits. Default: none. */
  readonly against?: number | undefined;
}

/**
 * The logit of a class for each image, or the difference of two logits: `[N, classes]` → `[N]`. It is never a
 * probability: the gradient of a sure softmax is 0 everywhere.
 *
 * @throws {InputError} for a class that the network does not have
 */
export function scoreOf(logits: Tensor, { class: wanted, against }: ExplainedClass): Tensor {
  if (logits.shape.length !== 2) {
    throw new ShapeError(`[explain] output: expected [N, classes], got ${formatShape(logits.shape)}`);
  }
  const [, outputs] = logits.shape;
  const classes = Math.max(outputs, 2);
  for (const [name, number] of Object.entries({ class: wanted, against })) {
    if (number === undefined) continue;
    if (Number.isInteger(number) && number >= 0 && number < classes) continue;
    throw new InputError(`[explain] ${name}: expected a number from 0 to ${classes - 1}, got ${number}`);
  }
  if (against === wanted)
    throw new InputError(`[explain] against: expected another class than ${wanted}, got the same`);
  const weights = new Float32Array(outputs);
  if (outputs === 1) {
    // One logit speaks for both classes, so their difference is the logit itself.
    weights[0] = wanted === 1 ? 1 : -1;
  } else {
    weights[wanted] = 1;
    if (against !== undefined) weights[against] = -1;
  }
  return logits.mul(Tensor.fromData(weights, [1, outputs])).sum({ axis: 1 });
}
