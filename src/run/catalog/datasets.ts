import { InputError } from '../../errors.js';
import { cifar10, cifar100 } from './datasets/cifar.js';
import { csv } from './datasets/csv.js';
import { folder } from './datasets/folder.js';
import type { DatasetKind } from './datasets/kind.js';
import { fashionmnist, mnist } from './datasets/mnist.js';
import { palm } from './datasets/palm.js';

export type {
  DatasetKind,
  OpenedData,
  OpenedSplit,
  OpenOptions,
  PreparedImage,
  Split,
  Understanding,
} from './datasets/kind.js';

/** The data sets that can be asked for by name. */
export const datasetKinds: Readonly<Record<string, DatasetKind>> = {
  mnist: withoutTable(mnist),
  fashionmnist: withoutTable(fashionmnist),
  cifar10: withoutTable(cifar10),
  cifar100: withoutTable(cifar100),
  palm: withoutTable(palm),
  folder: withoutTable(folder),
  csv,
};

/** The kind, which refuses options about a table's columns and root: it would drop them in silence. */
function withoutTable(kind: DatasetKind): DatasetKind {
  return {
    ...kind,
    async open(options) {
      const given = Object.entries(options.reading?.table ?? {}).flatMap(([name, value]) => (value ? [name] : []));
      if (given.length === 0) return kind.open(options);
      throw new InputError(
        `[data] ${given.join(', ')}: expected with a table (csv:FILE) only, got ${kind.title}; leave it out`,
      );
    },
  };
}

/** A data set as it is asked for. */
export interface DataName {
  readonly name: string;
  /** What stands behind the colon. */
  readonly location: string | undefined;
}

/** `mnist`, `cifar10`, `palm:DIR`, `folder:DIR`, `csv:FILE` in two parts; the name is not looked up. */
export function parseDataName(text: string): DataName {
  const colon = text.indexOf(':');
  if (colon < 0) return { name: text, location: undefined };
  const location = text.slice(colon + 1);
  if (location === '') {
    throw new InputError(`[data] '${text}': expected a folder or file behind the colon, got nothing`);
  }
  return { name: text.slice(0, colon), location };
}
