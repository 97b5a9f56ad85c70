import { InputError } from '../errors.js';
import { formatShape } from '../graph/shape.js';
import { summarize } from '../nn/summary.js';
import { namedModel, usualData } from '../run/catalog/models.js';
import type { ModelOptions } from '../run/catalog/namedModel.js';
import { outputsFor } from '../run/losses.js';
import { parseSize } from '../run/optionParsers.js';
import { recipeFor } from '../run/recipe.js';
import type { NetworkLayers } from './api.js';

/**
 * The layers of a network of the catalogue, with the shapes of their outputs. Nothing is computed.
 *
 * @param inputShape `[C, H, W]`
 */
export function layersOf(model: string, options: ModelOptions, inputShape: readonly number[]): NetworkLayers {
  const network = namedModel(model).create(options, inputShape).eval();
  const { layers, parameters } = summarize(network, [1, ...inputShape]);
  // The names count all layers of the process; a network here counts its own.
  const counts = new Map<string, number>();
  const numbered = (name: string) => {
    const kind = name.replace(/_\d+$/, '');
    const n = counts.get(kind) ?? 0;
    counts.set(kind, n + 1);
    return `${kind}_${n}`;
  };
  return {
    model,
    input: inputShape,
    outputs: options.numClasses,
    parameters,
    layers: layers.map(({ name, outputShape, parameters: own }) => ({
      name: numbered(name),
      shape: outputShape,
      parameters: own,
    })),
  };
}

/**
 * The layers of a network before a training, as `fovea summary` shows them.
 *
 * @param asked.size as `--size` of a training has it. Default: that of the network
 * @param asked.classes default: those of the usual data of the network
 * @throws {InputError} for an unknown network, and for a size that it does not take
 */
export function layersBefore(
  model: string,
  asked: { readonly size?: string | undefined; readonly classes?: number | undefined },
): NetworkLayers {
  const { inputShape, anySize } = namedModel(model);
  const [channels, ...edges] = inputShape;
  const size = asked.size === undefined ? edges : parseSize(asked.size);
  if (anySize !== true && size.some((edge, i) => edge !== edges[i])) {
    throw new InputError(
      `[studio] size: expected that of ${model}, ${formatShape(edges)}, got ${formatShape(size)}; choose another network`,
    );
  }
  const classes = asked.classes ?? usualData(model).classes;
  return layersOf(model, { numClasses: outputsFor(recipeFor(model, classes), classes) }, [channels, ...size]);
}
