import { standardError } from '../../text/output.js';
import { visibleText } from '../../text/visible.js';
import { Callback, type Training } from '../callback.js';
import type { DivergenceError } from '../divergence.js';

/**
 * Ends a training whose loss becomes infinite or no number in good order: the weights are those from before the batch,
 * where without this callback the training ends with a `DivergenceError`.
 */
export class TerminateOnNaN extends Callback {
  static readonly kind: string = 'TerminateOnNaN';

  override onDivergence(training: Training, { message }: DivergenceError): void {
    standardError.write(`${visibleText(message)}\n`);
    training.stop();
  }
}
