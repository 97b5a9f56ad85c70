import { requireValue } from '../../../check.js';
import { aLayer, type Layer } from '../../../nn/layer.js';

/**
 * The names that a new process of Paddle gives to the parameters of this network, by their names in the
 * network: `conv1.weight` → `conv2d_0.w_0`. Layers are numbered by class in the order in which they were
 * made.
 */
export function paddleNames(network: Layer): Map<string, string> {
  requireValue('paddleNames', 'network', network, aLayer);
  const made = [
    ['', network] as const,
    ...[...network.namedSublayers()].map(([name, sub]) => [`${name}.`, sub] as const),
  ]
    .filter(([, layer]) => layer.ownState().size > 0)
    .map(([prefix, layer]) => {
      const fullName = layer.fullName();
      const end = fullName.lastIndexOf('_');
      return { prefix, layer, kind: fullName.slice(0, end), index: Number(fullName.slice(end + 1)) };
    })
    .sort((a, b) => a.index - b.index);
  const names = new Map<string, string>();
  const layers = new Map<string, number>();
  for (const { prefix, layer, kind } of made) {
    const index = layers.get(kind) ?? 0;
    layers.set(kind, index + 1);
    const count = { w: 0, b: 0 };
    for (const field of layer.ownState().keys()) {
      // Paddle makes the running statistics of batch norm in the same way as weights.
      const suffix = field === 'bias' ? 'b' : 'w';
      names.set(prefix + field, `${kind}_${index}.${suffix}_${count[suffix]++}`);
    }
  }
  return new Map([...network.stateDict().keys()].map((name) => [name, names.get(name) as string]));
}
