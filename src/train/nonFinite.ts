import { currentEngine } from '../engine/select.js';
import { EngineError, MemoryError } from '../errors.js';
import { isAllFinite, type TypedArray } from '../graph/dtype.js';
import type { Layer } from '../nn/layer.js';
import { nameLayers } from '../nn/layerHooks.js';
import { watchNodes } from '../runtime/realize.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ComputeScope, within } from './scope.js';

/** An array with values that are infinite or NaN. */
export interface NonFinite {
  /** `output of conv4_2 (conv2d)`, `parameter conv1.weight`, `the images`. */
  readonly what: string;
  /** The first of these values. */
  readonly value: number;
  /** The number of these values, and the number of all values. */
  readonly count: number;
  readonly total: number;
}

/** Finds values that are not finite; null if there are none. */
function check(what: () => string, data: TypedArray): NonFinite | null {
  const first = data.findIndex((x) => !Number.isFinite(x));
  if (first < 0) return null;
  let count = 0;
  for (const x of data) if (!Number.isFinite(x)) count++;
  return { what: what(), value: data[first], count, total: data.length };
}

/** Checks the images of a batch. */
export async function nonFiniteImage(images: Tensor): Promise<NonFinite | null> {
  const data = await images.data();
  return isAllFinite(data) ? null : check(() => 'the images', data);
}

/**
 * The last parameter or buffer of a network with values that are not finite. The last one is nearest to the
 * cause: where a gradient overflows, that layer and all layers before it get such values.
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
 * Runs a training step again, without its update, and checks the result of each node: first all outputs, then
 * all gradients, each in the order of their computation.
 *
 * @param objective builds the loss of the step
 * @returns null if all values were finite this time, `undefined` if there is not enough memory for this run
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
      watchNodes(currentEngine(), [loss.value, ...gradients], ({ op, origin: { layer, part } }, data) => {
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
