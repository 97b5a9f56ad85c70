/** Delays work until its memory fits into a budget. One piece of work can always run, however large it is. */
export class ByteBudget {
  #used = 0;
  readonly #waiting: { readonly bytes: number; readonly begin: () => void }[] = [];

  constructor(readonly limit: number) {}

  /** Runs `work`, which holds this many bytes, once they are free; first come, first served. */
  async use<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) {
      await new Promise<void>((begin) => this.#waiting.push({ bytes, begin }));
    } else {
      this.#used += bytes;
    }
    try {
      return await work();
    } finally {
      this.#used -= bytes;
      this.#admit();
    }
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.limit;
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#used += next.bytes;
      next.begin();
    }
  }
}

/** The budget for files and pixels of pictures that this thread decodes. */
export const decoding = new ByteBudget(2 ** 28);
