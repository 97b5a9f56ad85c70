import { requireValue } from '../check.js';
import { allocate } from '../graph/dtype.js';
import { checkShape, numel, type Shape } from '../graph/shape.js';
import { kindOf } from '../kind.js';
import { RandomGenerator } from '../random.js';
import { noGrad } from '../tensor/noGrad.js';
import { Parameter } from '../tensor/state.js';
import { requireTensor, Tensor } from '../tensor/tensor.js';
import { aLayer, type Layer } from './layer.js';
import { aroundForward } from './layerHooks.js';

/** One layer of a network, at the moment the input passes it. */
export interface LayerSummary {
  /** `conv2d_0` */
  readonly name: string;
  readonly type: string;
  readonly outputShape: Shape;
  /** Shapes of parameters and buffers, by field: `weight`, `bias`. */
  readonly state: Readonly<Record<string, Shape>>;
  /** Trainable values; 0 if the layer has been counted before. */
  readonly parameters: number;
}

export interface NetworkSummary {
  /** In the order in which the input passes them. */
  readonly layers: readonly LayerSummary[];
  readonly outputShape: Shape;
  readonly parameters: number;
  /** Values that are saved but not trained, such as running statistics. */
  readonly buffers: number;
}

/**
 * Sends a random input through a network and notes the output shape of each layer. Nothing is computed:
 * shapes are known without it.
 *
 * The result has the layers with parameters of their own or with no layers inside. A layer that the input
 * passes twice is there twice.
 *
 * @throws {ShapeError} if the network cannot take an input of that shape
 */
export function summarize(network: Layer, inputShape: Shape): NetworkSummary {
  requireValue('summarize', 'network', network, aLayer);
  const layers: LayerSummary[] = [];
  const counted = new Set<Layer>();
  const watched = [network, ...network.sublayers()].filter(
    (layer) => layer.ownState().size > 0 || layer.namedChildren().size === 0,
  );
  const outputShape = trace(network, inputShape, watched, (layer, _, output) => {
    layers.push(describe(layer, output, !counted.has(layer)));
    counted.add(layer);
  });
  const states = [...network.stateDict().values()];
  const buffers = states.filter((state) => !(state instanceof Parameter));
  return {
    layers,
    outputShape,
    parameters: network.parameterCount(),
    buffers: buffers.reduce((sum, { size }) => sum + size, 0),
  };
}

/**
 * Sends a random input through a network in evaluation mode. Reports each time that the input has passed one
 * of the given layers. Nothing is computed.
 *
 * @returns the shape of the output
 */
export function trace(
  network: Layer,
  inputShape: Shape,
  watched: readonly Layer[],
  onPassed: (layer: Layer, input: Tensor, output: Tensor) => void,
): Shape {
  checkShape('summary', inputShape);
  const { training } = network;
  network.eval();
  const undo = watched.map((layer) =>
    aroundForward(layer, ([input], forward) => {
      const output = requireTensor(kindOf(layer), forward(), 'result of forward');
      onPassed(layer, input, output);
      return output;
    }),
  );
  try {
    const pixels = new RandomGenerator(0).fillNormal(allocate('float32', numel(inputShape)), 0, 1);
    const output = noGrad(() => network.forward(Tensor.fromData(pixels, inputShape)));
    return requireTensor(kindOf(network), output, 'result of forward').shape;
  } finally {
    for (const restore of undo) restore();
    if (training) network.train();
  }
}

function describe(layer: Layer, output: Tensor, first: boolean): LayerSummary {
  const own = [...layer.ownState()];
  const parameters = own.reduce((sum, [, state]) => sum + (state instanceof Parameter ? state.size : 0), 0);
  return {
    name: layer.fullName(),
    type: kindOf(layer),
    outputShape: output.shape,
    state: Object.fromEntries(own.map(([name, state]) => [name, state.shape])),
    parameters: first ? parameters : 0,
  };
}
