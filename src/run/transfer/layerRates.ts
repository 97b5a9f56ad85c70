import { matchingLayers } from '../../nn/freeze.js';
import { BatchNorm2D } from '../../nn/index.js';
import type { Layer } from '../../nn/layer.js';
import type { Parameter } from '../../tensor/state.js';
import type { Recipe } from '../recipe.js';

/**
 * Sets the factors of the learning rate of a network's parameters.
 *
 * @throws {InputError} for a pattern that matches no layer, naming the nearest
 */
export function setLayerRates(network: Layer, { techniques = {} }: Pick<Recipe, 'techniques'>): void {
  const { layerDecay = 1, layerRates = {} } = techniques;
  const blocks = blocksOf(network);
  for (const [place, parameters] of blocks.entries()) {
    for (const parameter of parameters) parameter.learningRate = layerDecay ** (blocks.length - 1 - place);
  }
  const layers = network.namedSublayers();
  for (const [pattern, factor] of Object.entries(layerRates)) {
    for (const name of matchingLayers(network, pattern)) {
      for (const parameter of layers.get(name)?.parameters() ?? []) parameter.learningRate = factor;
    }
  }
}

/**
 * The parameters of a network by block, from the input on: those of each field, or of each part of a field
 * that is a list of layers. Batch norm belongs to the block before it, and parameters of the network itself
 * to the first.
 */
function blocksOf(network: Layer): Parameter[][] {
  const blocks: { readonly name: string; readonly parameters: Parameter[] }[] = [];
  const layers = network.namedSublayers();
  const early: Parameter[] = [];
  for (const [name, parameter] of network.namedParameters()) {
    const [field, part] = name.split('.');
    const block = /^\d+$/.test(part ?? '') ? `${field}.${part}` : field;
    if (!layers.has(block)) {
      early.push(parameter);
      continue;
    }
    const last = blocks[blocks.length - 1];
    const joins = last !== undefined && (last.name === block || layers.get(block) instanceof BatchNorm2D);
    if (joins) last.parameters.push(parameter);
    else blocks.push({ name: block, parameters: [parameter] });
  }
  if (blocks.length > 0) blocks[0].parameters.unshift(...early);
  return blocks.map(({ parameters }) => parameters);
}
