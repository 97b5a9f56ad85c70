import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FileError, InputError } from '../errors.js';
import { reasonOf, writeFileAtomic } from '../io/atomic.js';
import { loadSafetensors, saveSafetensors, type TensorData } from '../io/safetensors.js';
import type { OperatingPoint } from '../metric/index.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import type { State } from '../tensor/state.js';
import { parseRecord, type RunConfig, type SavedState } from './records.js';
import type { EpochRecord, Training } from './trainer.js';

const configFile = 'config.json';
const stateFile = 'state.json';
const weightsFile = 'weights.safetensors';
const optimizerFile = 'optimizer.safetensors';
const metricsFile = 'metrics.jsonl';
const reportFile = 'report.html';

/** Size and digest of a file, as far as `state.json` knows it. */
type Fingerprint = SavedState['files'][string];

/**
 * The folder of one training:
 *
 * | file | contents |
 * |---|---|
 * | `config.json` | everything needed to repeat the run |
 * | `weights.safetensors` | parameters and buffers, by name |
 * | `optimizer.safetensors` | the optimizer's states, by parameter |
 * | `metrics.jsonl` | one object an epoch |
 * | `state.json` | where the training stands; size and SHA-256 of the files above |
 * | `report.html` | learning curves, confusion matrix, worst mistakes |
 *
 * `state.json` makes a saved state valid. The files it speaks of are first written as `NAME.new` and take their names
 * after it: whenever the process is killed, one whole state, the old or the new one, can be read.
 */
export class RunFolder {
  readonly path: string;
  readonly config: RunConfig;
  #state: SavedState | null = null;
  #history: readonly EpochRecord[] = [];
  /** Where a file of the saved state lies, if not under its own name. */
  readonly #places = new Map<string, string>();

  private constructor(path: string, config: RunConfig) {
    this.path = path;
    this.config = config;
  }

