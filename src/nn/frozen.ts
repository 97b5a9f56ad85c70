/** Layers that stay in evaluation while the network around them is trained. */
const frozen = new WeakSet<object>();

export function isFrozen(layer: object): boolean {
  return frozen.has(layer);
}

export function markFrozen(layer: object, isFrozen: boolean): void {
  if (isFrozen) frozen.add(layer);
  else frozen.delete(layer);
}
