import { printParams } from '../../compiler/print.js';
import { EngineError, InternalError } from '../../errors.js';
import { type DType, declared, type TypedArray, viewOf } from '../../graph/dtype.js';
import { numel } from '../../graph/shape.js';
import { Storage } from '../../graph/storage.js';
import type { Program } from '../engine.js';
import type { ProgramMemory } from '../memory.js';
import type { MachineCode } from './avx512/machineCode.js';
import { ArgBlock, type MemoryDesc, MemoryHandle, makeExecutor, NativeMemory } from './ffi.js';
import { type Hoisted, hoist } from './hoist.js';
import { bytesOf } from './placing.js';
import { planArena } from './plan.js';
import { ResidentBuffer } from './resident.js';
import {
  type ArrayType,
  type Buffer,
  implementationOf,
  type LoweredGraph,
  type Placed,
  type Step,
  type StepArray,
  wholeOf,
} from './steps.js';

/** The working memory that all programs of an engine share: they run one after another. */
export class Arena {
  memory = new NativeMemory(64);

  /** Grows if needed; contents are lost. */
  reserve(bytes: number): NativeMemory {
    if (this.memory.bytes < bytes) {
      this.memory.free();
      try {
        this.memory = new NativeMemory(bytes);
      } catch (error) {
        // Programs that need less must not run in what has been freed.
        this.memory = new NativeMemory(64);
        throw error;
      }
    }
    return this.memory;
  }

  /** Keeps at most so much. */
  shrink(bytes: number): void {
    if (this.memory.bytes <= Math.max(64, bytes)) return;
    this.memory.free();
    this.memory = new NativeMemory(64);
  }
}

/** Told of every step of every run, for profiling; `start` is by the clock `performance.now()`. */
export type StepObserver = (step: Step, milliseconds: number, start: number) => void;

/** What a program needs of its engine at every run. */
export interface Runtime {
  readonly arena: Arena;
  readonly observer: StepObserver | null;
  useThreads(count: number): void;
}

/** A copy of a source in the layout of this program, for a source that lies in another one. */
interface PrivateCopy {
  readonly buffer: ResidentBuffer;
  readonly storage: WeakRef<Storage>;
  version: number;
}

/** A step ready to run; `null` for what is between steps. */
interface Action {
  readonly step: Step | null;
  readonly run: () => void;
}

/** A flat list of kernel calls over one arena. */
export class OneDnnProgram implements Program {
  readonly #lowered: LoweredGraph;
  readonly #runtime: Runtime;
  readonly #offsets: readonly number[];
  readonly arenaBytes: number;
  readonly finiteSources: readonly number[];
  readonly #constants: NativeMemory;
  readonly #handles = new Map<Buffer, { readonly desc: MemoryDesc; readonly handle: MemoryHandle }[]>();
  readonly #argBlock: ArgBlock;
  readonly #inputs: { readonly source: number; readonly placed: Placed & ArrayType }[] = [];
  readonly #residents: { readonly source: number; readonly placed: Placed; readonly assigned: boolean }[] = [];
  /** Weak, since a program in the cache must not keep the parameters of a network that is gone. */
  readonly #bound = new Map<number, WeakRef<ResidentBuffer>>();
  readonly #copies = new Map<number, PrivateCopy>();
  /** Code that tells whether what it wrote there is finite. */
  readonly #writers = new Map<Buffer, MachineCode>();
  readonly #hoisted: Hoisted;
  /** Results of the steps that do not run every time. */
  readonly #kept: NativeMemory | null;
  /** Where each source's data were, and their version, when those steps ran last. */
  readonly #seen = new Map<number, { readonly storage: WeakRef<Storage>; readonly version: number }>();
  #boundArena: NativeMemory | null = null;
  #once: readonly Action[] = [];
  /** Whether those have run, to their end. */
  #hasRun = false;
  #actions: readonly Action[] = [];
  #inputViews: readonly TypedArray[] = [];
  #outputViews: readonly TypedArray[] = [];
  #stale = true;

