import { type Calibrator, calibrate } from '../../statistics/index.js';
import { evaluationOf } from '../../train/evaluate.js';
import type { Evaluation } from '../../train/evaluation.js';
import { logitsOf } from '../predictions/predictions.js';

/** Probabilities as a calibrator makes them, in float32 as those of a network. */
export function calibratedProbabilities(
  calibrator: Calibrator,
  { logits, classes }: { readonly logits: Float32Array; readonly classes: number },
): Float32Array {
  return Float32Array.from(calibrate(calibrator, logits, classes));
}

/**
 * An evaluation with calibrated probabilities, and the predictions and mistakes that follow from them. Its
 * loss stays that of the network.
 */
export function calibratedEvaluation<T extends Evaluation>(evaluation: T, calibrator: Calibrator | null): T {
  if (calibrator === null) return evaluation;
  const { labels, outputs, samples, confusion } = evaluation;
  const classes = confusion.length;
  const logits = logitsOf(outputs, samples);
  const probabilities = calibratedProbabilities(calibrator, { logits, classes });
  return { ...evaluation, ...evaluationOf({ labels, outputs, probabilities }, evaluation.loss) };
}
