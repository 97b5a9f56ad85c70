import { complain, type Terminal } from './terminal.js';

/**
 * Turns the first Ctrl-C (or SIGTERM) into an aborted signal, so that the work can be ended in good order. The second
 * one ends the process at once.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #terminal: Terminal;
  readonly #doing: string;
  #exitCode = 0;

  /** @param doing what happens after the first signal */
  constructor(terminal: Terminal, doing = 'saving the state') {
    this.#terminal = terminal;
    this.#doing = doing;
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** By custom 128 and the signal's number; 0 if there was none. */
  get exitCode(): number {
    return this.#exitCode;
  }

  /** Signals have their usual effect again. */
  end(): void {
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const code = signal === 'SIGINT' ? 130 : 143;
    if (this.#exitCode !== 0) process.exit(code);
    this.#exitCode = code;
    const name = signal === 'SIGINT' ? 'Ctrl-C' : signal;
    this.#controller.abort();
    // A progress bar listens too, and has to be wiped off first.
    process.nextTick(() => complain(this.#terminal, `${name}: ${this.#doing}; once more ends at once`));
  };
}
