import type { StoredDType } from '../../../graph/dtype.js';
import type { Address } from './system.js';

/** The library's descriptor of a piece of memory: its bytes, or the address of an object of the library. */
export interface NativeDesc {
  /** How the library's functions take it. */
  readonly argument: Uint8Array | Address;
}

/** Elements of an axis that are side by side. */
export interface Block {
  readonly axis: number;
  readonly size: number;
}

/** A layout, as far as the dialects need it. */
export interface Described {
  readonly native: NativeDesc;
  readonly dtype: StoredDType;
  /** Blocks of elements that are side by side, from the outer to the inner ones. */
  readonly blocks: readonly Block[];
}