  /**
   * Makes a new folder with its `config.json`.
   *
   * @throws {InputError} if there is a folder with something in it already, or a file of that name
   */
  static async create(path: string, config: RunConfig): Promise<RunFolder> {
    try {
      await mkdir(dirname(resolve(path)), { recursive: true });
      await mkdir(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new FileError(
          `[run] ${path}: expected to make the folder, got ${reasonOf(error)}; choose another --out`,
          {
            cause: error,
          },
        );
      }
      await requireEmpty(path);
    }
    const folder = new RunFolder(path, config);
    await writeFileAtomic(folder.#file(configFile), toJson(config));
    return folder;
  }

  /**
   * Reads a folder, and checks every file of the saved state against the size and digest it was saved with.
   *
   * @throws {FileError} naming the file that is missing, cut, altered or not what it should be
   */
  static async open(path: string): Promise<RunFolder> {
    const configPath = join(path, configFile);
    const text = await readFile(configPath, 'utf8').catch((error: unknown) => {
      throw new FileError(
        `[run] ${configPath}: expected the folder of a training (made by fovea train), got ${reasonOf(error)}`,
        { cause: error },
      );
    });
    const folder = new RunFolder(path, parseRecord('config', text, configPath));
    await folder.#readState();
    return folder;
  }

  /** The newest saved state. */
  get state(): SavedState {
    if (this.#state === null) throw new FileError(`[run] ${this.#file(stateFile)}: expected a saved state, got none`);
    return this.#state;
  }

  /** Of the saved parameters and buffers, as a file. */
  get weightsSha256(): string {
    return this.state.files[weightsFile].sha256;
  }

  /** What `metrics.jsonl` holds. */
  get history(): readonly EpochRecord[] {
    return this.#history;
  }

  /** Saves weights, optimizer and metrics as one new state. */
  async save(training: Training): Promise<void> {
    const { network, optimizer, history } = training;
    const state = training.state();
    const parts: Record<string, (path: string) => Promise<void>> = {
      [weightsFile]: async (path) => saveSafetensors(path, await snapshot(network.stateDict()), this.#stamp()),
      [optimizerFile]: async (path) =>
        saveSafetensors(path, await snapshot(optimizer.stateDict(network.namedParameters())), this.#stamp()),
      [metricsFile]: (path) => writeFileAtomic(path, history.map((record) => `${JSON.stringify(record)}\n`).join('')),
    };
    const files: Record<string, Fingerprint> = { [configFile]: await fingerprint(this.#file(configFile)) };
    await this.#finishRenames();
    try {
      for (const [name, write] of Object.entries(parts)) {
        const path = this.#file(`${name}.new`);
        await write(path);
        files[name] = await fingerprint(path);
      }
    } catch (error) {
      for (const name of Object.keys(parts)) await rm(this.#file(`${name}.new`), { force: true }).catch(() => {});
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
    await writeFileAtomic(this.#file(stateFile), sealed(saved));
    this.#state = saved;
    for (const name of Object.keys(parts)) this.#places.set(name, this.#file(`${name}.new`));
    await this.#finishRenames();
    this.#history = [...history];
  }

  /** Adds the threshold of the decision, which is chosen after the training, to the saved state. */
  async saveOperatingPoint(operatingPoint: OperatingPoint): Promise<void> {
    const saved = { ...this.state, operatingPoint };
    await writeFileAtomic(this.#file(stateFile), sealed(saved));
    this.#state = saved;
  }

  /** Overwrites the parameters and buffers of a network with the saved ones. */
  async loadWeights(network: Layer): Promise<void> {
    const { tensors } = await loadSafetensors(this.#place(weightsFile));
    network.loadStateDict(tensors);
  }

  /** Overwrites the states of an optimizer with the saved ones. */
  async loadOptimizer(optimizer: Optimizer, network: Layer): Promise<void> {
    const { tensors } = await loadSafetensors(this.#place(optimizerFile));
    optimizer.loadStateDict(network.namedParameters(), tensors, this.state.training);
    optimizer.learningRate = this.state.training.learningRate;
  }

  async writeReport(html: string): Promise<void> {
    await writeFileAtomic(this.#file(reportFile), html);
  }

  async #readState(): Promise<void> {
    const path = this.#file(stateFile);
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      const why = 'the run ended before anything was saved';
      throw new FileError(`[run] ${path}: expected the saved state, got ${reasonOf(error)}; ${why}`, { cause: error });
    });
    const state = parseRecord('state', unsealed(text, path), path);
    for (const name of [configFile, weightsFile, optimizerFile, metricsFile]) {
      await this.#locate(name, state.files[name]);
    }
    const metrics = this.#place(metricsFile);
    const lines = (await readFile(metrics, 'utf8')).split('\n').slice(0, -1);
    this.#history = lines.map((line, i) => parseRecord('epoch', line, `${metrics}, line ${i + 1}`));
    this.#state = state;
  }

  /** Finds the file that a state speaks of: under its own name, or not renamed yet. */
  async #locate(name: string, expected: Fingerprint | undefined): Promise<void> {
    if (expected === undefined) {
      throw new FileError(`[run] ${this.#file(stateFile)}: files: expected an entry for ${name}, got none`);
    }
    const fresh = this.#file(`${name}.new`);
    const found = await fingerprint(fresh).catch(() => null);
    if (found?.sha256 === expected.sha256) {
      this.#places.set(name, fresh);
      return;
    }
    const path = this.#file(name);
    const todo = 'restore it from a copy, or train again';
    const { bytes, sha256 } = await fingerprint(path).catch((error: unknown) => {
      throw new FileError(`[run] ${path}: expected ${expected.bytes} bytes, got ${reasonOf(error)}; ${todo}`, {
        cause: error,
      });
    });
    if (bytes !== expected.bytes) {
      throw new FileError(`[run] ${path}: expected ${expected.bytes} bytes, got ${bytes}; ${todo}`);
    }
    if (sha256 !== expected.sha256) {
      throw new FileError(
        `[run] ${path}: expected the contents that were saved (sha256 ${expected.sha256.slice(0, 16)}…), ` +
          `got others (${sha256.slice(0, 16)}…); ${todo}`,
      );
    }
  }

  async #finishRenames(): Promise<void> {
    for (const [name, path] of this.#places) {
      await rename(path, this.#file(name));
      this.#places.delete(name);
    }
  }

  #file(name: string): string {
    return join(this.path, name);
  }

  #place(name: string): string {
    return this.#places.get(name) ?? this.#file(name);
  }

  /** Tells whose tensors they are when a file is found alone. */
  #stamp(): Record<string, string> {
    const { model, data, version } = this.config;
    return { model: model.name, data: data.name, fovea: version };
  }
}

/** Size and SHA-256 of a file, read piece by piece. */
export async function fingerprint(path: string): Promise<Fingerprint> {
  const handle = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(1 << 20);
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, piece.length, bytes);
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
      hash.update(piece.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** One digest of several files, in order, and of their labels; the same wherever they lie. */
export async function combinedFingerprint(
  files: readonly { readonly path: string; readonly label?: number }[],
): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, label } of files) {
    const { sha256 } = await fingerprint(path).catch((error: unknown) => {
      throw new FileError(`[run] ${path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
    });
    hash.update(`${sha256} ${label ?? ''}\n`);
  }
  return hash.digest('hex');
}

async function requireEmpty(path: string): Promise<void> {
  const entries = await readdir(path).catch((error: unknown) => {
    throw new InputError(
      `[run] ${path}: expected a new or empty folder, got ${reasonOf(error)}; choose another --out`,
      {
        cause: error,
      },
    );
  });
  if (entries.length === 0) return;
  throw new InputError(
    `[run] ${path}: expected a new or empty folder, got one with ${entries.length === 1 ? 'a file' : `${entries.length} files`} ` +
      '(nothing is ever overwritten); choose another --out',
  );
}

async function snapshot(states: ReadonlyMap<string, State>): Promise<Map<string, TensorData>> {
  const tensors = new Map<string, TensorData>();
  for (const [name, state] of states) {
    tensors.set(name, { shape: state.shape, dtype: state.dtype, data: await state.data() });
  }
  return tensors;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** JSON with a digest of its own, so that an altered figure does not go unnoticed. */
function sealed(state: SavedState): string {
  return toJson({ ...state, sha256: digest(state) });
}

function unsealed(text: string, path: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FileError(`[run] ${path}: expected JSON, got ${(error as Error).message}`, { cause: error });
  }
  const { sha256, ...state } = (value ?? {}) as Record<string, unknown>;
  if (sha256 !== digest(state)) {
    throw new FileError(
      `[run] ${path}: expected the contents that were saved, got others; restore it from a copy, or train again`,
    );
  }
  return JSON.stringify(state);
}
