import { InputError } from '../../../errors.js';
import type { Value } from '../../../graph/node.js';
import type { Shape } from '../../../graph/shape.js';
import { nodesBehind } from '../../../graph/walk.js';
import type { Layer } from '../../../nn/layer.js';
import { realizeAll } from '../../../tensor/evaluate.js';
import { observingForward } from '../../../tensor/forwarding.js';
import { noGrad } from '../../../tensor/noGrad.js';
import { Tensor } from '../../../tensor/tensor.js';
import { nearestName } from '../../../text/suggest.js';

/** A layer with weights inside a network, and its features. */
export interface FeatureLayer {
  /** Dotted name, as in `network.namedSublayers()`; the outermost of layers with the same features. */
  readonly name: string;
  /** `[N, C, H, W]`, or `[N, C]` behind a linear layer. */
  readonly shape: Shape;
}

/** Features of a layer, as lazy tensors. */
export interface LayerFeatures extends FeatureLayer {
  readonly features: Tensor;
}

/** The lazy features of the layers of a forward pass, and its output. */
export interface ForwardFeatures {
  readonly layers: readonly LayerFeatures[];
  readonly output: Tensor;
}

/**
 * Runs a network and gives the features of its layers with weights, in the order in which they run. Features
 * are the output after the batch norm and the activation that follow at once, since the next layer sees
 * those. The last layer, which gives the logits, is left out.
 *
 * @param network in evaluation mode
 * @param images `[N, C, H, W]`
 */
export function forwardFeatures(network: Layer, images: Tensor): ForwardFeatures {
  const names = new Map([...network.namedSublayers()].map(([name, layer]): [object, string] => [layer, name]));
  const seen: { readonly name: string; readonly value: Value }[] = [];
  const observe = (layer: object, output: unknown) => {
    const name = names.get(layer);
    if (name === undefined || !(output instanceof Tensor) || (layer as Layer).stateDict().size === 0) return;
    seen.push({ name, value: output.value });
  };
  const output = noGrad(() => observingForward(observe, () => network.forward(images)));
  const next = followers(output.value);
  const last = finished(output.value, next);
  const named = new Map<Value, string>();
  for (const { name, value } of seen) {
    const features = finished(value, next);
    if (features === last || isReshaped(features, output.value)) continue;
    if (features.shape.length !== 4 && features.shape.length !== 2) continue;
    const before = named.get(features);
    if (before === undefined || depth(name) < depth(before)) named.set(features, name);
  }
  const layers = [...named].map(([value, name]) => ({ name, shape: value.shape, features: new Tensor(value) }));
  return { layers, output };
}

const depth = (name: string) => name.split('.').length;

/** The batch norm or activation that takes a value, for each value that nothing else takes. */
function followers(output: Value): Map<Value, Value> {
  const uses = new Map<Value, number>();
  const next = new Map<Value, Value>();
  for (const node of nodesBehind(output)) {
    for (const input of node.inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
    if (node.op === 'unary' || node.op === 'batchNorm') next.set(node.inputs[0], node.outputs[0]);
  }
  for (const value of next.keys()) if (uses.get(value) !== 1) next.delete(value);
  return next;
}

function finished(value: Value, next: ReadonlyMap<Value, Value>): Value {
  for (let now = value; ; ) {
    const then = next.get(now);
    if (then === undefined) return now;
    now = then;
  }
}

/** Whether the logits are these values in another shape. */
function isReshaped(value: Value, output: Value): boolean {
  for (let now = output; now.node?.op === 'reshape'; now = now.node.inputs[0]) {
    if (now.node.inputs[0] === value) return true;
  }
  return false;
}

/**
 * The layers of a network that {@link featureMaps} and {@link channelActivity} know, with the shapes of their
 * features. Nothing is computed.
 *
 * @param inputShape `[N, C, H, W]`
 */
export function featureLayers(network: Layer, inputShape: Shape): FeatureLayer[] {
  const { layers } = forwardFeatures(network, Tensor.placeholder(inputShape, 'float32'));
  return layers.map(({ name, shape }) => ({ name, shape }));
}

/** The chosen layers, in the order of the network. @throws {InputError} for a name that is not among them */
export function chosenLayers<T extends FeatureLayer>(layers: readonly T[], names: readonly string[] | undefined): T[] {
  if (names === undefined) return [...layers];
  const known = layers.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    throw new InputError(
      `[features] layers: expected some of ${known.join(', ')}, got '${name}'` +
        `${nearest === null ? '' : `; did you mean '${nearest}'?`}`,
    );
  }
  return layers.filter(({ name }) => names.includes(name));
}

/** Features of images in one layer. */
export interface FeatureMaps extends FeatureLayer {
  /** In row-major order. */
  readonly values: Float32Array;
}

/**
 * The features of images, layer by layer: after the batch norm and the activation that follow a layer.
 *
 * @param network in evaluation mode
 * @param images `[N, C, H, W]`, as the network takes them
 * @param options.layers names as {@link featureLayers} gives them. Default: all
 * @throws {InputError} for a layer that there is not
 *
 * @example
 * ```ts
 * import { randn, vision } from 'fovea';
 *
 * const net = new vision.models.course.LeNet({ numClasses: 10 }).eval();
 * const maps = await vision.explain.featureMaps(net, randn([1, 1, 28, 28]));
 * for (const { name, shape } of maps) console.log(name, shape);
 * ```
 */
export async function featureMaps(
  network: Layer,
  images: Tensor,
  options: { readonly layers?: readonly string[] | undefined } = {},
): Promise<FeatureMaps[]> {
  const layers = chosenLayers(forwardFeatures(network, images).layers, options.layers);
  await realizeAll(layers.map(({ features }) => features));
  const maps: FeatureMaps[] = [];
  for (const { name, shape, features } of layers) {
    maps.push({ name, shape, values: await features.data('float32') });
  }
  return maps;
}

/**
 * The last features of a network, from which its last layer computes the logits: `[N, C, H, W]` → `[N, F]`.
 * They say what the network sees as alike. Where a pooling gives the logits, as in SqueezeNet, they are the
 * features of the last layer before it, averaged over places.
 *
 * @param network in evaluation mode
 * @returns a lazy tensor
 * @throws {InputError} for a network without features
 */
export function lastFeatures(network: Layer, images: Tensor): Tensor {
  const { layers, output } = forwardFeatures(network, images);
  let value = output.value;
  while (value.node?.op === 'reshape') value = value.node.inputs[0];
  if (value.node?.op === 'linear') {
    const features = new Tensor(value.node.inputs[0]);
    return noGrad(() => features.reshape([images.shape[0], -1]));
  }
  const last = layers.at(-1);
  if (last === undefined) {
    throw new InputError('[features] network: expected layers with weights before the last one, got none');
  }
  return noGrad(() => (last.shape.length === 4 ? last.features.mean({ axis: [2, 3] }) : last.features));
}
