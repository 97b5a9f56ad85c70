import type { Memory } from './backend.js';

/** An arena is never smaller, so that it always has an address. */
export const leastArena = 64;

/** The working memory that all programs of an engine share, since they run one after another. */
export class Arena<M extends Memory> {
  memory: M;

  constructor(readonly allocate: (bytes: number) => M) {
    this.memory = allocate(leastArena);
  }

  /** Grows if needed; the contents are lost. */
  reserve(bytes: number): M {
    if (this.memory.bytes < bytes) {
      this.memory.free();
      try {
        this.memory = this.allocate(bytes);
      } catch (error) {
        // Smaller programs must not run in freed memory.
        this.memory = this.allocate(leastArena);
        throw error;
      }
    }
    return this.memory;
  }

  /** Keeps at most so many bytes. */
  shrink(bytes: number): void {
    if (this.memory.bytes <= Math.max(leastArena, bytes)) return;
    this.memory.free();
    this.memory = this.allocate(leastArena);
  }
}
