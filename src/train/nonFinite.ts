import { currentEngine } from '../engine/select.js';
import { EngineError, MemoryError } from '../errors.js';
import { isAllFinite, type TypedArray } from '../graph/dtype.js';
import type { Layer } from '../nn/layer.js';
import { nameLayers } from '../nn/layerHooks.js';
import { inspect } from '../runtime/realize.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ComputeScope, within } from './scope.js';

/** An array with values that are infinite or no numbers. */
export interface NonFinite {
  /** `output of conv4_2 (conv2d)`, `parameter conv1.weight`, `the images`. */
  readonly what: string;
  /** The first of them. */
  readonly value: number;
  /** How many there are, and of how many values. */
  readonly count: number;
  readonly total: number;
}

/** Null if all of the values are finite. */
function check(what: () => string, data: TypedArray): NonFinite | null {
  const first = data.findIndex((x) => !Number.isFinite(x));
  if (first < 0) return null;
  let count = 0;
  for (const x of data) if (!Number.isFinite(x)) count++;
  return { what: what(), value: data[first], count, total: data.length };
}

/** Looks at the images of a batch. */
export async function nonFiniteImage(images: Tensor): Promise<NonFinite | null> {
  const data = await images.data();
  return isAllFinite(data) ? null : check(() => 'the images', data);
}

/**
 * The last parameter or buffer of a network that has values which are not finite: where gradients overflow, all layers
 * from there to the first one get them.
 */
export async function nonFiniteState(network: Layer): Promise<NonFinite | null> {
  const parameters = network.namedParameters();
  for (const [name, state] of [...network.stateDict()].reverse()) {
    const found = check(() => `${parameters.has(name) ? 'parameter' : 'buffer'} ${name}`, await state.data());
    if (found !== null) return found;
  }
  return null;
}

/**
 * Runs a training step again, without its update, and looks at the result of each node: all outputs in the order of the
 * network, then the gradients in theirs.
 *
 * @param objective builds the loss of the step
 * @returns null if all was finite this time, `undefined` if memory does not suffice for such a run
 */
export async function nonFiniteInStep(
  network: Layer,
  images: Tensor,
  objective: () => Tensor,
  scope: ComputeScope = {},
): Promise<NonFinite | null | undefined> {
  const given = (await nonFiniteImage(images)) ?? (await nonFiniteState(network));
  if (given !== null) return given;
  const parameters = network.parameters();
  const clearGradients = () => {
    for (const parameter of parameters) parameter.clearGrad();
  };
  const undo = nameLayers(network);
  let found: NonFinite | null = null;
  try {
    clearGradients();
    within(scope, () => {
      const loss = objective();
      loss.backward();
      const gradients = parameters.flatMap(({ grad }) => (grad === null ? [] : [grad.value]));
      inspect(currentEngine(), [loss.value, ...gradients], ({ op, origin: { layer, part } }, data) => {
        if (op !== 'constant') found ??= check(() => placeOf(op, layer, part === 'backward'), data);
      });
    });
    return found;
  } catch (error) {
    if (error instanceof MemoryError || error instanceof EngineError) return undefined;
    throw error;
  } finally {
    clearGradients();
    undo();
  }
}

function placeOf(op: string, layer: string, backward: boolean): string {
  if (layer === '') return backward ? `gradient (${op})` : `result of ${op}`;
  if (!backward) return `output of ${layer} (${op})`;
  const weights = op.endsWith('BackwardWeights');
  return weights ? `gradient of the weights of ${layer} (${op})` : `gradient at ${layer} (${op})`;
}
