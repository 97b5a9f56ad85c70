import { constants } from 'node:os';
import { complain, type Terminal } from './terminal.js';

/**
 * Signals that ask a process to stop. SIGBREAK is Ctrl-Break on Windows, SIGXCPU a limit on processor time,
 * SIGPWR a power failure. Batch systems send SIGUSR2 some time before they end a job. SIGUSR1 is Node's own.
 * Node gives SIGHUP its usual effect even under nohup.
 */
const stopSignals: readonly NodeJS.Signals[] = [
  ...(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGXCPU', 'SIGBREAK'] as const),
  ...(['SIGUSR2', 'SIGPWR', 'SIGALRM', 'SIGVTALRM'] as const),
];
const names: Readonly<Partial<Record<NodeJS.Signals, string>>> = { SIGINT: 'Ctrl-C' };

/**
 * The first signal that asks the process to stop aborts an `AbortSignal`, so that the work can be
 * ended in good order. The second one ends the process at once.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #terminal: Terminal;
  /** The work after the first signal, for its message. */
  doing: string;
  #exitCode = 0;

  /** @param doing what happens after the first signal */
  constructor(terminal: Terminal, doing = 'saving the state') {
    this.#terminal = terminal;
    this.doing = doing;
    for (const signal of knownSignals()) process.on(signal, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 128 plus the signal's number, as is usual; 0 without a signal. */
  get exitCode(): number {
    return this.#exitCode;
  }

  /** Signals have their usual effect again. */
  end(): void {
    for (const signal of knownSignals()) process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const code = 128 + constants.signals[signal];
    if (this.#exitCode !== 0) process.exit(code);
    this.#exitCode = code;
    this.#controller.abort();
    const name = names[signal] ?? signal;
    // A progress bar listens too, and must be removed first.
    process.nextTick(() => complain(this.#terminal, `${name}: ${this.doing}; once more ends at once`));
  };
}

/** The signals that this system has. */
function knownSignals(): readonly NodeJS.Signals[] {
  return stopSignals.filter((signal) => Object.hasOwn(constants.signals, signal));
}
