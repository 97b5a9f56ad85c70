import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InputError } from '../../errors.js';
import { option } from '../../text/option.js';
import { nearestName } from '../../text/suggest.js';
import { cifar10, cifar100 } from './datasets/cifar.js';
import { csv } from './datasets/csv.js';
import { folder } from './datasets/folder.js';
import { fashionmnist, mnist } from './datasets/mnist.js';
import type { NamedDataset } from './datasets/namedDataset.js';
import { palm } from './datasets/palm.js';
import { lookUp } from './lookUp.js';
import { usualData } from './models.js';

export type {
  DataFixes,
  KnownSplit,
  NamedDataset,
  OpenedData,
  OpenedSplit,
  OpenOptions,
  PreparedImage,
  Split,
  Understanding,
} from './datasets/namedDataset.js';

/** The data sets that can be named. */
export const namedDatasets: Readonly<Record<string, NamedDataset>> = {
  mnist: withoutTable(mnist),
  fashionmnist: withoutTable(fashionmnist),
  cifar10: withoutTable(cifar10),
  cifar100: withoutTable(cifar100),
  palm: withoutTable(palm),
  folder: withoutTable(folder),
  csv,
};

/** The data set, which refuses options about a table's columns and root: they would have no effect. */
function withoutTable(dataset: NamedDataset): NamedDataset {
  return {
    ...dataset,
    async open(options) {
      const given = Object.entries(options.imageLoading?.table ?? {}).flatMap(([name, value]) => (value ? [name] : []));
      if (given.length === 0) return dataset.open(options);
      throw new InputError(
        `[data] ${given.join(', ')}: expected with a table (csv:FILE) only, got ${dataset.title}; leave it out`,
      );
    },
  };
}

/** @throws {InputError} for an unknown name */
export function namedDataset(name: string): NamedDataset {
  return lookUp('data', namedDatasets, name);
}

/** Whether the data set needs a folder or file behind the colon. */
function needsLocation({ location, locationOptional = false }: NamedDataset): boolean {
  return location !== null && !locationOptional;
}

/** How the data sets are asked for: `mnist`, `palm:DIR` and so on. */
export const dataForms: readonly string[] = Object.entries(namedDatasets).map(([name, dataset]) =>
  needsLocation(dataset) ? `${name}:${dataset.location}` : name,
);

/** A data set as it is asked for. */
export interface DataName {
  readonly name: string;
  /** The folder or file behind the colon. */
  readonly location: string | undefined;
}

/** Splits `mnist`, `palm:DIR`, `csv:FILE` into name and location. It does not look the name up. */
function parseDataName(text: string): DataName {
  const colon = text.indexOf(':');
  if (colon < 0) return { name: text, location: undefined };
  const location = text.slice(colon + 1);
  if (location === '') {
    throw new InputError(`[data] '${text}': expected a folder or file behind the colon, got nothing`);
  }
  return { name: text.slice(0, colon), location };
}

/** The data as they are asked for, with a path that does not depend on the present folder. */
export function placedData(data: string): string {
  const { name, location } = findData(data);
  return location === undefined ? name : `${name}:${resolve(location)}`;
}

/**
 * The data set that a network is trained on by default.
 *
 * @throws {InputError} listing the possible values, if that data set needs a folder or file
 */
export function dataFor(model: string): string {
  const { name } = usualData(model);
  const dataset = namedDataset(name);
  if (!needsLocation(dataset)) return name;
  const downloadable = Object.keys(namedDatasets).filter((other) => !needsLocation(namedDatasets[other]));
  throw new InputError(
    `[data] ${model}: expected data to train on, got none; give folder:DIR (a folder for each class), csv:FILE (a table with ` +
      `the columns file and label), cifar10 or another set that is downloaded (${downloadable.join(', ')}), or ${name}:${dataset.location}`,
  );
}

/**
 * Finds a data set.
 *
 * @param data as in `palm:DIR`
 * @throws {InputError} for an unknown name, or a folder or file that is missing or not wanted
 */
export function findData(data: string): DataName {
  const { name, location } = parseDataName(data);
  if (!Object.hasOwn(namedDatasets, name)) refuseIfPath(data);
  const dataset = namedDataset(name);
  if (needsLocation(dataset) && location === undefined) {
    throw new InputError(
      `[data] ${name}: expected ${name}:${dataset.location}, got no ${dataset.location === 'DIR' ? 'folder' : 'file'}; ` +
        `give it as ${option('data', `${name}:${dataset.location}`)}`,
    );
  }
  if (dataset.location === null && location !== undefined) {
    throw new InputError(
      `[data] ${data}: expected ${name} alone, got '${location}'; give a folder as ${option('dataDir')}`,
    );
  }
  return { name, location };
}

/**
 * @throws {InputError} with the right name, if there is such a folder or file, or the text can only be a path
 */
function refuseIfPath(data: string): void {
  const info = statSync(data, { throwIfNoEntry: false });
  const isTable = /\.(csv|tsv|xlsx)$/i.test(data);
  const isName = info === undefined && !isTable && !/[/\\]/.test(data);
  const names = Object.keys(namedDatasets);
  if (isName && nearestName(data, names) !== null) return;
  const kind = (info?.isDirectory() ?? !isTable) ? 'folder' : 'csv';
  throw new InputError(`[data] '${data}': expected ${names.join(', ')}, got a path; give ${kind}:${data}`);
}
