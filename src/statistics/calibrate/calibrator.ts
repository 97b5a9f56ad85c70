import { InputError, ShapeError } from '../../errors.js';
import { checkClassCount } from '../predictions.js';
import { type IsotonicScaling, isotonicAt, isotonicOf } from './isotonic.js';
import { checkFinite, checkLogits, type LogitSet, logOddsOf, sigmoid } from './logits.js';
import { type PlattScaling, plattOf } from './platt.js';
import { type TemperatureScaling, temperatureOf } from './temperature.js';

/** Turns logits into calibrated probabilities. Plain JSON, to be stored with a run. */
export type Calibrator = TemperatureScaling | PlattScaling | IsotonicScaling;

/** A calibrator, or the reason why none could be fitted. */
export type CalibratorFit = Calibrator | { readonly value: null; readonly reason: string };

/**
 * Fits a calibrator on logits of samples that the network was not trained on, such as the validation set.
 *
 * - `temperature`: softmax of logits divided by one number, for two classes and more.
 * - `platt`: slope and intercept of the log-odds, for two classes.
 * - `isotonic`: a curve that never falls, for two classes and some hundred samples or more.
 *
 * @throws {ShapeError | InputError} if the data are not valid {@link LogitSet}, or the method does not take
 *   as many classes
 */
export function fitCalibrator(method: Calibrator['method'], data: LogitSet): CalibratorFit {
  checkLogits('fitCalibrator', data);
  switch (method) {
    case 'temperature':
      return temperatureOf(data);
    case 'platt':
      checkTwo('fitCalibrator', method, data.classes);
      return plattOf(data.labels, logOddsOf(data.logits));
    case 'isotonic':
      checkTwo('fitCalibrator', method, data.classes);
      return isotonicOf(data.labels, logOddsOf(data.logits));
    default:
      throw new InputError(`[fitCalibrator] method: expected temperature, platt or isotonic, got ${String(method)}`);
  }
}

/**
 * Calibrated probabilities of logits.
 *
 * @param logits `[samples, classes]`, row-major
 * @returns probabilities, `[samples, classes]`
 * @throws {ShapeError | InputError} if the logits are no rows of finite numbers, or the calibrator is for
 *   two classes
 */
export function calibrate(calibrator: Calibrator, logits: LogitSet['logits'], classes: number): Float64Array {
  checkClassCount('calibrate', classes);
  if (logits.length % classes !== 0) {
    throw new ShapeError(`[calibrate] logits: expected a multiple of ${classes} classes, got ${logits.length} values`);
  }
  checkFinite('calibrate', logits);
  if (calibrator.method === 'temperature') {
    if (!(calibrator.temperature > 0 && Number.isFinite(calibrator.temperature))) {
      throw new InputError(`[calibrate] temperature: expected a number above 0, got ${calibrator.temperature}`);
    }
    return softmaxRows(logits, classes, calibrator.temperature);
  }
  checkTwo('calibrate', calibrator.method, classes);
  const positive = logOddsOf(logits).map((odds) =>
    calibrator.method === 'platt'
      ? sigmoid(calibrator.intercept + calibrator.slope * odds)
      : isotonicAt(calibrator, odds),
  );
  return Float64Array.from(logits, (_, i) => (i % 2 === 1 ? positive[i >> 1] : 1 - positive[i >> 1]));
}

function softmaxRows(logits: LogitSet['logits'], classes: number, temperature: number): Float64Array {
  const probabilities = new Float64Array(logits.length);
  for (let row = 0; row < logits.length; row += classes) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) highest = Math.max(highest, logits[row + c]);
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      probabilities[row + c] = Math.exp((logits[row + c] - highest) / temperature);
      sum += probabilities[row + c];
    }
    for (let c = 0; c < classes; c++) probabilities[row + c] /= sum;
  }
  return probabilities;
}

function checkTwo(where: string, method: string, classes: number): void {
  if (classes === 2) return;
  throw new InputError(
    `[${where}] method: expected temperature for ${classes} classes, got ${method}, which is for two`,
  );
}
