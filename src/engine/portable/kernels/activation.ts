import { InternalError } from '../../../errors.js';
import type { Activation } from '../../../graph/op.js';
import type { Assembler, Vector } from '../../kernels/assembler.js';
import { gelu, sigmoid, tanh } from './exponential.js';

/** min(max(x + 3, 0), 6)/6 */
function hardStep(to: Assembler, x: Vector): Vector {
  const within = to.apply('min', to.apply('max', to.apply('add', x, to.constant(3)), to.zero()), to.constant(6));
  return to.apply('mul', within, to.constant(1 / 6));
}

/** An activation of every lane; NaN stays NaN. */
export function activate(to: Assembler, { fn, alpha }: Activation, x: Vector): Vector {
  switch (fn) {
    case 'relu':
      return to.apply('max', x, to.zero());
    case 'relu6':
      return to.apply('min', to.apply('max', x, to.zero()), to.constant(6));
    case 'leakyRelu':
      return to.select(to.compare('greater', x, to.zero()), x, to.apply('mul', x, to.constant(alpha)));
    case 'sigmoid':
      return sigmoid(to, x);
    case 'tanh':
      return tanh(to, x);
    case 'hardswish':
      return to.apply('mul', x, hardStep(to, x));
    case 'silu':
      return to.apply('mul', x, sigmoid(to, x));
    case 'gelu':
      return gelu(to, x);
    case 'sqrt':
      return to.call('sqrt', x);
    case 'abs':
      return to.call('abs', x);
    case 'square':
      return to.apply('mul', x, x);
    default:
      throw new InternalError(`the portable engine has no code for ${fn}`);
  }
}
