import { createHash } from 'node:crypto';
import * as check from '../../check.js';
import { FileError, InputError } from '../../errors.js';
import { readBatch } from '../../io/data/dataset.js';
import { fingerprint } from '../../io/files/fingerprint.js';
import { eachOf } from '../../vision/eachOf.js';
import { pictureFacts } from '../../vision/images/pictureFacts.js';
import { preprocessing } from '../../vision/images/preprocess.js';
import { findData, namedDataset, type OpenedData, type OpenOptions, type Split } from '../catalog/datasets.js';
import { requireMeaning } from '../dataOptions.js';
import { usualHoldOut } from '../splits.js';
import { findCopies } from './copies.js';
import { type Finding, findingsOf } from './findings.js';
import { requireFixable } from './fixes.js';
import { measure } from './measure.js';
import type { CheckedPicture } from './picture.js';
import { type PropertyCounts, propertyCounts } from './propertyCounts.js';
import { type Shortcut, shortcutsOf } from './shortcuts.js';

export interface CheckDataOptions {
  /** Other data, whose pictures must not be among these, such as a test set. */
  readonly against?: string | undefined;
  /** Groups, such as patients; as for a training. */
  readonly group?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly imageLoading?: OpenOptions['imageLoading'];
  readonly fixes?: OpenOptions['fixes'];
  /** Out-of-fold probabilities of the pictures by name, `[classes]` each, to find wrong labels by. */
  readonly probabilities?: ReadonlyMap<string, Float32Array> | undefined;
  readonly onProgress?: OpenOptions['onProgress'];
  readonly onDownload?: OpenOptions['onDownload'];
}

/** The result of checking a data set. */
export interface DataCheck {
  readonly title: string;
  readonly classNames: readonly string[];
  readonly pictures: readonly CheckedPicture[];
  /** Pictures of each class in each part. */
  readonly counts: Readonly<Record<string, readonly number[]>>;
  /** Sizes, formats and cameras. */
  readonly properties: readonly PropertyCounts[];
  readonly findings: readonly Finding[];
  readonly shortcuts: readonly Shortcut[];
  /** Checks that were left out, with the reason. */
  readonly leftOut: readonly string[];
  readonly notes: readonly string[];
}

/** Pictures that are decoded at once. */
const atOnce = 4;
const batchSize = 256;

/**
 * Checks a data set: unreadable pictures, copies (also turned, mirrored, resized and saved again) within and
 * between parts and groups, conflicting and likely wrong labels, outliers, blur, exposure, classes, and
 * properties that alone predict the class. Nothing is changed.
 *
 * @throws {InputError} for data that cannot be opened
 */
export async function checkData(data: string, options: CheckDataOptions = {}): Promise<DataCheck> {
  check.requireValue('data check', 'data', data, check.text);
  const opened = await openToCheck(data, options);
  const pictures = await picturesIn(opened, options, null);
  if (options.against !== undefined) {
    const other = await openToCheck(options.against, {
      ...options,
      group: undefined,
      dataDir: undefined,
      fixes: undefined,
    });
    pictures.push(...(await picturesIn(other, options, options.against)));
  }
  const own = pictures.filter(({ against }) => !against);
  if (own.length === 0) throw new InputError(`[data check] ${data}: expected pictures, got none`);
  const copies = findCopies(
    pictures.map(({ measured }) => measured),
    pictures.map(({ digest }) => digest),
  );
  const { classNames } = opened;
  const { findings, leftOut } = await findingsOf(
    pictures,
    copies,
    classNames,
    opened,
    options.probabilities,
    options.onProgress,
  );
  const readable = own.filter(({ measured }) => measured !== null);
  const shortcuts = shortcutsOf(
    propertiesOf(readable),
    readable.map(({ label }) => label),
    readable.map(({ group }) => group),
    classNames.length,
  );
  const counts: Record<string, number[]> = {};
  for (const { part, label } of own) {
    counts[part] ??= new Array<number>(classNames.length).fill(0);
    counts[part][label]++;
  }
  return {
    title: opened.title,
    classNames,
    pictures,
    counts,
    properties: propertyCounts(own, classNames.length),
    findings,
    shortcuts,
    leftOut,
    notes: opened.notes,
  };
}

/** Opens data with their pictures as they are, none of them decoded yet. */
export async function openToCheck(data: string, options: CheckDataOptions): Promise<OpenedData> {
  const { name, location } = findData(data);
  const { dataDir, imageLoading, group, fixes, onProgress, onDownload } = options;
  requireMeaning({ name, location }, namedDataset(name), { dataDir, imageLoading, group });
  if (fixes !== undefined) requireFixable(name);
  return namedDataset(name).open({
    location: location ?? dataDir,
    images: preprocessing(),
    imageLoading: { ...imageLoading, onBadImage: 'fail' },
    holdOut: { share: usualHoldOut, seed: 0 },
    group,
    fixes,
    onProgress,
    onDownload,
  });
}

