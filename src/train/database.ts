import { FileError, InputError, messageOf } from '../errors.js';

/** The parts of a browser that this module uses: the project has no types of the DOM. */
interface Request<T> {
  readonly result: T;
  readonly error: Error | null;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}
interface OpenRequest extends Request<IndexedDb> {
  onupgradeneeded: (() => void) | null;
  onblocked: (() => void) | null;
}
interface ObjectStore {
  get(key: string): Request<unknown>;
  put(value: unknown, key: string): Request<unknown>;
  delete(key: string): Request<unknown>;
}
interface Transaction {
  readonly error: Error | null;
  oncomplete: (() => void) | null;
  onerror: (() => void) | null;
  onabort: (() => void) | null;
  objectStore(name: string): ObjectStore;
}
interface IndexedDb {
  onversionchange: (() => void) | null;
  createObjectStore(name: string): ObjectStore;
  transaction(name: string, mode: 'readonly' | 'readwrite', options: { readonly durability: 'strict' }): Transaction;
  close(): void;
}
interface Browser {
  readonly indexedDB?: { open(name: string, version: number): OpenRequest };
  readonly navigator?: {
    readonly locks?: {
      request(name: string, options: { readonly signal: AbortSignal }, body: () => Promise<void>): Promise<void>;
    };
  };
}

const browser = globalThis as unknown as Browser;
const databaseName = 'fovea';
const storeName = 'checkpoints';

/** Values by key, which only one tab writes to. */
export interface Database {
  get(key: string): Promise<unknown>;
  /** Resolves once the value is on disk. */
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Resolves once another tab can open it. */
  close(): Promise<void>;
}

/**
 * Opens the database for one key.
 *
 * @throws {InputError} if another tab or worker has opened it for the same key
 * @throws {FileError} if the browser allows no storage
 */
export async function openDatabase(key: string): Promise<Database> {
  const refuse = (wish: string, error: unknown) =>
    new FileError(`[CheckpointStore] ${key}: expected ${wish}, got ${messageOf(error)}`, { cause: error });
  if (browser.indexedDB === undefined) throw refuse('a browser with IndexedDB', 'none');
  const unlock = await lock(key);
  const database = await opened(browser.indexedDB.open(databaseName, 1)).catch(async (error: unknown) => {
    await unlock();
    throw refuse('storage in this browser', error);
  });
  // Another version of the page may want to change the database.
  database.onversionchange = () => database.close();
  const change = async (work: (store: ObjectStore) => void): Promise<void> => {
    try {
      await written(database, work);
    } catch (error) {
      const full = (error as Error | null)?.name === 'QuotaExceededError';
      const todo = full ? '; free some room: the state before is kept' : '; the state before is kept';
      throw new FileError(`[CheckpointStore] ${key}: expected to save, got ${messageOf(error)}${todo}`, {
        cause: error,
      });
    }
  };
  return {
    async get(wanted) {
      try {
        const transaction = database.transaction(storeName, 'readonly', { durability: 'strict' });
        return await answered(transaction.objectStore(storeName).get(wanted));
      } catch (error) {
        throw refuse('to read the saved state', error);
      }
    },
    put: (at, value) => change((store) => store.put(value, at)),
    delete: (at) => change((store) => store.delete(at)),
    async close() {
      database.close();
      await unlock();
    },
  };
}

/** A page that is loaded again waits so many milliseconds for the end of its worker of before. */
const patience = 2000;

/** Holds the lock of a key until the returned function is called, or the tab is closed. */
async function lock(key: string): Promise<() => Promise<void>> {
  const locks = browser.navigator?.locks;
  // Pages without a secure context have no locks; there is nothing else to ask.
  if (locks === undefined) return async () => {};
  return new Promise((resolve, reject) => {
    const held = () =>
      new Promise<void>((unlock) => {
        resolve(async () => {
          unlock();
          await holding;
        });
      });
    const holding = locks.request(`fovea ${key}`, { signal: AbortSignal.timeout(patience) }, held);
    holding.catch((cause: unknown) => {
      const got = 'got one that another tab has open; close that tab';
      reject(new InputError(`[CheckpointStore] ${key}: expected a training of its own, ${got}`, { cause }));
    });
  });
}

function opened(request: OpenRequest): Promise<IndexedDb> {
  request.onupgradeneeded = () => request.result.createObjectStore(storeName);
  return answered(request);
}

function answered<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Resolves when the transaction is complete, which is after the browser has written it to disk. */
function written(database: IndexedDb, work: (store: ObjectStore) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(storeName, 'readwrite', { durability: 'strict' });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('the browser aborted it'));
    transaction.onerror = () => reject(transaction.error);
    work(transaction.objectStore(storeName));
  });
}
