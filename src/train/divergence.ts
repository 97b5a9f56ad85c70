import { FoveaError } from '../errors.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import type { Tensor } from '../tensor/tensor.js';
import { formatCount, formatMetric } from '../text/numbers.js';
import { type NonFinite, nonFiniteImage, nonFiniteInStep, nonFiniteState } from './nonFinite.js';
import type { ComputeScope } from './scope.js';

/** The loss, an image or a parameter became infinite or NaN, so the training cannot continue. */
export class DivergenceError extends FoveaError {
  static override readonly kind: string = 'DivergenceError';

  constructor(
    message: string,
    /** Epoch, from 1. */
    readonly epoch: number,
    /** Batch, from 1; null if the value was found in the parameters or in an evaluation. */
    readonly batch: number | null,
    /** The first array with such values; null if unknown. */
    readonly nonFinite: NonFinite | null,
  ) {
    super(`[train] ${message}`);
  }
}

/** The parts of a training that the error messages show. */
interface Place {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly epoch: number;
  /** Batches of this epoch that are done. */
  readonly batch: number;
}

const adviceFor = ({ learningRate }: Optimizer) =>
  `lower the learning rate (now ${learningRate}) or look for bad images`;

const amountOf = ({ value, count, total }: NonFinite) =>
  `${formatMetric(value)} (${formatCount(count)} of ${formatCount(total)} values)`;

/** Checks images before the step, so that the error names the images and not a later result. */
export async function checkImages(images: Tensor, { epoch, batch }: Place): Promise<void> {
  const found = await nonFiniteImage(images);
  if (found === null) return;
  const where = `epoch ${epoch}, batch ${batch + 1}`;
  const message = `images: expected finite numbers, got ${amountOf(found)} in ${where}; look for bad images`;
  throw new DivergenceError(message, epoch, batch + 1, found);
}

/** Checks the state before it is evaluated and saved: the update of the last step may have overflowed. */
export async function checkState({ network, optimizer, epoch, batch }: Place): Promise<void> {
  const found = await nonFiniteState(network);
  if (found === null) return;
  const message = `${found.what}: expected finite numbers, got ${amountOf(found)} after batch ${batch} of epoch ${epoch}`;
  throw new DivergenceError(`${message}; ${adviceFor(optimizer)}`, epoch, null, found);
}

/** Checks the loss of the evaluation after an epoch. */
export function checkEvaluation(loss: number, { optimizer, epoch }: Place): void {
  if (Number.isFinite(loss)) return;
  const message = `loss: expected a finite number, got ${formatMetric(loss)} in the evaluation after epoch ${epoch}`;
  throw new DivergenceError(`${message}; ${adviceFor(optimizer)}`, epoch, null, null);
}

/** The error for a step's loss. It names the first non-finite array, which a second run of the step finds. */
export async function divergenceOf(
  loss: number,
  images: Tensor,
  objective: () => Tensor,
  { network, optimizer, epoch, batch }: Place,
  scope: ComputeScope,
): Promise<DivergenceError> {
  const found = await nonFiniteInStep(network, images, objective, scope);
  const earlier = found?.what.startsWith('parameter') ? ', left by an earlier step' : '';
  const place =
    found === undefined
      ? 'there was no memory for a second, checked run of the step'
      : found === null
        ? 'a second, checked run of the step stayed finite'
        : `first non-finite value: ${found.what}, ${amountOf(found)}${earlier}`;
  const where = `epoch ${epoch}, batch ${batch + 1}`;
  const message = `loss: expected a finite number, got ${formatMetric(loss)} in ${where}; ${place}`;
  return new DivergenceError(`${message}; ${adviceFor(optimizer)}`, epoch, batch + 1, found ?? null);
}
