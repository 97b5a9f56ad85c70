import * as check from '../check.js';
import { InputError } from '../errors.js';
import { kindOf } from '../kind.js';
import { Parameter } from '../tensor/state.js';
import { nearestName } from '../text/suggest.js';
import { markFrozen } from './frozen.js';
import { aLayer, type Layer } from './layer.js';

/**
 * Freezes a network up to a layer: its parameters are no longer trained, and its layers stay in evaluation,
 * so that batch norm keeps and uses its running statistics, and dropout drops nothing. The order of layers
 * is that of `network.namedSublayers()`. Layers that were frozen before and come later are unfrozen.
 *
 * @param network the network
 * @param until name of a layer, such as `layer3`, or a pattern in which `*` stands for any text; the last
 *   layer that matches and all before it are frozen. Null unfreezes the network
 * @returns the names of the frozen layers
 * @throws {InputError} if no layer matches, naming the nearest, or if all parameters would be frozen
 *
 * @example
 * ```ts
 * const features = new nn.Sequential(new nn.Conv2D(3, 8, 3), new nn.BatchNorm2D(8));
 * const net = new nn.Sequential(features, new nn.Flatten(), new nn.Linear(8, 2));
 * nn.freeze(net, '0');
 * ```
 */
export function freeze(network: Layer, until: string | null): string[] {
  check.requireValue('freeze', 'network', network, aLayer);
  if (until === null) return freezeLayers(network, () => false);
  const names = [...network.namedSublayers().keys()];
  const end = lastOf(network, until);
  const after = names.slice(end + 1).map((name) => network.namedSublayers().get(name) as Layer);
  if (!after.some((layer) => layer.parameters().length > 0)) {
    throw new InputError(
      `[freeze] ${until}: expected a layer with others to train after it, got the last one of ${kindOf(network)}`,
    );
  }
  return freezeLayers(network, (_, place) => place <= end);
}

/**
 * Freezes the layers for which a function is true, and unfreezes all others. A layer with trained layers
 * inside is not frozen itself; parameters of the network itself are frozen if any layer is.
 *
 * @returns the names of the frozen layers
 */
export function freezeLayers(network: Layer, isFrozen: (name: string, place: number) => boolean): string[] {
  const layers = [...network.namedSublayers()];
  const trained = new Set(layers.filter(([name], place) => !isFrozen(name, place)).map(([, layer]) => layer));
  const names: string[] = [];
  for (const [name, layer] of layers) {
    const frozen = !trained.has(layer) && !layer.sublayers().some((inner) => trained.has(inner));
    if (frozen) names.push(name);
    markFrozen(layer, frozen);
    setTrainable(layer, !frozen);
  }
  setTrainable(network, names.length === 0);
  if (network.training) network.train();
  return names;
}

/** Sets it for the parameters of this layer alone. */
function setTrainable(layer: Layer, trainable: boolean): void {
  for (const state of layer.ownState().values()) if (state instanceof Parameter) state.trainable = trainable;
}

/** Place of the last layer that matches, with the layers inside it. */
function lastOf(network: Layer, until: string): number {
  check.requireValue('freeze', 'until', until, check.text);
  const layers = [...network.namedSublayers()];
  const found = matchingLayers(network, until);
  const last = found[found.length - 1];
  return layers.reduce((end, [name], i) => (name === last || name.startsWith(`${last}.`) ? i : end), -1);
}

/**
 * The names of layers that match a pattern.
 *
 * @throws {InputError} if there are none, naming the nearest
 */
export function matchingLayers(network: Layer, pattern: string): string[] {
  const names = [...network.namedSublayers().keys()];
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const matches = new RegExp(`^${parts.join('.*')}$`);
  const found = names.filter((name) => matches.test(name));
  if (found.length > 0) return found;
  const near = nearestName(pattern.replaceAll('*', ''), names);
  const direct = [...network.namedChildren().keys()];
  throw new InputError(
    `[freeze] '${pattern}': expected a layer of ${kindOf(network)} (${direct.join(', ')} and those inside), got none; ` +
      (near === null ? 'see `fovea summary`' : `did you mean ${near}?`),
  );
}
