import { Origin, setOrigin } from '../graph/origin.js';
import type { Layer } from './layer.js';

/**
 * Has the layers of a network mark the nodes that they add to the graph with their names, until the returned function is
 * called. Profiles and error messages can then say which layer it was.
 */
export function nameLayers(network: Layer): () => void {
  const named = [...network.namedSublayers()];
  for (const [name, layer] of named) {
    const forward = layer.forward.bind(layer);
    const origin = new Origin(name);
    // A field of the instance stands before the method until it is deleted.
    layer.forward = (...inputs) => {
      const outside = setOrigin(origin);
      try {
        return forward(...inputs);
      } finally {
        setOrigin(outside);
      }
    };
  }
  return () => {
    for (const [, layer] of named) Reflect.deleteProperty(layer, 'forward');
  };
}
