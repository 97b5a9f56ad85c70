/**
 * Words for the metrics of two classes: those of screening tests if the caller wants them, else general ones.
 */
export interface Wording {
  readonly heading: string;
  /** Shown with the metrics; null if nothing needs to be said. */
  readonly disclaimer: string | null;
  /** Name of the share of positive images. */
  readonly prevalence: string;
  /** Names of rows in a table. */
  readonly sensitivity: string;
  readonly specificity: string;
  readonly ppv: string;
  readonly npv: string;
  readonly truePositives: string;
  readonly falseNegatives: string;
  readonly falsePositives: string;
  readonly trueNegatives: string;
  /** `PPV and NPV where 5 % have it` */
  predictive(share: string): string;
  /** Below the table. */
  readonly predictiveNote: string;
  /** Axes of curves. */
  readonly sensitivityAxis: string;
  readonly falsePositiveAxis: string;
  readonly precisionAxis: string;
  readonly recallAxis: string;
  /** Property of 80 % of the images with a probability of 80 %. */
  readonly holds: string;
  /** Heading of the plot of calibration. */
  readonly calibration: string;
  /** Names of images without and with the positive class. */
  readonly without: string;
  readonly with: string;
}

/** Shown with the metrics of a screening test. */
export const noMedicalDevice =
  'Fovea is no medical device. These metrics describe this set of pictures only: they say nothing about ' +
  'other cameras, clinics or people, and must not guide the care of anybody.';

const screening: Wording = {
  heading: 'As a screening test',
  disclaimer: noMedicalDevice,
  prevalence: 'Prevalence',
  sensitivity: 'Sensitivity: of those that have it, found',
  specificity: 'Specificity: of those that do not, cleared',
  ppv: 'PPV: of those called positive, have it',
  npv: 'NPV: of those called negative, do not',
  truePositives: 'Found (true positives)',
  falseNegatives: 'Missed (false negatives)',
  falsePositives: 'False alarms (false positives)',
  trueNegatives: 'Cleared (true negatives)',
  predictive: (share) => `PPV and NPV where ${share} have it`,
  predictiveNote: 'PPV and NPV depend on how frequent the condition is',
  sensitivityAxis: 'Sensitivity: found',
  falsePositiveAxis: '1 − specificity: false alarms',
  precisionAxis: 'Precision: of those called positive, have it',
  recallAxis: 'Recall: found',
  holds: 'have it',
  calibration: 'Calibration: can its probabilities be believed?',
  without: 'without',
  with: 'with',
};

function general(positive: string, other: string): Wording {
  return {
    heading: 'The decision between two classes',
    disclaimer: null,
    prevalence: `Share of ${positive}`,
    sensitivity: `Sensitivity (recall): of ${positive}, taken for it`,
    specificity: `Specificity: of ${other}, taken for it`,
    ppv: `Precision (PPV): of those taken for ${positive}, right`,
    npv: `NPV: of those taken for ${other}, right`,
    truePositives: `${positive} taken for ${positive} (true positives)`,
    falseNegatives: `${positive} taken for ${other} (false negatives)`,
    falsePositives: `${other} taken for ${positive} (false positives)`,
    trueNegatives: `${other} taken for ${other} (true negatives)`,
    predictive: (share) => `Precision and NPV where ${share} are ${positive}`,
    predictiveNote: `Precision and NPV depend on the share of ${positive}`,
    sensitivityAxis: 'Sensitivity (recall)',
    falsePositiveAxis: '1 − specificity: false positives',
    precisionAxis: 'Precision',
    recallAxis: 'Recall',
    holds: `are ${positive}`,
    calibration: 'Calibration: can its probabilities be believed?',
    without: other,
    with: positive,
  };
}

/** @param positive the positive class, as opposed to `other` */
export function wordingFor(isTest: boolean, positive: string, other: string): Wording {
  return isTest ? screening : general(positive, other);
}

/** Precedes the disclaimer if the network was trained without photographs. */
export const trainedOnDrawings =
  'This network was trained on drawn pictures, not on photographs: of real eyes its answers say nothing.';
