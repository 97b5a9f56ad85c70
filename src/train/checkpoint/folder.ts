import { readdir, rm, stat } from 'node:fs/promises';
import { FileError, FoveaError, InputError } from '../../errors.js';
import { adviceOn, reasonOf, writeFileAtomic } from '../../io/files/atomic.js';
import { type Fingerprint, fingerprint } from '../../io/files/fingerprint.js';
import { readText } from '../../io/files/input.js';
import { type Lock, lockFolder } from '../../io/files/lock.js';
import { loadSafetensors, saveSafetensors } from '../../io/weights/safetensors.js';
import type { Layer } from '../../nn/layer.js';
import type { StateEntry } from '../../nn/stateEntries.js';
import type { Optimizer } from '../../optimizer/index.js';
import { parseRecord } from '../../text/record.js';
import type { Training } from '../callback.js';
import type { EpochRecord } from '../history.js';
import { removeLeftovers } from './leftovers.js';
import { readSteadily } from './readSteadily.js';
import { epochRecord, type SavedState, savedState } from './schema.js';
import { sealed, unsealed } from './sealed.js';
import { StateFiles, stateFile } from './stateFiles.js';

/** Name of the file with the weights, in the folder of the training. */
export const weightsFile = 'weights.safetensors';
const optimizerFile = 'optimizer.safetensors';
const metricsFile = 'metrics.jsonl';

/**
 * A folder with the state of a training:
 *
 * | file | contents |
 * |---|---|
 * | `weights.safetensors` | parameters and buffers, by name |
 * | `optimizer.safetensors` | states of the optimizer, by parameter; may be removed after the training |
 * | `metrics.jsonl` | one object per epoch |
 * | `state.json` | progress of the training; size and SHA-256 of the files above |
 *
 * `state.json` makes a saved state valid: {@link StateFiles}.
 */
export class StateFolder {
  readonly path: string;
  readonly #others: readonly string[];
  readonly #metadata: Readonly<Record<string, string>>;
  #state: SavedState | null = null;
  /** The contents of state.json. */
  #text: string | null = null;
  /** The contents of state.json whose files are being searched for. */
  #sought: string | null = null;
  #history: readonly EpochRecord[] = [];
  readonly #files: StateFiles;
  #lock: Lock | null = null;

  /**
   * @param others other files of the folder, whose contents must not change from state to state
   * @param metadata identifies the owner of the tensors when a file is found alone
   */
  constructor(path: string, others: readonly string[] = [], metadata: Readonly<Record<string, string>> = {}) {
    this.path = path;
    this.#files = new StateFiles(path);
    this.#others = others;
    this.#metadata = metadata;
  }

  /** Whether a state is saved in the folder. */
  async hasState(): Promise<boolean> {
    return (await readdir(this.path).catch((): string[] => [])).includes(stateFile);
  }

