import { InternalError } from '../errors.js';
import { inspect } from '../inspection.js';
import { allocate, type DType, dtypeOf, isAllFinite, type TypedArray } from './dtype.js';
import { formatShape, numel, type Shape } from './shape.js';

/** Memory that an engine owns, in any layout that its kernels need. */
export interface DeviceBuffer {
  /** A plain row-major copy. */
  read(): TypedArray;
  /** Overwrites the contents from a plain row-major array. */
  write(data: TypedArray): void;
  /** Whether all numbers are finite. */
  isFinite(): boolean;
}

/**
 * Realized data of a value: a plain JavaScript array, or memory of an engine after the engine adopted it.
 *
 * `version` counts overwrites. A lazy value remembers the version it was built on, so that one which would
 * read data that a training step has meanwhile overwritten is refused.
 */
export class Storage {
  version = 0;
  /** Scratch of graph walks: the walk that saw this storage last, and its place there. */
  mark = 0;
  place = 0;
  #host: TypedArray | null;
  #device: DeviceBuffer | null = null;

  /**
   * @param persistent parameters, buffers and optimizer states: long-lived, so that an engine may move them
   * into its own memory and layout
   */
  constructor(
    readonly shape: Shape,
    readonly dtype: DType,
    host: TypedArray | null,
    readonly persistent = false,
  ) {
    if (host !== null && (host.length !== numel(shape) || dtypeOf(host) !== dtype)) {
      throw new InternalError(`storage of ${dtype} [${shape}] given ${dtypeOf(host)} of ${host.length} elements`);
    }
    this.#host = host;
  }

  /** The plain array, if the data are in JavaScript's memory. Do not write to it. */
  get host(): TypedArray | null {
    return this.#host;
  }

  get device(): DeviceBuffer | null {
    return this.#device;
  }

  /** Hands the data over to an engine, which must already hold a copy. */
  adopt(device: DeviceBuffer): void {
    this.#device = device;
    this.#host = null;
  }

  /** Takes the data back into plain JavaScript memory (another engine wants them). */
  evict(): TypedArray {
    if (this.#device !== null) {
      this.#host = this.#device.read();
      this.#device = null;
    }
    return this.#host as TypedArray;
  }

  /** A plain row-major copy that the caller owns. */
  read(): TypedArray {
    return this.#device !== null ? this.#device.read() : (this.#host as TypedArray).slice();
  }

  /** Whether all numbers are finite; integers always are. */
  isFinite(): boolean {
    return this.#device !== null ? this.#device.isFinite() : isAllFinite(this.#host as TypedArray);
  }

  /** Overwrites the contents; every lazy value built on the old ones goes stale. */
  write(data: TypedArray): void {
    if (data.length !== numel(this.shape)) throw new InternalError('storage write of another length');
    if (this.#device !== null) this.#device.write(data);
    else (this.#host as TypedArray).set(data);
    this.version++;
  }

  toString(): string {
    return `Storage(${this.dtype} ${formatShape(this.shape)}, overwritten ${this.version} times)`;
  }

  [inspect](): string {
    return this.toString();
  }

  /** Its data may be gigabytes. */
  toJSON(): string {
    return this.toString();
  }

  /** Without data: for programs that are only planned. */
  static placeholder(shape: Shape, dtype: DType): Storage {
    return new Storage(shape, dtype, null);
  }

  static zeros(shape: Shape, dtype: DType, persistent = false): Storage {
    return new Storage(shape, dtype, allocate(dtype, numel(shape)), persistent);
  }
}
