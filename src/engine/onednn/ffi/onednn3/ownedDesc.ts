import type { NativeDesc } from '../nativeDesc.js';
import type { Address } from '../system.js';

let live = 0;

/** Number of descriptors that the library holds for this process. */
export const liveDescs = (): number => live;

interface Owned {
  readonly address: Address;
  readonly destroy: (address: Address) => void;
}

/**
 * Destroys descriptors that are out of use. This happens between two turns of the event loop: never during a
 * call that has taken an address.
 */
const outOfUse = new FinalizationRegistry<Owned>(({ address, destroy }) => {
  destroy(address);
  live--;
});

/** A descriptor that the library has created. It lives as long as this object. */
export class OwnedDesc implements NativeDesc {
  constructor(
    readonly argument: Address,
    destroy: (address: Address) => void,
  ) {
    live++;
    outOfUse.register(this, { address: argument, destroy });
  }
}
