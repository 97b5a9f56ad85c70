import type { TypedArray } from '../../graph/dtype.js';
import { type BufferSlice, type ProgramBuffer, wholeOf } from './steps.js';

/** The buffers of a program in the making, and the last use of each. */
export class Buffers {
  readonly all: ProgramBuffer[] = [];
  readonly slices = new Map<ProgramBuffer, BufferSlice>();
  readonly #lastUses = new Map<ProgramBuffer, number>();

  add(
    kind: ProgramBuffer['kind'],
    bytes: number,
    { source = -1, contents = null }: { readonly source?: number; readonly contents?: TypedArray | null } = {},
  ): ProgramBuffer {
    const buffer = { id: this.all.length, kind, bytes, source, contents };
    this.all.push(buffer);
    return buffer;
  }

  /** The buffer itself, or the one that it is a slice of. */
  wholeOf(buffer: ProgramBuffer): ProgramBuffer {
    return wholeOf(buffer, this.slices)[0];
  }

  /** Makes a buffer a slice of another one, from `offset` on. */
  makeSlice(buffer: ProgramBuffer, whole: ProgramBuffer, offset: number): void {
    this.keepUntil(whole, this.#lastUses.get(buffer) ?? -1);
    this.slices.set(buffer, { whole, offset });
  }

  /**
   * Protects the buffer until the node at index `use`. A buffer and its slices share one last use:
   * overwriting one overwrites the other.
   */
  keepUntil(buffer: ProgramBuffer, use: number): void {
    const whole = this.wholeOf(buffer);
    this.#lastUses.set(whole, Math.max(this.#lastUses.get(whole) ?? -1, use));
  }

  /** Whether no node after the one at index `node` reads the buffer. */
  isSpent(buffer: ProgramBuffer, node: number): boolean {
    return (this.#lastUses.get(this.wholeOf(buffer)) ?? Number.POSITIVE_INFINITY) <= node;
  }
}
