import { nodesBehind } from '../graph/walk.js';
import type { Layer, LayerJson } from '../nn/layer.js';
import type { GeneratorState, RandomGenerator } from '../random.js';
import type { Tensor } from '../tensor/tensor.js';
import { version } from '../version.js';
import type { TrainOptions } from './options.js';

// A resumed training needs the network of before. Shapes of parameters do not show a dropout, the momentum of
// a batch norm, or the kind of a pooling.

/** Layers with options or without layers inside, by name: `Dropout(p=0.5, mode=upscaleInTrain)`. */
export function describeLayers(network: Layer): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = ({ type, options, sublayers }: LayerJson, name: string) => {
    const inside = Object.entries(sublayers);
    if (options !== '' || inside.length === 0) found[name === '' ? 'network' : name] = `${type}(${options})`;
    for (const [child, layer] of inside) visit(layer, name === '' ? child : `${name}.${child}`);
  };
  visit(network.toJSON(), '');
  return found;
}

/** The names of parameters that are not trained. */
export function frozenParameters(network: Layer): string[] {
  return [...network.namedParameters()].filter(([, { trainable }]) => !trainable).map(([name]) => name);
}

/**
 * The generators that layers have of their own, by the layer and its field. Their states are a part of the
 * state of a training.
 */
function generatorsOf(network: Layer): Map<string, RandomGenerator> {
  const layers = [['network', network] as const, ...network.namedSublayers()];
  return new Map(
    layers.flatMap(([name, layer]) => [...layer.ownGenerators()].map(([field, one]) => [`${name}.${field}`, one])),
  );
}

/** Parameters of ops that depend on the batch, or may change with each. */
const changing: ReadonlySet<string> = new Set([
  'shape',
  'inputShape',
  'weightShape',
  'starts',
  'sizes',
  'value',
  'scale',
  'shift',
]);

/**
 * The ops of a forward pass with their parameters, and how often each occurs. Another version of Fovea may
 * compose them otherwise, so the version is among the names.
 */
export function operationsOf(outputs: Tensor): Record<string, number> {
  const counts: Record<string, number> = { [`version ${version}`]: 1 };
  for (const { op, params } of nodesBehind(outputs.value)) {
    const own = Object.entries(params).filter(([name]) => !changing.has(name));
    const name = [op, ...own.map(([key, value]) => `${key}=${JSON.stringify(value)}`)].join(' ');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Whether two results of {@link operationsOf} are of one version and differ. */
export function operationsDiffer(
  before: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
): boolean {
  return before[`version ${version}`] === now[`version ${version}`] && entriesThatDiffer(before, now).length > 0;
}

/** The names whose entries differ, or that only one of two records has. */
export function entriesThatDiffer<T>(before: Readonly<Record<string, T>>, now: Readonly<Record<string, T>>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => before[name] !== now[name]);
}

/** Generators of the loaders and of layers, which the state of a training has beside its own. */
export function otherGenerators({ network, trainLoader, evalLoader }: TrainOptions): Map<string, RandomGenerator> {
  const found = generatorsOf(network);
  for (const [name, loader] of Object.entries({ trainLoader, evalLoader })) {
    const own = loader?.generator ?? null;
    if (own !== null) found.set(name, own);
  }
  return found;
}

export function statesOf(generators: ReadonlyMap<string, RandomGenerator>): Record<string, GeneratorState> {
  return Object.fromEntries([...generators].map(([name, one]) => [name, one.state()]));
}
