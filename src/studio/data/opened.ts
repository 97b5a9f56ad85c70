import { FileError, InputError } from '../../errors.js';
import { labelsOf, readBatch, type Sample } from '../../io/data/dataset.js';
import { RandomGenerator } from '../../random.js';
import { findData, type NamedDataset, namedDataset, type OpenedSplit } from '../../run/catalog/datasets.js';
import { partsOf } from '../../run/dataCheck/check.js';
import { usualHoldOut } from '../../run/splits.js';
import { describePassedOver } from '../../vision/datasets/listing.js';
import { changedVersions } from '../../vision/datasets/sheets.js';
import { PictureFile } from '../../vision/images/decode.js';
import { preprocessing } from '../../vision/images/preprocess.js';
import { thumbnailPng } from '../../vision/images/thumbnail.js';
import { parseTransforms } from '../../vision/transforms/parse.js';
import type { DataLayout, DataPictures, TransformedPictures } from '../api.js';
import { Recent } from '../recent.js';

interface OpenedDataSet {
  readonly kind: NamedDataset;
  readonly title: string;
  readonly classNames: readonly string[];
  readonly parts: readonly { readonly part: string; readonly split: OpenedSplit; readonly labels: readonly number[] }[];
  readonly passedOver: string;
  readonly notes: readonly string[];
}

const kept = 3;
/** Small pictures that stay in memory. */
const keptPictures = 2000;

/** Data sets that were opened lately. Opening lists the files, and reads no picture. */
export class OpenedSets {
  readonly #recent = new Recent<OpenedDataSet>(kept);
  readonly #pictures = new Recent<Uint8Array>(keptPictures);

  /** Opens it again, after files have changed. */
  forget(data: string): void {
    this.#recent.forget(data);
  }

  #open(data: string): Promise<OpenedDataSet> {
    return this.#recent.get(data, async () => {
      const { name, location } = findData(data);
      const kind = namedDataset(name);
      const opened = await kind.open({
        location,
        images: preprocessing(),
        imageLoading: { cache: false, onBadImage: 'fail' },
        holdOut: { share: usualHoldOut, seed: 0 },
      });
      const parts: OpenedDataSet['parts'][number][] = [];
      for (const { split: role, part } of partsOf(opened)) {
        const split = await opened.open(role);
        parts.push({ part, split, labels: await labelsIn(split) });
      }
      const { title, classNames, passedOver, notes } = opened;
      return { kind, title, classNames, parts, passedOver: describePassedOver(passedOver), notes };
    });
  }

  /** How the data were understood. @throws {InputError} for data that cannot be opened */
  async layout(data: string): Promise<DataLayout> {
    const { title, classNames, parts, passedOver, notes } = await this.#open(data);
    const byPart = new Map<string, number[]>();
    for (const { part, split } of parts) {
      const counts = byPart.get(part) ?? new Array<number>(classNames.length).fill(0);
      byPart.set(
        part,
        counts.map((n, c) => n + split.classCounts[c]),
      );
    }
    return {
      title,
      classNames,
      parts: [...byPart].map(([part, counts]) => ({ part, counts })),
      passedOver,
      notes,
      isFiles: parts.every(({ split }) => split.files.every(({ label }) => label !== undefined)),
    };
  }

  /** Numbers and names of some of the pictures of a part or a class. */
  async pictures(
    data: string,
    { part, label, from, most }: { part?: string | undefined; label?: number | undefined; from: number; most: number },
  ): Promise<DataPictures> {
    const { parts, classNames } = await this.#open(data);
    const pictures: DataPictures['pictures'][number][] = [];
    let [total, first] = [0, 0];
    for (const one of parts) {
      const isPart = part === undefined || one.part === part;
      for (let i = 0; i < one.labels.length && isPart; i++) {
        if (label !== undefined && one.labels[i] !== label) continue;
        if (total >= from && total < from + most) {
          const name = one.split.nameOf(i);
          pictures.push({ picture: first + i, name, label: classNames[one.labels[i]], part: one.part });
        }
        total++;
      }
      first += one.labels.length;
    }
    return { total, pictures };
  }

  /** A picture as a small PNG file. @throws {FileError} if it is no longer there, or cannot be decoded */
  async png(data: string, picture: number, size: number): Promise<Uint8Array> {
    const { kind, split, index, label } = await this.#find(data, picture);
    return this.#pictures.get(`${data}\0${picture}\0${size}`, async () => {
      const file = split.files[index];
      if (file?.label !== undefined) return thumbnailPng(file.path, size);
      const { images, shape } = await readBatch(split.dataset.withTransform(null), Uint32Array.of(index));
      return kind.picture({ image: images, shape: shape.slice(1), label }, preprocessing());
    });
  }

  /**
   * A picture as a training reads it, and versions that transforms make of it, as PNG files.
   *
   * @throws {InputError} for transforms that are unknown or do not fit together
   * @throws {FileError} if the picture is no longer there, or cannot be decoded
   */
  async transformed(
    data: string,
    picture: number,
    { transforms, versions, seed }: { readonly transforms: string; readonly versions: number; readonly seed: number },
  ): Promise<
    Pick<TransformedPictures, 'size'> & Record<'plain', Uint8Array> & Record<'changed', readonly Uint8Array[]>
  > {
    const changed = transforms.trim() === '' ? null : parseTransforms(transforms);
    const { kind, split, index } = await this.#find(data, picture);
    const draw = (sample: Sample) => kind.picture(sample, preprocessing());
    const plain = await split.dataset.withTransform(null).get(index);
    const random = new RandomGenerator(seed);
    const samples =
      changed === null ? [] : await changedVersions(split.dataset.withTransform(changed), index, versions, random);
    const file = split.files[index];
    const header = file?.label === undefined ? null : await PictureFile.open(file.path);
    return {
      size: header && [header.width, header.height],
      plain: await draw(plain),
      changed: await Promise.all(samples.map(draw)),
    };
  }

  async #find(data: string, picture: number) {
    const { kind, parts } = await this.#open(data);
    let first = 0;
    for (const { split, labels } of parts) {
      const index = picture - first;
      first += labels.length;
      if (index < labels.length) return { kind, split, index, label: labels[index] };
    }
    throw new InputError(`[studio] picture: expected a number below ${first}, got ${picture}`);
  }

  /** The number of a picture by its name. */
  async numberOf(data: string, name: string): Promise<number> {
    const { parts } = await this.#open(data);
    let first = 0;
    for (const { split, labels } of parts) {
      for (let i = 0; i < labels.length; i++) if (split.nameOf(i) === name) return first + i;
      first += labels.length;
    }
    throw new FileError(`[studio] ${name}: expected a picture of the data, got no such one`);
  }
}

/** The classes of all samples, without reading pictures. */
async function labelsIn({ dataset, files }: OpenedSplit): Promise<number[]> {
  if (files.every(({ label }) => label !== undefined)) return files.map(({ label }) => label as number);
  return Array.from(await labelsOf(dataset));
}
