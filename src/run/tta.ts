import { calibrate, logLoss } from '../statistics/index.js';
import { evaluationOf } from '../train/evaluate.js';
import type { Evaluation } from '../train/evaluation.js';
import type { TransformSpec } from '../vision/transforms/transform.js';
import { logitsOf } from './predictions/predictions.js';

const across: TransformSpec = { RandomHorizontalFlip: { prob: 1 } };
const down: TransformSpec = { RandomVerticalFlip: { prob: 1 } };

/** Test-time augmentations: the views of an image whose outputs are averaged, as transforms. */
const views = {
  horizontal: [[], [across]],
  flips: [[], [across], [down], [across, down]],
} as const satisfies Record<string, readonly (readonly TransformSpec[])[]>;

export type TestTimeAugmentation = keyof typeof views;

export const augmentationNames = Object.keys(views) as readonly TestTimeAugmentation[];

/** The views of an image; the first one is the image itself. */
export function viewsOf(name: TestTimeAugmentation): readonly (readonly TransformSpec[])[] {
  return views[name];
}

/** The evaluation by the mean outputs of several views of the same images. */
export function meanEvaluation(all: readonly Evaluation[]): Evaluation {
  const [{ labels, samples, confusion, metrics }] = all;
  const classes = confusion.length;
  const outputs = Float32Array.from(all[0].outputs, (_, i) => {
    return all.reduce((sum, { outputs: own }) => sum + own[i], 0) / all.length;
  });
  const exact = calibrate({ method: 'temperature', temperature: 1 }, logitsOf(outputs, samples), classes);
  const probabilities = Float32Array.from(exact);
  const loss = logLoss({ labels, probabilities: exact, classes });
  return { ...evaluationOf({ labels, outputs, probabilities }, loss), metrics };
}
