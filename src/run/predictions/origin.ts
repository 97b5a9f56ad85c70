import type { Calibrator } from '../../statistics/index.js';
import type { RunConfig } from '../config.js';
import { type ChosenPoint, decisionRule } from '../decision.js';
import { type PositiveClass, positiveOf } from '../positive.js';
import type { PredictionsOrigin } from './record.js';

/**
 * Where predictions come from, for their record.
 *
 * @param positive of two classes; default: that of the run
 */
export function originOf(
  config: RunConfig,
  weights: PredictionsOrigin['weights'],
  {
    operatingPoint,
    calibrator,
  }: { readonly operatingPoint: ChosenPoint | null; readonly calibrator: Calibrator | null },
  parts: PredictionsOrigin['parts'],
  { positive = positiveOf(config), synthetic = config.data.synthetic }: OriginOptions = {},
): PredictionsOrigin {
  return {
    model: config.model.name,
    started: config.started,
    weights,
    parts,
    positive: positive?.name ?? null,
    threshold: positive && decisionRule(positive, operatingPoint).threshold,
    ...(calibrator !== null && { calibration: calibrator.method }),
    synthetic,
  };
}

interface OriginOptions {
  readonly positive?: PositiveClass | null | undefined;
  readonly synthetic?: boolean | undefined;
}
