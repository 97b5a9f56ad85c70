import { brierScore, type Calibration, calibration, topLabelCalibration } from '../calibration.js';
import { classBrierScore, logLoss } from '../probabilityMetrics.js';
import { none } from '../value.js';
import { type Calibrator, calibrate } from './calibrator.js';
import { type CalibrationLine, calibrationLine } from './line.js';
import { checkLogits, type LogitSet } from './logits.js';

/** How well probabilities agree with shares, on one set of samples. */
export interface CalibrationSummary {
  readonly samples: number;
  /** Mean squared error of one probability of two classes, or the sum over more classes. */
  readonly brierScore: number;
  readonly logLoss: number;
  /** Reliability of the positive class of two (ten bins), or of the predicted class (15 bins). */
  readonly calibration: Calibration;
  /** Slope and intercept, for the positive class of two; null with more classes. */
  readonly line: CalibrationLine | null;
}

/**
 * Brier score, log loss, reliability curve, expected calibration error, slope and intercept of the
 * probabilities that a calibrator makes of logits.
 *
 * @param calibrator null for softmax of the logits as they are
 * @param positive the class of two that curve, slope and intercept are about. Default: 1
 * @throws {ShapeError | InputError} if the data are not valid {@link LogitSet}, or the calibrator is for
 *   two classes
 */
export function calibrationSummary(
  data: LogitSet,
  calibrator: Calibrator | null,
  positive: 0 | 1 = 1,
): CalibrationSummary {
  checkLogits('calibrationSummary', data);
  const { labels, logits, classes } = data;
  const probabilities = calibrate(calibrator ?? { method: 'temperature', temperature: 1 }, logits, classes);
  const all = { labels, probabilities, classes };
  const shared = { samples: labels.length, brierScore: classBrierScore(all), logLoss: logLoss(all) };
  if (classes !== 2) return { ...shared, calibration: topLabelCalibration(all), line: null };
  const scores = probabilities.filter((_, i) => i % 2 === positive);
  const binary = { labels: Uint8Array.from(labels, (label) => Number(label === positive)), scores };
  return {
    ...shared,
    brierScore: brierScore(binary),
    calibration: calibration(binary),
    line: lineOf(binary.labels, calibratedOdds(data, calibrator, positive)),
  };
}

/** Log-odds of the positive class, not rounded where the calibrator has a formula. */
function calibratedOdds({ logits }: LogitSet, calibrator: Calibrator | null, positive: 0 | 1): Float64Array {
  const sign = positive === 1 ? 1 : -1;
  return Float64Array.from({ length: logits.length / 2 }, (_, i) => {
    const odds = logits[2 * i + 1] - logits[2 * i];
    switch (calibrator?.method) {
      case undefined:
        return sign * odds;
      case 'temperature':
        return (sign * odds) / calibrator.temperature;
      case 'platt':
        return sign * (calibrator.intercept + calibrator.slope * odds);
      case 'isotonic': {
        const [other, one] = calibrate(calibrator, Float64Array.of(0, odds), 2);
        return sign * Math.log(one / other);
      }
    }
  });
}

function lineOf(labels: Uint8Array, logOdds: Float64Array): CalibrationLine {
  if (!logOdds.every(Number.isFinite))
    return none('some probabilities are exactly 0 or 1, whose log-odds are infinite');
  return calibrationLine({ labels, logOdds });
}
