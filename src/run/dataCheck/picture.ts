import type { Measured } from './measure.js';

/** A picture of a data set that is checked. */
export interface CheckedPicture {
  /** As in `split.csv`. */
  readonly name: string;
  /** Part of the data: `train`, `validation`, `test`, `all`; or the other data. */
  readonly part: string;
  readonly group: string | null;
  readonly label: number;
  /** Whether it is of the other data, and not checked itself. */
  readonly against: boolean;
  /** Null for data that are no single files. */
  readonly path: string | null;
  /** Digest of the file, or of the pixels. */
  readonly digest: string;
  /** Why it cannot be read; null if it can. */
  readonly problem: string | null;
  readonly facts: {
    readonly bytes: number | null;
    readonly format: string | null;
    readonly camera: string | null;
    readonly width: number;
    readonly height: number;
  } | null;
  /** Null for a picture that cannot be read. */
  readonly measured: Measured | null;
}
