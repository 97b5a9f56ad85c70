/** Where progress is written: `process.stderr`, or anything like it. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/**
 * A standard stream to which the library writes. A reader that goes away (`node train.js | head`) must not
 * end a training with unsaved work: after a failed write, output is dropped.
 */
class Output implements ProgressStream {
  readonly #stream: () => NodeJS.WriteStream;
  #lost = false;
  #pending = 0;

  constructor(stream: () => NodeJS.WriteStream) {
    this.#stream = stream;
  }

  get isTTY(): boolean {
    return !this.#lost && this.#stream().isTTY === true;
  }

  get columns(): number | undefined {
    return this.#stream().columns;
  }

  write(text: string): void {
    if (this.#lost) return;
    const stream = this.#stream();
    // Only errors of these writes are handled, as `console.log` does it.
    this.#pending += 1;
    if (this.#pending === 1) stream.on('error', this.#drop);
    stream.write(text, (error) => {
      // The event of an error comes after this call.
      if (error === null || error === undefined) this.#written(stream);
      else setImmediate(() => this.#written(stream));
    });
  }

  #written(stream: NodeJS.WriteStream): void {
    this.#pending -= 1;
    if (this.#pending === 0) stream.off('error', this.#drop);
  }

  readonly #drop = (): void => {
    this.#lost = true;
  };
}

/** `process.stdout`, whose loss ends nothing. */
export const standardOutput: ProgressStream = new Output(() => process.stdout);
/** `process.stderr`, whose loss ends nothing. */
export const standardError: ProgressStream = new Output(() => process.stderr);
