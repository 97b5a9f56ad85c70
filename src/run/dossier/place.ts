import { dirname } from 'node:path';
import { findData } from '../catalog/datasets.js';
import type { RunConfig } from '../config.js';

/** Where the pictures of a part of the data are. */
export interface PicturePlace {
  /** The table that lists them. */
  readonly table: string | undefined;
  /** The folder that their names begin at; undefined for images that are no single files. */
  readonly folder: string | undefined;
}

/** The place of the pictures of a part: test pictures may have one of their own. */
export function placeOf(data: RunConfig['data'], part: 'validation' | 'test'): PicturePlace {
  const other = part === 'test' ? data.testData : undefined;
  const { name, location } = other === undefined ? data : findData(other);
  const table = name === 'csv' ? location : undefined;
  if (data.images === null) return { table, folder: undefined };
  if (table === undefined) return { table, folder: location };
  return { table, folder: (other === undefined ? data.table?.root : undefined) ?? dirname(table) };
}
