/** Measures the seconds of an epoch. It runs while batches are trained, not while a state is saved. */
export class EpochClock {
  /** Seconds spent waiting for batches. */
  dataSeconds = 0;
  #before = 0;
  /** When the clock was started; null while it stands still. */
  #since: number | null = null;
  #asked = 0;

  get seconds(): number {
    return this.#before + (this.#since === null ? 0 : (performance.now() - this.#since) / 1000);
  }

  start(): void {
    this.#since = performance.now();
  }

  stop(): void {
    this.#before = this.seconds;
    this.#since = null;
  }

  /** A batch is asked for. */
  ask(): void {
    this.#asked = performance.now();
  }

  /** The batch is there. */
  receive(): void {
    this.dataSeconds += (performance.now() - this.#asked) / 1000;
  }

  /** Begins an epoch, or continues one that was interrupted. */
  reset({ seconds = 0, dataSeconds = 0 }: { readonly seconds?: number; readonly dataSeconds?: number } = {}): void {
    this.#before = seconds;
    this.dataSeconds = dataSeconds;
  }
}
