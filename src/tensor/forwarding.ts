/**
 * A layer whose forward is running, and the layer that called it. The layers are plain objects here, since
 * tensors do not know layers.
 */
export interface Forwarding {
  readonly layer: object;
  readonly caller: Forwarding | null;
}

let current: Forwarding | null = null;

/** The innermost layer whose forward is running; null outside of layers. */
export function currentForwarding(): Forwarding | null {
  return current;
}

/** Runs the forward of a layer on its inputs. */
export function forwardAs<I extends unknown[], T>(layer: object, forward: (...inputs: I) => T, inputs: I): T {
  const caller = current;
  // A forward that calls `super.forward` is still the same layer's.
  if (caller?.layer === layer) return forward.apply(layer, inputs);
  current = { layer, caller };
  try {
    return forward.apply(layer, inputs);
  } finally {
    current = caller;
  }
}