  constructor(lowered: LoweredGraph, runtime: Runtime) {
    this.#lowered = lowered;
    this.finiteSources = lowered.finiteSources;
    this.#runtime = runtime;
    lowered.sources.forEach(({ placed, resident, assigned }, source) => {
      if (placed === null) return;
      if (resident) this.#residents.push({ source, placed, assigned });
      else
        this.#inputs.push({
          source,
          placed: { ...placed, shape: placed.desc.shape, dtype: declared(placed.desc.dtype) },
        });
    });
    for (const step of lowered.steps) {
      // The parameter comes first.
      if (step.kind === 'code' && step.code.kernel.tells) this.#writers.set(step.writes[0].buffer, step.code);
    }
    this.#hoisted = hoist(lowered);
    const { offsets, bytes, keptBytes } = layOut(lowered, this.#hoisted);
    this.#offsets = offsets;
    this.arenaBytes = bytes;
    this.#kept = keptBytes > 0 ? new NativeMemory(keptBytes) : null;
    this.#constants = this.#fillConstants();
    const lists = this.#hoisted.steps
      .filter((step) => step.kind === 'primitive')
      .map((step) => step.args.map(([argument, placed]) => [argument, this.#handleOf(placed)] as const));
    this.#argBlock = new ArgBlock(lists);
  }

  get memory(): ProgramMemory {
    const resident = this.#residents.reduce((sum, { placed }) => sum + placed.desc.size, 0);
    // Outputs are copied out of the arena.
    const outputs = this.#lowered.outputs.reduce((sum, { shape, dtype }) => sum + bytesOf(shape, dtype), 0);
    return { working: this.arenaBytes + this.#preparedBytes + this.#constants.bytes + outputs, resident };
  }

  get keptBytes(): number {
    let bytes = this.#preparedBytes + this.#constants.bytes;
    for (const { buffer } of this.#copies.values()) bytes += buffer.memory.bytes;
    for (const step of this.#hoisted.steps) if (step.kind === 'code') bytes += step.code.bytes;
    return bytes;
  }

  run(sources: readonly Storage[]): Storage[] {
    const { arena } = this.#runtime;
    const renewed = this.#bindResidents(sources);
    const memory = arena.reserve(this.arenaBytes);
    if (this.#stale || memory !== this.#boundArena) this.#bind(memory);
    for (let i = 0; i < this.#inputs.length; i++) {
      this.#inputViews[i].set(sources[this.#inputs[i].source].host as TypedArray);
    }
    if (renewed) this.#renew(sources);
    runAll(this.#actions, this.#runtime.observer);
    for (const { source, placed, assigned } of this.#residents) {
      const buffer = assigned ? this.#bound.get(source)?.deref() : undefined;
      if (buffer !== undefined) buffer.finite = this.#writers.get(placed.buffer)?.wroteFinite || null;
    }
    return this.#lowered.outputs.map(({ shape, dtype }, i) => {
      return new Storage(shape, dtype as DType, this.#outputViews[i].slice());
    });
  }

  /** @returns whether the steps that do not run every time have to: a source was overwritten since */
  #bindResidents(sources: readonly Storage[]): boolean {
    const { once, sources: onlyOnce } = this.#hoisted;
    const isSame = ({ source }: { readonly source: number }) => {
      const seen = this.#seen.get(source);
      return seen?.version === sources[source].version && seen.storage.deref() === sources[source];
    };
    const current = this.#hasRun && this.#residents.every((resident) => resident.assigned || isSame(resident));
    const renewed = once > 0 && !current;
    for (const resident of this.#residents) {
      if (renewed || !onlyOnce.has(resident.source)) this.#bindResident(resident, sources[resident.source]);
    }
    return renewed;
  }

  /** Runs the steps that do not run every time. */
  #renew(sources: readonly Storage[]): void {
    this.#hasRun = false;
    this.#seen.clear();
    runAll(this.#once, this.#runtime.observer);
    this.#hasRun = true;
    for (const { source } of this.#residents) {
      const storage = sources[source];
      this.#seen.set(source, { storage: new WeakRef(storage), version: storage.version });
      if (!this.#hoisted.sources.has(source)) continue;
      // Nobody reads these any more until they are overwritten.
      this.#copies.get(source)?.buffer.free();
      this.#copies.delete(source);
      this.#bound.delete(source);
    }
  }

  /** Makes sure that a long-lived source is in native memory, in this program's layout, and known by address. */
  #bindResident({ source, placed, assigned }: { source: number; placed: Placed; assigned: boolean }, storage: Storage) {
    let { device } = storage;
    if (!(device instanceof ResidentBuffer)) {
      const data = storage.evict();
      // Whatever this program reads, what is kept is as exact as it was.
      const resident = new ResidentBuffer(placed.desc.withType(storage.dtype));
      resident.write(data);
      storage.adopt(resident);
      device = resident;
    }
    let buffer = device as ResidentBuffer;
    if (!buffer.desc.equals(placed.desc)) buffer = this.#inMyLayout(source, placed.desc, assigned, storage, buffer);
    if (this.#bound.get(source)?.deref() === buffer) return;
    this.#bound.set(source, new WeakRef(buffer));
    this.#stale = true;
  }

  #inMyLayout(
    source: number,
    desc: MemoryDesc,
    assigned: boolean,
    storage: Storage,
    buffer: ResidentBuffer,
  ): ResidentBuffer {
    if (assigned) {
      // Who writes decides on the layout; programs that only read make themselves a copy.
      const converted = buffer.converted(desc);
      storage.adopt(converted);
      // At once: the garbage collector does not know how much memory hangs on so small an object.
      buffer.free();
      return converted;
    }
    const copy = this.#copies.get(source);
    if (copy !== undefined && copy.storage.deref() === storage && copy.version === storage.version) return copy.buffer;
    const converted = buffer.converted(desc);
    copy?.buffer.free();
    this.#copies.set(source, { buffer: converted, storage: new WeakRef(storage), version: storage.version });
    return converted;
  }

  #bind(arena: NativeMemory): void {
    for (const [buffer, handles] of this.#handles) {
      if (this.#isGone(buffer)) continue;
      const [memory, offset] = this.#locate(buffer, arena);
      for (const { handle } of handles) handle.point(memory, offset);
    }
    const views = new Map<string, TypedArray>();
    const viewAt = (placed: Placed & ArrayType): TypedArray => {
      const [memory, offset] = this.#locate(placed.buffer, arena);
      const dtype = placed.dtype === 'opaque' ? 'int32' : placed.dtype;
      const key = `${placed.buffer.id} ${dtype} ${numel(placed.shape)}`;
      const view =
        views.get(key) ?? viewOf(dtype, memory.view(offset, bytesOf(placed.shape, dtype)), 0, numel(placed.shape));
      views.set(key, view);
      return view;
    };
    const arrayAt = (placed: Placed & ArrayType): StepArray => ({
      shape: placed.shape,
      dtype: placed.dtype,
      data: viewAt(placed),
    });
    const execute = makeExecutor();
    let place = 0;
    const runtime = this.#runtime;
    const actionsOf = (steps: readonly Step[]): Action[] => {
      const actions: Action[] = [];
      let threads = 0;
      for (const step of steps) {
        if (step.kind === 'kernel') {
          const { run } = step;
          if (step.reads.some(({ buffer }) => this.#isGone(buffer))) continue;
          const inputs = step.reads.map(arrayAt);
          const outputs = step.writes.map(arrayAt);
          actions.push({ step, run: () => run(inputs, outputs) });
          continue;
        }
        if (step.kind === 'code') {
          const { code, threads } = step;
          step.operands.forEach(({ buffer }, i) => {
            if (!this.#isGone(buffer)) code.point(i, ...this.#locate(buffer, arena));
          });
          actions.push({ step, run: () => code.run(threads) });
          continue;
        }
        const { primitive } = step;
        const count = step.args.length;
        const address = this.#argBlock.addressOf(place);
        place += count;
        if (step.threads !== threads) {
          threads = step.threads;
          actions.push({ step: null, run: () => runtime.useThreads(step.threads) });
        }
        actions.push({ step, run: () => execute(primitive, count, address) });
      }
      return actions;
    };
    const { steps, once } = this.#hoisted;
    this.#once = actionsOf(steps.slice(0, once));
    this.#actions = actionsOf(steps.slice(once));
    this.#inputViews = this.#inputs.map(({ placed }) => viewAt(placed));
    this.#outputViews = this.#lowered.outputs.map(viewAt);
    this.#boundArena = arena;
    this.#stale = false;
  }

  /** Whether it was of use only to steps that have run already. */
  #isGone({ kind, source }: Buffer): boolean {
    return kind === 'resident' && this.#hoisted.sources.has(source) && this.#bound.get(source) === undefined;
  }

  #locate(buffer: Buffer, arena: NativeMemory): readonly [NativeMemory, number] {
    if (this.#kept !== null && this.#hoisted.kept.has(buffer)) return [this.#kept, this.#offsets[buffer.id]];
    if (buffer.kind === 'constant') return [this.#constants, this.#offsets[buffer.id]];
    if (buffer.kind !== 'resident') return [arena, this.#offsets[buffer.id]];
    const bound = this.#bound.get(buffer.source)?.deref();
    if (bound === undefined) throw new InternalError(`source ${buffer.source} is not bound`);
    return [bound.memory, 0];
  }

  #handleOf({ buffer, desc }: Placed): MemoryHandle {
    const handles = this.#handles.get(buffer) ?? [];
    this.#handles.set(buffer, handles);
    const found = handles.find((entry) => entry.desc.equals(desc));
    if (found !== undefined) return found.handle;
    const handle = new MemoryHandle(desc);
    handles.push({ desc, handle });
    return handle;
  }

  #fillConstants(): NativeMemory {
    const constants = this.#lowered.buffers.filter((buffer) => buffer.kind === 'constant');
    const memory = new NativeMemory(
      constants.reduce((end, { id, bytes }) => Math.max(end, this.#offsets[id] + bytes), 64),
    );
    for (const { id, contents, bytes } of constants) {
      const data = contents as TypedArray;
      new Uint8Array(memory.view(this.#offsets[id], bytes)).set(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
    }
    return memory;
  }

  get #preparedBytes(): number {
    return this.#kept?.bytes ?? 0;
  }

  toString(): string {
    const where = (placed: Placed): string => {
      const { buffer, desc } = placed;
      const kept = this.#hoisted.kept.has(buffer);
      const name = kept ? 'k' : { arena: 'a', input: '$', resident: '$', constant: 'c' }[buffer.kind];
      const id = buffer.source >= 0 ? buffer.source : buffer.id;
      return `${name}${id}:${desc.shape.join('x')}:${desc}`;
    };
    const line = (step: Step, i: number): string => {
      const writes = step.writes.map(where).join(' ');
      const reads = step.reads.map(where).join(' ');
      const kernel = `${step.kind === 'primitive' ? 'onednn ' : ''}${implementationOf(step)}`;
      const params = step.kind === 'kernel' ? { kernel } : { kernel, threads: step.threads };
      return `${String(i).padStart(3)} ${step.name} ${writes} <- ${reads}${printParams(params)}`;
    };
    return this.#hoisted.steps.map(line).join('\n');
  }

  summary(): string {
    const { steps } = this.#lowered;
    const mebibytes = (this.arenaBytes / 2 ** 20).toFixed(1);
    const { once } = this.#hoisted;
    const first = once === 0 ? '' : ` (${once} once), kept ${(this.#preparedBytes / 2 ** 20).toFixed(1)} MiB`;
    return `${steps.length} steps${first}, arena ${mebibytes} MiB`;
  }

  dispose(): void {
    for (const owned of this.#lowered.owned) owned.destroy();
    for (const handles of this.#handles.values()) for (const { handle } of handles) handle.destroy();
    const run = () => {
      throw new EngineError('[onednn] program: run after it was disposed of');
    };
    this.#actions = [{ step: null, run }];
    this.#constants.free();
    this.#kept?.free();
    for (const { buffer } of this.#copies.values()) buffer.free();
  }
}

function runAll(actions: readonly Action[], observer: StepObserver | null): void {
  if (observer === null) {
    for (const { run } of actions) run();
    return;
  }
  for (const { step, run } of actions) {
    const start = performance.now();
    run();
    if (step !== null) observer(step, performance.now() - start, start);
  }
}

interface Layout {
  readonly offsets: number[];
  /** Of the arena. */
  readonly bytes: number;
  readonly keptBytes: number;
}

/** Offsets of all buffers: intermediates by liveness in the arena, what stays one after another in blocks of its own. */
function layOut({ buffers, parts, outputs }: LoweredGraph, { steps, kept }: Hoisted): Layout {
  const first = new Map<Buffer, number>();
  const last = new Map<Buffer, number>();
  const touch = (placed: Placed, step: number) => {
    const [buffer] = wholeOf(placed.buffer, parts);
    if (!first.has(buffer)) first.set(buffer, buffer.kind === 'input' ? -1 : step);
    last.set(buffer, step);
  };
  steps.forEach((step, i) => {
    for (const placed of step.reads) touch(placed, i);
    for (const placed of step.writes) touch(placed, i);
  });
  for (const output of outputs) touch(output, steps.length);
  const isInArena = (buffer: Buffer) =>
    buffer.kind === 'input' || (buffer.kind === 'arena' && !kept.has(buffer) && !parts.has(buffer));
  const inArena = buffers.filter(isInArena);
  const plan = planArena(
    inArena.map((buffer) => ({
      bytes: buffer.bytes,
      first: first.get(buffer) ?? -1,
      last: last.get(buffer) ?? -1,
    })),
  );
  const offsets = new Array<number>(buffers.length).fill(0);
  inArena.forEach((buffer, i) => {
    offsets[buffer.id] = plan.offsets[i];
  });
  for (const buffer of parts.keys()) {
    const [{ id }, offset] = wholeOf(buffer, parts);
    offsets[buffer.id] = offsets[id] + offset;
  }
  const stack = (stays: readonly Buffer[]): number => {
    let place = 0;
    for (const { id, bytes } of stays) {
      offsets[id] = place;
      place += Math.ceil(bytes / 64) * 64;
    }
    return place;
  };
  stack(buffers.filter(({ kind }) => kind === 'constant'));
  return { offsets, bytes: Math.max(64, plan.bytes), keptBytes: stack([...kept]) };
}
