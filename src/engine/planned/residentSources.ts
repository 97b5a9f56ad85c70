import { collectGarbage } from '#platform';
import type { Storage } from '../../graph/storage.js';
import type { Backend, Call, Memory } from './backend.js';
import type { Hoisted } from './hoist.js';
import type { Layout } from './layout.js';
import { ResidentBuffer } from './resident.js';
import type { LoweredGraph, Operand } from './steps.js';

/** Bytes of arrays whose memory is worth a collection of garbage, which takes some milliseconds. */
const muchGarbage = 2 ** 27;

/** A long-lived source of a program. */
interface Source<L extends Layout<L>, C extends Call<L>, M extends Memory> {
  readonly index: number;
  readonly operand: Operand<L>;
  /** Whether the program overwrites it. */
  readonly assigned: boolean;
  /** Whether only hoisted steps read it. */
  readonly onlyHoisted: boolean;
  /** The kernel that checks whether what it writes there is finite. */
  readonly writer: C | null;
  /** Weak, since a program in the cache must not keep the parameters of a network that is gone. */
  bound: { readonly id: number; readonly buffer: WeakRef<ResidentBuffer<L, C, M>> } | null;
  /** A copy in the program's layout, for data in another layout. */
  copy: {
    readonly buffer: ResidentBuffer<L, C, M>;
    readonly storage: WeakRef<Storage>;
    readonly version: number;
  } | null;
  /** The data, and their version, when the hoisted steps ran last. */
  seen: { readonly storage: WeakRef<Storage>; readonly version: number } | null;
}

/**
 * Brings the long-lived sources of a program into the engine's memory, in the layouts that the program wants.
 */
export class ResidentSources<L extends Layout<L>, C extends Call<L>, M extends Memory> {
  readonly #backend: Backend<L, C, M>;
  readonly #sources: Source<L, C, M>[] = [];
  readonly #byIndex = new Map<number, Source<L, C, M>>();
  readonly #hoists: boolean;
  /** Bytes of arrays that the engine has copied, and whose memory may not be free yet. */
  #garbage = 0;
  /** Whether the hoisted steps have run to their end. */
  #hasRun = false;
  /** Whether a source is elsewhere than at the last run; the program resets it. */
  moved = false;

  constructor(backend: Backend<L, C, M>, { sources, steps }: LoweredGraph<L, C>, hoisted: Hoisted<L, C>) {
    this.#backend = backend;
    this.#hoists = hoisted.count > 0;
    sources.forEach(({ operand, resident, assigned }, index) => {
      if (operand === null || !resident) return;
      let writer: C | null = null;
      for (const step of steps) {
        // A kernel checks its first result.
        if (step.kind === 'call' && step.call.checksFinite && step.writes[0].buffer === operand.buffer)
          writer = step.call;
      }
      const onlyHoisted = hoisted.sources.has(index);
      const source = { index, operand, assigned, onlyHoisted, writer, bound: null, copy: null, seen: null };
      this.#sources.push(source);
      this.#byIndex.set(index, source);
    });
  }

  /** Bytes of all sources, in the program's layouts. */
  get bytes(): number {
    return this.#sources.reduce((sum, { operand }) => sum + operand.layout.size, 0);
  }

  /** Bytes of the copies in layouts of the program's own. */
  get copyBytes(): number {
    return this.#sources.reduce((sum, { copy }) => sum + (copy?.buffer.memory.bytes ?? 0), 0);
  }

  /**
   * Binds the data of a run. @returns whether the hoisted steps must run: a source was overwritten since they
   * did
   */
  bind(storages: readonly Storage[]): boolean {
    const runsHoisted = this.#hoists && !(this.#hasRun && this.#sources.every((source) => isSeen(source, storages)));
    for (const source of this.#sources) {
      if (runsHoisted || !source.onlyHoisted) this.#bind(source, storages[source.index]);
      if (this.#garbage < muchGarbage) continue;
      collectGarbage();
      this.#garbage = 0;
    }
    return runsHoisted;
  }

  /** Memory of a bound source; `null` if only hoisted steps read it, and they have run. */
  locate(index: number): M | null {
    return this.#byIndex.get(index)?.bound?.buffer.deref()?.memory ?? null;
  }

  /** To be called before the hoisted steps run: should they fail, they run again. */
  forget(): void {
    this.#hasRun = false;
  }

  /** To be called after the hoisted steps have run. Sources that only they read are let go. */
  remember(storages: readonly Storage[]): void {
    this.#hasRun = true;
    for (const source of this.#sources) {
      const storage = storages[source.index];
      source.seen = { storage: new WeakRef(storage), version: storage.version };
      if (!source.onlyHoisted) continue;
      source.copy?.buffer.free();
      source.copy = null;
      source.bound = null;
    }
  }

  /** To be called after a run: passes on what kernels found out about the data that they wrote. */
  noteFinite(storages: readonly Storage[]): void {
    for (const { index, assigned, writer } of this.#sources) {
      if (assigned) (storages[index].device as ResidentBuffer<L, C, M>).finite = writer?.wroteFinite || null;
    }
  }

  free(): void {
    for (const { copy } of this.#sources) copy?.buffer.free();
  }

  #bind(source: Source<L, C, M>, storage: Storage): void {
    const { layout } = source.operand;
    let { device } = storage;
    if (!(device instanceof ResidentBuffer && device.backend === this.#backend)) {
      const data = storage.evict();
      // The data stay as exact as they were, whichever type this program reads.
      const resident = new ResidentBuffer(this.#backend, layout.withType(storage.dtype));
      resident.write(data);
      storage.adopt(resident);
      this.#garbage += data.byteLength;
      device = resident;
    }
    let buffer = device as ResidentBuffer<L, C, M>;
    if (!buffer.layout.equals(layout)) buffer = this.#inLayout(source, storage, buffer);
    if (source.bound?.id === buffer.id) return;
    source.bound = { id: buffer.id, buffer: new WeakRef(buffer) };
    this.moved = true;
  }

  /** The program that writes a source decides on its layout; programs that only read it make a copy. */
  #inLayout(source: Source<L, C, M>, storage: Storage, buffer: ResidentBuffer<L, C, M>): ResidentBuffer<L, C, M> {
    const { layout } = source.operand;
    if (source.assigned) {
      const converted = buffer.converted(layout);
      storage.adopt(converted);
      // At once: the garbage collector does not know how much memory depends on so small an object.
      buffer.free();
      return converted;
    }
    const { copy } = source;
    if (copy !== null && copy.storage.deref() === storage && copy.version === storage.version) return copy.buffer;
    const converted = buffer.converted(layout);
    copy?.buffer.free();
    source.copy = { buffer: converted, storage: new WeakRef(storage), version: storage.version };
    return converted;
  }
}

/**
 * Whether the data are those that the hoisted steps have read; steps that are hoisted do not read what the
 * program overwrites.
 */
function isSeen<L extends Layout<L>, C extends Call<L>, M extends Memory>(
  { index, assigned, seen }: Source<L, C, M>,
  storages: readonly Storage[],
): boolean {
  const storage = storages[index];
  return assigned || (seen !== null && seen.version === storage.version && seen.storage.deref() === storage);
}
