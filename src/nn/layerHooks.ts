import { Origin, withOrigin } from '../graph/origin.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Layer } from './layer.js';

/** Runs in place of a layer's forward; `forward` is the layer's own. */
export type AroundForward = (inputs: readonly Tensor[], forward: () => Tensor) => Tensor;

/** Replaces the forward of a layer by a hook around it, until the returned function is called. */
export function aroundForward(layer: Layer, around: AroundForward): () => void {
  const forward = layer.forward.bind(layer);
  // A field of the instance hides the method of its class until the field is deleted.
  layer.forward = (...inputs) => around(inputs, () => forward(...inputs));
  return () => {
    Reflect.deleteProperty(layer, 'forward');
  };
}

/**
 * Makes the layers of a network mark the nodes of the graph with their names, until the returned function is
 * called. Profiles and error messages can then name the layer.
 */
export function nameLayers(network: Layer): () => void {
  const undo = [...network.namedSublayers()].map(([name, layer]) => {
    const origin = new Origin(name);
    return aroundForward(layer, (_, forward) => withOrigin(origin, forward));
  });
  return () => {
    for (const restore of undo) restore();
  };
}
