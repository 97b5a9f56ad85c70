import * as check from '../check.js';
import { FileError } from '../errors.js';
import { concatBytes } from '../io/formats/bytes.js';
import { decodeSafetensors, encodeSafetensors } from '../io/formats/safetensors.js';
import type { TensorData } from '../io/formats/tensorData.js';
import { snapshot } from '../io/snapshot.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/optimizer.js';
import type { Json } from '../text/json.js';
import type { Training } from './callback.js';
import { type Database, openDatabase } from './database.js';
import type { EpochRecord, TrainingState } from './history.js';

/** A record of the store. Numbers are in JSON and tensors in safetensors, which keep every bit. */
interface StoredCheckpoint {
  readonly format: 1;
  readonly saved: string;
  readonly state: string;
  readonly history: string;
  readonly notes: string;
  readonly weights: Uint8Array;
  readonly optimizer: Uint8Array;
}

/** A saved state of a training: give it to `train` as `from`, after {@link Checkpoint.restore}. */
export interface Checkpoint {
  /** When it was saved, as in `Date.toISOString`. */
  readonly saved: string;
  readonly state: TrainingState;
  readonly history: readonly EpochRecord[];
  /** The notes that were saved with it. */
  readonly notes: Json;
  /** Parameters and buffers by name. */
  readonly weights: ReadonlyMap<string, TensorData>;
  /**
   * Overwrites parameters, buffers and the optimizer's states.
   *
   * @throws {InputError} if they are those of another network or optimizer; nothing is overwritten then
   */
  restore(network: Layer, optimizer: Optimizer): void;
}

/**
 * The saved state of one training in the browser's IndexedDB, in a page or a worker. `train` then resumes
 * with the same bits as if it had never stopped.
 *
 * A state is saved in one transaction, so a page that is closed meanwhile keeps the state before. While a
 * store is open, no other tab can open it.
 *
 * @example
 * ```js
 * const store = await CheckpointStore.open('digits');
 * const from = await store.read();
 * from?.restore(network, optimizer);
 * const saving = { saveSteps: 500, save: store.save, from: from ?? undefined };
 * await train({ network, optimizer, loss, trainLoader, epochs: 5, ...saving });
 * ```
 */
export class CheckpointStore {
  readonly name: string;
  readonly #database: Database;

  private constructor(name: string, database: Database) {
    this.name = name;
    this.#database = database;
  }

  /**
   * @param name of the training, one for each
   * @throws {FileError} where the browser allows no storage, as in some private windows
   * @throws {InputError} if another tab or worker has it open
   */
  static async open(name: string): Promise<CheckpointStore> {
    check.requireValue('CheckpointStore', 'name', name, check.text);
    return new CheckpointStore(name, await openDatabase(name));
  }

  /**
   * The saved state; `null` if there is none.
   *
   * @throws {FileError} if it cannot be read, or is of a later version of Fovea
   */
  async read(): Promise<Checkpoint | null> {
    const stored = (await this.#database.get(this.name)) as StoredCheckpoint | undefined;
    if (stored === undefined) return null;
    if (stored.format !== 1) {
      throw new FileError(
        `[CheckpointStore] ${this.name}: expected a state of format 1, got ${stored.format}; a later version of Fovea ` +
          'saved it: load that version, or remove the state',
      );
    }
    const tensorsOf = (part: 'weights' | 'optimizer') =>
      decodeSafetensors(stored[part], `${this.name}: ${part}`).tensors;
    const [weights, states] = [tensorsOf('weights'), tensorsOf('optimizer')];
    const state = JSON.parse(stored.state) as TrainingState;
    return {
      saved: stored.saved,
      state,
      history: JSON.parse(stored.history) as readonly EpochRecord[],
      notes: JSON.parse(stored.notes) as Json,
      weights,
      restore(network, optimizer) {
        network.checkStateDict(weights);
        optimizer.loadStateDict(network.namedParameters(), states, state);
        network.loadStateDict(weights);
      },
    };
  }

  /**
   * Saves the state of a training in place of the one before. It is on disk when the promise resolves.
   *
   * @param notes saved with it: settings of the page
   * @throws {FileError} if the browser has no room; the state before stays
   */
  readonly save = async (training: Training, notes: Json = null): Promise<void> => {
    const { network, optimizer, history } = training;
    const state = training.state();
    // `concatBytes` copies, so the training may continue while the browser writes.
    const weights = concatBytes(encodeSafetensors(await snapshot(network.stateDict())));
    const states = concatBytes(encodeSafetensors(await snapshot(optimizer.stateDict(network.namedParameters()))));
    await this.#database.put(this.name, {
      format: 1,
      saved: new Date().toISOString(),
      state: JSON.stringify(state),
      history: JSON.stringify(history),
      notes: JSON.stringify(notes),
      weights,
      optimizer: states,
    } satisfies StoredCheckpoint);
  };

  /** Removes the saved state. */
  async remove(): Promise<void> {
    await this.#database.delete(this.name);
  }

  /** Lets other tabs open it. Resolves once they can. */
  close(): Promise<void> {
    return this.#database.close();
  }
}