  /**
   * Prevents other trainings from writing to the folder, and removes incomplete files of a killed training.
   *
   * @throws {InputError} if another training writes to it, or has saved a state that this one does not know
   */
  async lock(): Promise<void> {
    const lock = await lockFolder(this.path, 'run');
    try {
      if ((await this.#stateText()) !== this.#text) {
        throw new InputError(
          `[run] ${this.path}: expected the folder as it was when it was opened, got one that another training has ` +
            'written to meanwhile; choose another folder, or continue that training',
        );
      }
      await removeLeftovers(this.path, [...this.#others, stateFile, weightsFile, optimizerFile, metricsFile]);
    } catch (error) {
      await lock.release();
      throw error;
    }
    this.#lock = lock;
  }

  /**
   * Calls a function while no other training writes to the folder, so that all files it reads are of one
   * state.
   *
   * @throws {InputError} if another training writes to it
   */
  async locked<T>(body: () => Promise<T>): Promise<T> {
    this.#lock = await lockFolder(this.path, 'run');
    try {
      return await body();
    } finally {
      await this.unlock();
    }
  }

  async unlock(): Promise<void> {
    await this.#lock?.release();
    this.#lock = null;
  }

  /** Whether a state was saved or read by this object. */
  get isSaved(): boolean {
    return this.#state !== null;
  }

  /** The newest saved state. */
  get state(): SavedState {
    if (this.#state === null)
      throw new FileError(`[run] ${this.#files.path(stateFile)}: expected a saved state, got none`);
    return this.#state;
  }

  /** Path of the saved parameters and buffers. */
  get weightsPath(): string {
    return this.#files.place(weightsFile);
  }

  /** SHA-256 of the file with the saved parameters and buffers. */
  get weightsSha256(): string {
    return this.state.files[weightsFile].sha256;
  }

  /** Contents of `metrics.jsonl`. */
  get history(): readonly EpochRecord[] {
    return this.#history;
  }

  /**
   * Saves weights, optimizer and metrics as one new state. If that fails, the previous state stays valid.
   *
   * @throws {FileError} if the folder cannot be written to, or is gone
   */
  async save(training: Training): Promise<void> {
    await this.#save(training).catch(async (error: unknown) => {
      throw await this.#saveError(error);
    });
  }

  async #saveError(cause: unknown): Promise<unknown> {
    const isThere = await stat(this.path).then(
      () => true,
      () => false,
    );
    if (!isThere) {
      const message = `[run] ${this.path}: expected the folder to save the state in, got none; do not move it`;
      return new FileError(message, { cause });
    }
    if (cause instanceof FoveaError) return cause;
    const todo = adviceOn(cause);
    const advice = todo === undefined ? '' : `; ${todo}`;
    return new FileError(`[run] ${this.path}: expected to save the state, got ${reasonOf(cause)}${advice}`, { cause });
  }

  async #save(training: Training): Promise<void> {
    const { network, optimizer, history } = training;
    const state = training.state();
    const parts: Record<string, (path: string) => Promise<void>> = {
      [weightsFile]: async (path) => saveSafetensors(network, path, this.#metadata),
      [optimizerFile]: async (path) =>
        saveSafetensors(optimizer.stateDict(network.namedParameters()), path, this.#metadata),
      [metricsFile]: (path) => writeFileAtomic(path, history.map((record) => `${JSON.stringify(record)}\n`).join('')),
    };
    const files: Record<string, Fingerprint> = {};
    await this.#requireOwn();
    await this.#files.renameNew();
    for (const name of this.#others) files[name] = await fingerprint(this.#files.path(name));
    try {
      for (const [name, write] of Object.entries(parts)) {
        const path = this.#files.newPath(name);
        await write(path);
        files[name] = await fingerprint(path);
      }
    } catch (error) {
      for (const name of Object.keys(parts)) await rm(this.#files.newPath(name), { force: true }).catch(() => {});
      throw error;
    }
    const saved: SavedState = {
      format: 2,
      saved: new Date().toISOString(),
      finished: state.epoch > training.epochs,
      training: state,
      operatingPoint: null,
      files,
    };
    await this.#write(saved);
    await this.#files.renameNew(Object.keys(parts));
    this.#history = [...history];
  }

  /**
   * A process that stood still for minutes may find that another training has the folder.
   *
   * @throws {FileError} if so
   */
  async #requireOwn(): Promise<void> {
    const text = await this.#stateText();
    const isOther = text !== null && text !== this.#text;
    if (!isOther && !(await this.#lock?.isLost())) return;
    throw new FileError(
      `[run] ${this.path}: expected to be alone there, got another training that has taken the folder over; nothing was ` +
        'saved, and the state of that training stays',
    );
  }

  /** Changes fields of the saved state other than the training itself. */
  protected async amend(changes: Partial<Pick<SavedState, 'finished'>>): Promise<void> {
    await this.#write({ ...this.state, ...changes });
  }

  /**
   * Replaces the contents of another file of the folder. A saved state, if there is one, records the new
   * digest.
   */
  protected async replace(
    name: string,
    contents: string,
    changes: Partial<Pick<SavedState, 'finished'>> = {},
  ): Promise<void> {
    if (this.#state === null) {
      await writeFileAtomic(this.#files.path(name), contents);
      return;
    }
    const path = this.#files.newPath(name);
    await writeFileAtomic(path, contents);
    await this.#write({ ...this.#state, ...changes, files: { ...this.#state.files, [name]: await fingerprint(path) } });
    await this.#files.renameNew([name]);
  }

  /** Bytes that {@link removeOptimizer} frees. */
  async optimizerBytes(): Promise<number> {
    const sizes = this.#optimizerPaths().map((path) =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    );
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  /**
   * Removes the optimizer's state permanently. The network stays, but its training cannot be resumed. The
   * state must have been read, and the folder must be {@link locked}. A killed call leaves a valid folder,
   * and can be repeated.
   *
   * @throws {FileError} if the folder cannot be written to
   */
  async removeOptimizer(): Promise<void> {
    if (this.state.slimmed === undefined) {
      const files = Object.fromEntries(Object.entries(this.state.files).filter(([name]) => name !== optimizerFile));
      await this.#write({ ...this.state, slimmed: new Date().toISOString(), files });
    }
    // The state is rewritten first, so that no state lists a file that was removed.
    this.#files.forget(optimizerFile);
    for (const path of this.#optimizerPaths()) {
      await rm(path, { force: true }).catch((error: unknown) => {
        throw new FileError(`[run] ${path}: expected to remove it, got ${reasonOf(error)}`, { cause: error });
      });
    }
  }

  /** @throws {InputError} if the optimizer's state was removed */
  requireOptimizer(): void {
    const { slimmed } = this.state;
    if (slimmed === undefined) return;
    throw new InputError(
      `[run] ${this.path}: expected the optimizer's state, got a run from which \`fovea slim\` removed it on ` +
        `${slimmed.slice(0, 10)}, so the training cannot continue; begin another one with the weights of this run`,
    );
  }

  #optimizerPaths(): string[] {
    return [this.#files.path(optimizerFile), this.#files.newPath(optimizerFile)];
  }

  /** Overwrites the parameters and buffers of a network with the saved ones. */
  async loadWeights(network: Layer): Promise<void> {
    network.loadStateDict(await this.#tensorsOf(weightsFile));
  }

  /**
   * Overwrites the states of an optimizer with the saved ones; its learning rate stays.
   *
   * @throws {InputError} if they were removed
   */
  async loadOptimizer(optimizer: Optimizer, network: Layer): Promise<void> {
    this.requireOptimizer();
    const tensors = await this.#tensorsOf(optimizerFile);
    optimizer.loadStateDict(network.namedParameters(), tensors, this.state.training);
  }

  /**
   * Reads the saved state, and checks every file against its saved size and digest. Files that a training
   * overwrites meanwhile are read again.
   *
   * @throws {FileError} naming the file that is missing, truncated, altered or invalid
   */
  async read(): Promise<void> {
    await this.#steadily(() => this.#read());
  }

  /** Reads again while another process writes to the folder. */
  #steadily<T>(body: () => Promise<T>): Promise<T> {
    if (this.#lock !== null) return body();
    return readSteadily(this.path, body, async () => this.#sought === (await this.#stateText()));
  }

  #stateText(): Promise<string | null> {
    return readText(this.#files.path(stateFile)).catch(() => null);
  }

  /** Reads the tensors of a file, and checks afterwards that the file still belongs to the state. */
  #tensorsOf(name: string): Promise<ReadonlyMap<string, StateEntry>> {
    let stale = false;
    return this.#steadily(async () => {
      this.#sought = this.#text;
      if (stale) await this.#read();
      stale = true;
      const { tensors } = await loadSafetensors(this.#files.place(name));
      await this.#files.locate(name, this.state.files[name]);
      return tensors;
    });
  }

  async #read(): Promise<void> {
    const path = this.#files.path(stateFile);
    this.#sought = null;
    const text = await readText(path).catch((error: unknown) => {
      const why = 'the run ended before anything was saved';
      throw new FileError(`[run] ${path}: expected the saved state, got ${reasonOf(error)}; ${why}`, { cause: error });
    });
    this.#sought = text;
    const state = parseRecord(savedState, 'state', unsealed(text, path), path);
    const ours = [weightsFile, ...(state.slimmed === undefined ? [optimizerFile] : []), metricsFile];
    for (const name of [...this.#others, ...ours]) await this.#files.locate(name, state.files[name]);
    const metrics = this.#files.place(metricsFile);
    const lines = (await readText(metrics)).split('\n').slice(0, -1);
    await this.#files.locate(metricsFile, state.files[metricsFile]);
    this.#history = lines.map((line, i) => parseRecord(epochRecord, 'epoch', line, `${metrics}, line ${i + 1}`));
    this.#state = state;
    this.#text = text;
  }

  async #write(state: SavedState): Promise<void> {
    const text = sealed(state);
    await writeFileAtomic(this.#files.path(stateFile), text);
    this.#state = state;
    this.#text = text;
  }
}
