import { namedDataset } from '../catalog/datasets.js';
import type { RunConfig } from '../config.js';

/**
 * Choices of a training by its validation images. Metrics on the images that chose are better than on others.
 */
export function choicesOf({ recipe }: Pick<RunConfig, 'recipe'>): string[] {
  const { saveBest, earlyStopping, schedule } = recipe.techniques ?? {};
  const onTraining = (saveBest ?? 'loss').startsWith('train_');
  return [
    ...(saveBest === undefined || onTraining ? [] : [`the best epoch, by ${saveBest}`]),
    ...(earlyStopping === undefined || onTraining ? [] : ['the end of the training']),
    ...(schedule?.name === 'ReduceOnPlateau' ? ['the learning rate'] : []),
  ];
}

/** How far metrics on the validation images are optimistic, in sentences; null for a run with test images. */
export function optimismNote(config: Pick<RunConfig, 'recipe' | 'data'>): string | null {
  if (config.data.test !== undefined) return null;
  const choices = choicesOf(config);
  const name = namedDataset(config.data.name).evalName;
  if (choices.length === 0) {
    return (
      `There are no images apart from training and ${name}. Nothing in this training was chosen by the ${name} images; ` +
      'where epochs, recipe or network are chosen by these metrics, the metrics become optimistic.'
    );
  }
  return (
    `These metrics are optimistic: the same ${name} images chose ${choices.join(' and ')}. Images of a test part, ` +
    'which choose nothing, would have fair ones.'
  );
}