/** The parts of the data as they are: pictures that a training would hold out count with their part. */
export function partsOf(opened: OpenedData): { readonly split: Split; readonly part: string }[] {
  const same = (split: Split) => ({ split, part: split });
  if (opened.images === null) return [same('train'), { split: 'validation', part: 'test' }];
  const roles = opened.parts.map(({ role }) => same(role));
  if (roles.length === 0) return opened.holdOut === null ? [same('train'), same('validation')] : [same('all')];
  return opened.holdOut === null ? roles : [...roles, { split: 'validation', part: 'train' }];
}

async function picturesIn(
  opened: OpenedData,
  { onProgress }: CheckDataOptions,
  against: string | null,
): Promise<CheckedPicture[]> {
  const pictures: CheckedPicture[] = [];
  for (const { split: role, part } of partsOf(opened)) {
    const split = await opened.open(role);
    const total = split.dataset.length;
    const about = (i: number, label: number) => ({
      name: split.nameOf(i),
      part: against ?? part,
      group: split.groupOf(i),
      label,
      against: against !== null,
    });
    const found = new Array<CheckedPicture>(total);
    let done = 0;
    const onPicture = () => onProgress?.({ stage: 'looking at pictures', done: ++done, total });
    if (opened.images === null) {
      const dataset = split.dataset.withTransform(null);
      for (let begin = 0; begin < total; begin += batchSize) {
        const indices = Uint32Array.from({ length: Math.min(batchSize, total - begin) }, (_, i) => begin + i);
        const { images, shape, labels } = await readBatch(dataset, indices);
        const [, channels, height, width] = shape;
        indices.forEach((index, i) => {
          const size = channels * height * width;
          const own = images.subarray(i * size, (i + 1) * size);
          const small = { data: colours(own, channels), height, width };
          const digest = createHash('sha256').update(small.data).digest('hex');
          const facts = { bytes: null, format: null, camera: null, width, height };
          found[index] = {
            ...about(index, labels[i]),
            path: null,
            digest,
            problem: null,
            facts,
            measured: measure(small),
          };
          onPicture();
        });
      }
    } else {
      await eachOf(split.files, atOnce, async ({ path, label = -1 }, i) => {
        const { sha256: digest } = await fingerprint(path);
        try {
          const { small, ...facts } = await pictureFacts(path);
          found[i] = { ...about(i, label), path, digest, problem: null, facts, measured: measure(small) };
        } catch (error) {
          if (!(error instanceof FileError)) throw error;
          found[i] = { ...about(i, label), path, digest, problem: error.message, facts: null, measured: null };
        }
        onPicture();
      });
    }
    pictures.push(...found);
  }
  return pictures;
}

/** Bytes of red, green and blue, of values from 0 to 1, `[channels, height, width]`. */
function colours(values: Float32Array, channels: number): Uint8Array {
  const plane = values.length / channels;
  return Uint8Array.from({ length: 3 * plane }, (_, i) => {
    const channel = channels === 1 ? 0 : i % 3;
    return Math.round(255 * values[channel * plane + Math.floor(i / 3)]);
  });
}

/** Properties for the shortcut probe. Those that no picture has are left out. */
function propertiesOf(pictures: readonly CheckedPicture[]) {
  const numbers: Readonly<Record<string, (picture: CheckedPicture) => number | string | null>> = {
    'file size': ({ facts }) => facts?.bytes ?? null,
    width: ({ facts }) => facts?.width ?? null,
    height: ({ facts }) => facts?.height ?? null,
    'bytes a pixel': ({ facts }) =>
      facts === null || facts.bytes === null ? null : facts.bytes / (facts.width * facts.height),
    size: ({ facts }) => facts && `${facts.width}×${facts.height}`,
    format: ({ facts }) => facts?.format ?? null,
    'mean red': ({ measured }) => measured?.colour[0] ?? null,
    'mean green': ({ measured }) => measured?.colour[1] ?? null,
    'mean blue': ({ measured }) => measured?.colour[2] ?? null,
    brightness: ({ measured }) => measured?.brightness ?? null,
    'brightness of the border': ({ measured }) => measured?.border ?? null,
    sharpness: ({ measured }) => measured?.sharpness ?? null,
  };
  const properties = Object.entries(numbers).flatMap(([name, of]) => {
    const values = pictures.map(of);
    return values.some((value) => value === null) ? [] : [{ name, values: values as (number | string)[] }];
  });
  const cameras = pictures.map(({ facts }) => facts?.camera ?? null);
  if (cameras.some((camera) => camera !== null)) {
    properties.push({ name: 'camera', values: cameras.map((camera) => camera ?? 'not recorded') });
  }
  return properties;
}
