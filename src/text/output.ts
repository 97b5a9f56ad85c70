/** A stream for progress: `process.stderr`, or an object with the same methods. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/**
 * A standard stream to which the library writes. If its reader ends (`node train.js | head`), that must not
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
    // Like `console.log`, this handles only errors of its own writes.
    this.#pending += 1;
    if (this.#pending === 1) stream.on('error', this.#drop);
    stream.write(text, (error) => {
      // After a failed write, the error event comes later than this call.
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

/** `process.stdout`; a closed stream does not end the process. */
export const standardOutput: ProgressStream = new Output(() => process.stdout);
/** `process.stderr`; a closed stream does not end the process. */
export const standardError: ProgressStream = new Output(() => process.stderr);
