import type { Shape } from '../../graph/shape.js';
import type { Layer } from '../../nn/layer.js';
import { observingForward } from '../../tensor/forwarding.js';
import { noGrad } from '../../tensor/noGrad.js';
import { Tensor } from '../../tensor/tensor.js';

/** A layer inside a network, with the shape of what it computes. */
export interface MapLayer {
  /** Dotted name, as in `network.namedSublayers()`. */
  readonly name: string;
  /** `[N, C, H, W]` */
  readonly shape: Shape;
}

/**
 * The layers whose features form a map, `[N, C, H, W]` of several places, in the order in which they run.
 * Nothing is computed.
 *
 * @param inputShape `[N, C, H, W]`
 */
export function mapLayers(network: Layer, inputShape: Shape): MapLayer[] {
  const names = new Map([...network.namedSublayers()].map(([name, layer]): [object, string] => [layer, name]));
  const found: MapLayer[] = [];
  const observe = (layer: object, output: unknown) => {
    const name = names.get(layer);
    if (name === undefined || !(output instanceof Tensor)) return;
    const { shape } = output;
    if (shape.length === 4 && shape[2] * shape[3] > 1) found.push({ name, shape });
  };
  noGrad(() => observingForward(observe, () => network.forward(Tensor.placeholder(inputShape, 'float32'))));
  return found;
}

/** The last layer whose features form a map; null for a network without one. */
export function lastMapLayer(network: Layer, inputShape: Shape): string | null {
  return mapLayers(network, inputShape).at(-1)?.name ?? null;
}
