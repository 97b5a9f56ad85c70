import { listOf, requireValue, text } from '../check.js';
import { InputError } from '../errors.js';
import { kindOf } from '../kind.js';
import { observingForward } from '../tensor/forwarding.js';
import { requireTensor, Tensor } from '../tensor/tensor.js';
import { nearestName } from '../text/suggest.js';
import { aLayer, type Layer } from './layer.js';

/** The output of a network together with those of layers inside. */
export interface LayerOutputs {
  readonly output: Tensor;
  /** By dotted name, as in `namedSublayers()`. */
  readonly layers: ReadonlyMap<string, Tensor>;
}

/**
 * Runs a network and keeps what layers inside give. They are lazy tensors of the same graph, so that `grad`
 * can differentiate with respect to them. A layer that runs several times gives its last output.
 *
 * @param names dotted names as in `network.namedSublayers()`
 * @throws {InputError} for a name that is no layer of the network, or a layer that did not run
 *
 * @example
 * ```ts
 * import { nn, randn, vision } from 'fovea';
 *
 * const net = new vision.models.course.LeNet({ numClasses: 10 }).eval();
 * const { output, layers } = nn.layerOutputs(net, ['conv1', 'conv2'], randn([1, 1, 28, 28]));
 * console.log(output.shape, layers.get('conv2')?.shape);
 * ```
 */
export function layerOutputs(network: Layer, names: readonly string[], ...inputs: Tensor[]): LayerOutputs {
  requireValue('layerOutputs', 'network', network, aLayer);
  requireValue('layerOutputs', 'layers', names, listOf(text));
  const all = network.namedSublayers();
  const wanted = new Map<object, string>();
  for (const name of names) {
    const layer = all.get(name);
    if (layer === undefined) {
      const nearest = nearestName(name, [...all.keys()]);
      throw new InputError(
        `[layerOutputs] layers: expected names of layers of the network, got '${name}'` +
          `${nearest === null ? '; network.namedSublayers() has them' : `; did you mean '${nearest}'?`}`,
      );
    }
    wanted.set(layer, name);
  }
  const layers = new Map<string, Tensor>();
  const observe = (layer: object, output: unknown) => {
    const name = wanted.get(layer);
    if (name !== undefined && output instanceof Tensor) layers.set(name, output);
  };
  const output = requireTensor(
    kindOf(network),
    observingForward(observe, () => network.forward(...inputs)),
    'result of forward',
  );
  const idle = names.find((name) => !layers.has(name));
  if (idle !== undefined) {
    throw new InputError(
      `[layerOutputs] layers: expected layers that the forward uses, got '${idle}', which did not run`,
    );
  }
  return { output, layers };
}
