import { standardError } from '../../text/output.js';
import { visibleText } from '../../text/visible.js';
import { Callback, type Training } from '../callback.js';
import type { DivergenceError } from '../divergence.js';

/**
 * Ends a training normally when its loss becomes infinite or NaN. The weights are those from before that
 * batch. Without this callback the training ends with a `DivergenceError`.
 */
export class TerminateOnNaN extends Callback {
  static readonly kind: string = 'TerminateOnNaN';

  override onDivergence(training: Training, { message }: DivergenceError): void {
    standardError.write(`${visibleText(message)}\n`);
    training.stop();
  }
}
