import { InputError } from '../../errors.js';
import { checkBinaryScores } from '../binary.js';
import { type Interval, z95 } from '../proportion.js';
import { none } from '../value.js';
import { fitIntercept, fitLogistic } from './logistic.js';

/** An estimate with Wald's 95 % confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly standardError: number;
  readonly interval: Interval;
}

/** The logistic calibration line, or the reason why there is none. */
export type CalibrationLine =
  | {
      /** 1 is right; below 1 the probabilities are too extreme, above 1 too moderate. */
      readonly slope: Estimate;
      /** The intercept beside the slope. */
      readonly intercept: Estimate;
      /**
       * The intercept for a slope of 1, calibration in the large: 0 is right; below 0 the probabilities of
       * class 1 are too high.
       */
      readonly inTheLarge: Estimate;
    }
  | { readonly value: null; readonly reason: string };

/**
 * Slope and intercept of a logistic regression of the labels on the predicted log-odds (Cox, Biometrika
 * 1958;45:562-565; Van Calster et al., J Clin Epidemiol 2016;74:167-176).
 *
 * @param data.labels 0 or 1
 * @param data.logOdds the log-odds of class 1: the difference of two logits, or ln(p / (1 − p))
 * @throws {ShapeError | InputError} without samples, for labels other than 0 and 1, or log-odds that are not
 *   finite
 */
export function calibrationLine(data: {
  readonly labels: Int32Array | Uint8Array;
  readonly logOdds: Float32Array | Float64Array;
}): CalibrationLine {
  const { labels, logOdds } = data;
  checkBinaryScores('calibrationLine', { labels, scores: new Float64Array(logOdds.length) });
  const wrong = logOdds.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new InputError(
      `[calibrationLine] log-odds ${wrong}: expected a finite number, got ${logOdds[wrong]}; give logits, since ` +
        'probabilities may be rounded to 0 or 1',
    );
  }
  const label = labels[0];
  if (labels.every((other) => other === label)) return none(`all ${labels.length} samples are of class ${label}`);
  const line = fitLogistic(logOdds, labels);
  if ('reason' in line) return line;
  const large = fitIntercept(logOdds, labels);
  return {
    slope: estimate(line.slope, line.standardErrors.slope),
    intercept: estimate(line.intercept, line.standardErrors.intercept),
    inTheLarge: estimate(large.value, large.standardError),
  };
}

function estimate(value: number, standardError: number): Estimate {
  return { value, standardError, interval: [value - z95 * standardError, value + z95 * standardError] };
}
