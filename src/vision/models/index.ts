import { LeNet } from './lenet.js';

export { LeNet } from './lenet.js';

/** {@link LeNet} for 28×28 grey images. */
export function lenet(options: { readonly numClasses?: number } = {}): LeNet {
  return new LeNet(options);
}
