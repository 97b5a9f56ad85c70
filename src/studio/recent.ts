/** Results of slow work, of which the newest are kept. Calls at the same time share one. */
export class Recent<T> {
  readonly #found = new Map<string, Promise<T>>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  forget(key: string): void {
    this.#found.delete(key);
  }

  get(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#found.get(key);
    const value = known ?? make();
    // The newest are last.
    this.#found.delete(key);
    this.#found.set(key, value);
    value.catch(() => this.#found.delete(key));
    for (const old of this.#found.keys()) {
      if (this.#found.size <= this.#most) break;
      this.#found.delete(old);
    }
    return value;
  }
}
