import { basename } from 'node:path';
import { type Dataset, labelsOf, type Sample } from '../../io/data/dataset.js';
import { RandomGenerator } from '../../random.js';
import {
  type CaptionedPicture,
  type ContactSheetOptions,
  contactSheet,
  maxPictures,
  requireCount,
} from '../images/contactSheet.js';
import type { Transformable, TransformOption } from './reading/augmenter.js';
import type { ImageFile, ImageFileDataset } from './reading/imageFiles.js';

export interface DatasetSheetOptions extends ContactSheetOptions {
  /** Pictures in all, about the same number from each class (24). */
  readonly images?: number;
  /** Seed of the choice of pictures (0). */
  readonly seed?: number;
}

/**
 * Colours of the classes on white, which colour-blind readers can distinguish too. After the last one they
 * start again.
 */
const classColours = ['#1d5fa8', '#bf4e05', '#2f7d4f', '#7b4fa3', '#8a6d00', '#0b7a85', '#a3324f', '#5b6470'];

/**
 * A contact sheet of a data set of pictures, with about as many pictures of each class. The class and the
 * file name stand below each picture, whose frame has the colour of its class. The data set's caution stands
 * below the title.
 *
 * @returns a PNG file
 * @throws as `contactSheet`
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises';
 *
 * const photos = await vision.datasets.DatasetFolder.open('photos');
 * await writeFile('sheet.png', await vision.datasets.datasetSheet(photos, { images: 40 }));
 * ```
 */
export async function datasetSheet(dataset: ImageFileDataset, options: DatasetSheetOptions = {}): Promise<Uint8Array> {
  const { images = 24, seed = 0, title, ...sheet } = options;
  requireCount('images', images, maxPictures);
  const chosen = balancedFiles(dataset, images, seed);
  const pictures = chosen.map((file) => captioned(file, dataset.classNames));
  const numbers = shares(chosen, dataset);
  const heading = title === undefined ? numbers : `${title}: ${numbers}`;
  return contactSheet(pictures, { ...cautionOf(dataset), ...sheet, title: heading });
}

export interface SampleSheetOptions extends Omit<ContactSheetOptions, 'columns'>, TransformOption {
  /** Samples, about the same number from each class (6 with a transform, else 24). */
  readonly images?: number;
  /** With a transform: changed versions beside each sample (6). */
  readonly versions?: number;
  /** Seed of the choice of samples and of their random changes (0). */
  readonly seed?: number;
  /** Makes a PNG file of a sample: the data set knows what its values mean. */
  readonly draw: (sample: Sample) => Promise<Uint8Array>;
}

/**
 * Some samples of a data set as they are. With a transform, each sample has changed versions beside it, as
 * epochs of a training would see them.
 *
 * @returns a PNG file
 * @throws as `contactSheet` and the transform
 */
export async function sampleSheet(
  dataset: Dataset & Transformable<Dataset>,
  {
    transform = null,
    images = transform === null ? 24 : 6,
    versions = 6,
    seed = 0,
    draw,
    ...sheet
  }: SampleSheetOptions,
): Promise<Uint8Array> {
  requireCount('images', images, maxPictures);
  requireCount('versions', versions, maxPictures);
  const random = new RandomGenerator(seed);
  const plain = dataset.withTransform(null);
  const changed = transform === null ? null : dataset.withTransform(transform);
  const labels = await labelsOf(dataset);
  const pictures: CaptionedPicture[] = [];
  for (const index of balanced(labels, images, random)) {
    const label = labels[index];
    const colour = classColours[Math.max(0, label) % classColours.length];
    const name = dataset.classNames?.[label] ?? 'sample';
    pictures.push({ source: await draw(await plain.get(index)), captions: [`${name} (${index})`], colour });
    const samples = changed === null ? [] : await changedVersions(changed, index, versions, random);
    for (const [i, sample] of samples.entries()) {
      pictures.push({ source: await draw(sample), captions: [`version ${i + 1}`] });
    }
  }
  return contactSheet(pictures, { ...sheet, ...(changed !== null && { columns: versions + 1 }) });
}

/**
 * Versions of a sample, as epochs of a training would see them.
 *
 * @param changed data set with random transforms
 */
export function changedVersions(
  changed: Dataset,
  index: number,
  versions: number,
  random: RandomGenerator,
): Promise<Sample[]> {
  return Promise.all(Array.from({ length: versions }, (_, i) => changed.get(index, random.fork(`${index} ${i + 1}`))));
}

/** The caution that a data set wants on its sheets. */
export function cautionOf({ caution }: ImageFileDataset): { readonly note?: string } {
  return caution === undefined ? {} : { note: caution };
}

/** A file with its class and name as captions. */
export function captioned(
  { path, label }: ImageFile,
  classNames: readonly string[],
): CaptionedPicture & { source: string } {
  const name = classNames[label];
  if (name === undefined) return { source: path, captions: [basename(path)] };
  return { source: path, captions: [name, basename(path)], colour: classColours[label % classColours.length] };
}

/** Randomly chosen files of a data set, about the same number of each class. */
export function balancedFiles(dataset: ImageFileDataset, images: number, seed = 0): ImageFile[] {
  return balanced(dataset.labels, images, new RandomGenerator(seed)).map((index) => dataset.files[index]);
}

/** Indices of samples by class, in the order of the labels. Small classes give all their samples. */
function balanced(labels: ArrayLike<number>, images: number, random: RandomGenerator): number[] {
  const all = Array.from(labels);
  const classes = [...new Set(all)].sort((a, b) => a - b);
  return classes.flatMap((label, i) => {
    const group = all.flatMap((other, index) => (other === label ? [index] : []));
    const share = Math.floor(images / classes.length) + Number(i < images % classes.length);
    return Array.from(random.permutation(group.length).subarray(0, share).sort(), (at) => group[at]);
  });
}

/** `12 of 187 non-PM, 12 of 213 PM` */
function shares(chosen: readonly ImageFile[], { files, classNames }: ImageFileDataset): string {
  const count = (all: readonly ImageFile[], wanted: number) => all.filter(({ label }) => label === wanted).length;
  const labels = [...new Set(chosen.map(({ label }) => label))];
  return labels
    .map((label) => `${count(chosen, label)} of ${count(files, label)} ${classNames[label] ?? 'pictures'}`)
    .join(', ');
}
