import { join } from 'node:path';
import { FileError, PackageError } from '../../errors.js';
import type { MistakePicture } from '../../report/data.js';
import { type Block, figure, paragraph, table } from '../../report/document.js';
import { mistakesGallery } from '../../report/pictures.js';
import type { BinaryScores } from '../../statistics/index.js';
import { formatMetric } from '../../text/numbers.js';
import { thumbnailPng } from '../../vision/images/thumbnail.js';
import type { PositiveClass } from '../positive.js';
import type { Predictions } from '../predictions/predictions.js';

const mostMistakes = 12;
/** Longest edge of a picture, in pixels. */
const edge = 224;

interface Mistake {
  readonly file: string;
  readonly truth: string;
  readonly called: string;
  /** Probability of the positive class. */
  readonly score: number;
}

export interface MistakeOptions {
  readonly threshold: number;
  readonly positive: PositiveClass;
  /** Folder of the pictures; undefined for images that are no single files. */
  readonly folder: string | undefined;
}

/**
 * The wrong decisions that are farthest from the threshold: a table, and the pictures that are in their
 * place.
 */
export async function worstMistakes(
  { files, labels, classNames }: Predictions,
  { scores }: BinaryScores,
  { threshold, positive: { index, name, other }, folder }: MistakeOptions,
): Promise<Block[]> {
  const wrong = files.flatMap((file, i): Mistake[] => {
    const called = scores[i] >= threshold ? name : other;
    const isRight = (labels[i] === index) === (called === name);
    return isRight ? [] : [{ file, truth: classNames[labels[i]], called, score: scores[i] }];
  });
  if (wrong.length === 0) return [paragraph('There are none.')];
  wrong.sort((a, b) => Math.abs(b.score - threshold) - Math.abs(a.score - threshold));
  const worst = wrong.slice(0, mostMistakes);
  const pictures = folder === undefined ? [] : await picturesOf(worst, folder, name);
  return [
    ...(pictures.length === 0 ? [] : [figure(mistakesGallery(pictures))]),
    table(
      ['image', 'truth', 'called', `probability of ${name}`],
      worst.map(({ file, truth, called, score }) => [file, truth, called, formatMetric(score)]),
    ),
  ];
}

/** Pictures that are not in their place any more, or cannot be read, are left out. */
async function picturesOf(mistakes: readonly Mistake[], folder: string, positive: string): Promise<MistakePicture[]> {
  const pictures: MistakePicture[] = [];
  for (const { file, truth, called, score } of mistakes) {
    const image = await thumbnailPng(join(folder, file), edge).catch((error: unknown) => {
      if (error instanceof FileError || error instanceof PackageError) return null;
      throw error;
    });
    const probability = called === positive ? score : 1 - score;
    if (image !== null) pictures.push({ image, truth, predicted: called, probability, caption: file });
  }
  return pictures;
}
