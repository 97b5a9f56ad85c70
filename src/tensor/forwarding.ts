/**
 * A layer whose forward is running, and the layer that called it. The layers are plain objects here, since
 * tensors do not know layers.
 */
export interface Forwarding {
  readonly layer: object;
  readonly caller: Forwarding | null;
}

let current: Forwarding | null = null;
/** Called with each layer's output. */
let observer: ((layer: object, output: unknown) => void) | null = null;

/** Runs `body`; `observe` gets every output of a layer whose forward ends in it. */
export function observingForward<T>(observe: (layer: object, output: unknown) => void, body: () => T): T {
  const before = observer;
  observer = (layer, output) => {
    before?.(layer, output);
    observe(layer, output);
  };
  try {
    return body();
  } finally {
    observer = before;
  }
}

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
    const output = forward.apply(layer, inputs);
    observer?.(layer, output);
    return output;
  } finally {
    current = caller;
  }
}
