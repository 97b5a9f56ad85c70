import { describeCalibrator } from '../../report/calibration.js';
import type { Calibrator } from '../../statistics/index.js';
import { formatCount } from '../../text/numbers.js';
import { type ChosenPoint, partNames } from '../decision.js';
import type { DecisionChoice } from './record.js';

/** Threshold and calibration that a run applies to the outputs of its network. */
export interface AppliedChoice {
  /** Threshold between two classes; null if these weights have none. */
  readonly operatingPoint: ChosenPoint | null;
  /** Makes probabilities of logits; null for softmax alone. */
  readonly calibrator: Calibrator | null;
  /** Why there is no operating point, although the run wanted one; else null. */
  readonly lacking: string | null;
}

const notChosen = 'none was chosen for these weights';

/**
 * @param choice null if nothing was chosen for the weights
 * @param wanted whether the run wants an operating point
 */
export function appliedChoice(choice: DecisionChoice | null, wanted: boolean): AppliedChoice {
  if (choice === null) return { operatingPoint: null, calibrator: null, lacking: wanted ? notChosen : null };
  const { operatingPoint: point, calibration, part } = choice;
  const calibrator = calibration !== null && 'calibrator' in calibration ? calibration.calibrator : null;
  if (point === null) return { operatingPoint: null, calibrator, lacking: wanted ? notChosen : null };
  if ('reason' in point) return { operatingPoint: null, calibrator, lacking: point.reason };
  return { operatingPoint: { ...point, part }, calibrator, lacking: null };
}

/** `temperature scaling (temperature 1.83), fitted on 80 validation images`. */
export function describeFit(calibrator: Calibrator, { images, part }: DecisionChoice): string {
  return `${describeCalibrator(calibrator)}, fitted on ${formatCount(images)} ${partNames[part]}`;
}

/** Why a calibration that was wanted could not be fitted; null if there is one, or none was wanted. */
export function lackingCalibration(choice: DecisionChoice | null): string | null {
  const calibration = choice?.calibration ?? null;
  return calibration !== null && 'reason' in calibration ? calibration.reason : null;
}
