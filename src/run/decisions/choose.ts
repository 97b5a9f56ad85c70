import {
  type Calibrator,
  calibrationSummary,
  chooseOperatingPoint,
  fitCalibrator,
  type LogitSet,
} from '../../statistics/index.js';
import type { Evaluation } from '../../train/evaluation.js';
import type { RunConfig } from '../config.js';
import { binaryScores } from '../decision.js';
import { positiveOf } from '../positive.js';
import { logitsOf } from '../predictions/predictions.js';
import { calibratedProbabilities } from './calibrated.js';
import type { ChosenPart, DecisionChoice } from './record.js';

/** The samples that choose: not those that the network was trained on. */
export type ChoosingSamples = Pick<Evaluation, 'labels' | 'probabilities'> & {
  /** `[samples, classes]`, row-major. */
  readonly logits: Float32Array;
};

export function samplesOf({ labels, probabilities, outputs }: Evaluation): ChoosingSamples {
  return { labels, probabilities, logits: logitsOf(outputs, labels.length) };
}

/** Whether a run wants a threshold or a calibration. */
export function wantsChoice({ operatingRule, calibration }: RunConfig): boolean {
  return operatingRule !== null || calibration !== undefined;
}

/**
 * Fits the calibration that a run wants, and chooses its threshold on the calibrated probabilities. A
 * value that the samples cannot give is none, with the reason.
 */
export function chooseDecision(
  config: RunConfig,
  { labels, probabilities, logits }: ChoosingSamples,
  about: { readonly weights: string; readonly weightsSha256: string; readonly part: ChosenPart },
): DecisionChoice {
  const classes = config.data.classNames.length;
  const calibration = calibrationFor(config, { labels, logits, classes });
  const calibrator = calibration !== null && 'calibrator' in calibration ? calibration.calibrator : null;
  const calibrated = calibrator === null ? probabilities : calibratedProbabilities(calibrator, { logits, classes });
  const operatingPoint = pointFor(config, { labels, probabilities: calibrated });
  return { ...about, images: labels.length, operatingPoint, calibration };
}

function calibrationFor(config: RunConfig, data: LogitSet): DecisionChoice['calibration'] {
  const {
    calibration: method,
    data: { classNames },
  } = config;
  if (method === undefined) return null;
  if (!data.logits.every(Number.isFinite)) return absent('some outputs of the network are no finite numbers');
  const fitted = fitCalibrator(method, data);
  if ('reason' in fitted) return absent(inNames(fitted.reason, classNames));
  const positive = positiveOf(config)?.index === 0 ? 0 : 1;
  const summary = (calibrator: Calibrator | null) => calibrationSummary(data, calibrator, positive);
  return { calibrator: fitted, before: summary(null), after: summary(fitted) };
}

function pointFor(
  config: RunConfig,
  data: Pick<Evaluation, 'labels' | 'probabilities'>,
): DecisionChoice['operatingPoint'] {
  const { operatingRule: rule } = config;
  const positive = positiveOf(config);
  if (rule === null || positive === null) return null;
  const scores = binaryScores(data, positive);
  const label = scores.labels[0];
  if (scores.labels.every((other) => other === label)) {
    return absent(
      `all ${scores.labels.length} images are of the class ${label === 1 ? positive.name : positive.other}`,
    );
  }
  if (scores.scores.some(Number.isNaN)) return absent('some outputs of the network are no finite numbers');
  if (scores.scores.every((score) => score === scores.scores[0])) {
    return absent('all images have the same probability, so that no threshold separates them');
  }
  return chooseOperatingPoint(scores, rule);
}

function absent(reason: string) {
  return { value: null, reason } as const;
}

/** `all samples are of class 1` with the name of the class. */
function inNames(reason: string, classNames: readonly string[]): string {
  return reason.replace(/\bof class (\d+)$/, (_, label) => `of the class ${classNames[Number(label)]}`);
}
