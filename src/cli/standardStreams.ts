import { reasonOf } from '../io/files/atomic.js';
import type { ProgressStream } from '../text/output.js';
import type { Terminal } from './terminal.js';

/** Codes of a stream that has lost its reader: a pipe that was closed, a terminal that is gone. */
const readerGone = ['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

/** A stream whose loss does not end the process: text that is written after an error is dropped. */
class LastingStream implements ProgressStream {
  readonly #stream: NodeJS.WriteStream;
  #lost = false;

  constructor(stream: NodeJS.WriteStream, onLoss: (error: NodeJS.ErrnoException) => void) {
    this.#stream = stream;
    // Library code may write to the stream itself, so the listener stays as long as the process.
    stream.on('error', (error) => {
      if (this.#lost) return;
      this.#lost = true;
      onLoss(error);
    });
  }

  get lost(): boolean {
    return this.#lost;
  }

  get isTTY(): boolean {
    return !this.#lost && this.#stream.isTTY === true;
  }

  get columns(): number | undefined {
    return this.#stream.columns;
  }

  write(text: string): void {
    if (!this.#lost) this.#stream.write(text);
  }
}

/**
 * Standard output and standard error of the process. If the reader of a pipe stops (`fovea … | head`), or the
 * disk of a redirection is full, the work continues without output.
 */
export class StandardStreams implements Terminal {
  readonly stdout: LastingStream;
  readonly stderr: LastingStream;
  #outputFailed = false;

  constructor({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>) {
    this.stderr = new LastingStream(stderr, () => {});
    this.stdout = new LastingStream(stdout, (error) => {
      if (readerGone.includes(error.code ?? '')) return;
      this.#outputFailed = true;
      this.stderr.write(
        `fovea: [output] standard output: expected to write it, got ${reasonOf(error)}; nothing more is printed\n`,
      );
    });
  }

  /** Whether output was lost that a reader still wants, as on a full disk. */
  get outputFailed(): boolean {
    return this.#outputFailed;
  }
}
