import { inWords } from '../../text/list.js';
import { namedDataset } from '../catalog/datasets.js';
import type { RunConfig } from '../config.js';

/**
 * Choices of a training by its validation images. Metrics on the images that chose are better than on others.
 */
export function choicesOf({ recipe }: Pick<RunConfig, 'recipe'>): string[] {
  const { saveBest, earlyStopping, schedule } = recipe.techniques ?? {};
  const onTraining = (saveBest ?? 'loss').startsWith('train_');
  return [
    ...(saveBest === undefined || onTraining ? [] : [`the best epoch (by ${saveBest})`]),
    ...(earlyStopping === undefined || onTraining ? [] : ['the end of the training']),
    ...(schedule?.name === 'ReduceOnPlateau' ? ['the learning rate'] : []),
  ];
}

/** Choices after the training by the validation images. */
function laterChoicesOf({
  operatingRule,
  calibration,
  data,
}: Pick<RunConfig, 'operatingRule' | 'calibration' | 'data'>): string[] {
  if (data.fold !== undefined) return [];
  return [
    ...(operatingRule === null ? [] : ['the operating point']),
    ...(calibration === undefined ? [] : ['the calibration']),
  ];
}

/** How far metrics on the validation images are optimistic, in sentences; null for a run with test images. */
export function optimismNote(
  config: Pick<RunConfig, 'recipe' | 'data' | 'operatingRule' | 'calibration'>,
): string | null {
  if (config.data.test !== undefined) return null;
  const [choices, later] = [choicesOf(config), laterChoicesOf(config)];
  const name = namedDataset(config.data.name).evalName;
  if (choices.length + later.length === 0) {
    return (
      `There are no images apart from training and ${name}. Nothing in this training was chosen by the ${name} images; ` +
      'where epochs, recipe or network are chosen by these metrics, the metrics become optimistic.'
    );
  }
  const fair = 'Images of a test part, which choose nothing, would have fair ones.';
  if (choices.length > 0) {
    return `These metrics are optimistic: the same ${name} images chose ${inWords([...choices, ...later])}. ${fair}`;
  }
  const which = [
    ...(config.operatingRule === null ? [] : ['at the operating point']),
    ...(config.calibration === undefined ? [] : ['of calibration']),
  ];
  return `Metrics ${inWords(which)} are optimistic: the same ${name} images chose ${inWords(later)}. ${fair}`;
}
