import { printParams } from '../../compiler/print.js';
import { EngineError, InternalError } from '../../errors.js';
import { type DType, declared, type TypedArray, viewOf } from '../../graph/dtype.js';
import { numel } from '../../graph/shape.js';
import { Storage } from '../../graph/storage.js';
import type { Program } from '../engine.js';
import type { ProgramMemory } from '../memory.js';
import { ArgBlock, type MemoryDesc, MemoryHandle, makeExecutor, NativeMemory } from './ffi.js';
import { bytesOf } from './lowering.js';
import { planArena } from './plan.js';
import { ResidentBuffer } from './resident.js';
import type { ArrayType, Buffer, LoweredGraph, Placed, Step, StepArray } from './steps.js';

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

type Action = () => void;

/** A flat list of kernel calls over one arena. */
export class OneDnnProgram implements Program {
  readonly #lowered: LoweredGraph;
  readonly #runtime: Runtime;
  readonly #offsets: readonly number[];
  readonly #arenaBytes: number;
  readonly #constants: NativeMemory;
  readonly #handles = new Map<Buffer, { readonly desc: MemoryDesc; readonly handle: MemoryHandle }[]>();
  readonly #argBlock: ArgBlock;
  readonly #inputs: { readonly source: number; readonly placed: Placed & ArrayType }[] = [];
  readonly #residents: { readonly source: number; readonly placed: Placed; readonly assigned: boolean }[] = [];
  /** Weak, since a program in the cache must not keep the parameters of a network that is gone. */
  readonly #bound = new Map<number, WeakRef<ResidentBuffer>>();
  readonly #copies = new Map<number, PrivateCopy>();
  #boundArena: NativeMemory | null = null;
  #actions: readonly Action[] = [];
  /** The step that each action runs; `null` for what is between steps. */
  #actionSteps: readonly (Step | null)[] = [];
  #inputViews: readonly TypedArray[] = [];
  #outputViews: readonly TypedArray[] = [];
  #stale = true;

  constructor(lowered: LoweredGraph, runtime: Runtime) {
    this.#lowered = lowered;
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
    const { offsets, bytes } = layOut(lowered);
    this.#offsets = offsets;
    this.#arenaBytes = bytes;
    this.#constants = this.#fillConstants();
    const lists = lowered.steps
      .filter((step) => step.kind === 'primitive')
      .map((step) => step.args.map(([argument, placed]) => [argument, this.#handleOf(placed)] as const));
    this.#argBlock = new ArgBlock(lists);
  }

  get memory(): ProgramMemory {
    const resident = this.#residents.reduce((sum, { placed }) => sum + placed.desc.size, 0);
    return { working: this.#arenaBytes + this.#constants.bytes, resident };
  }

  run(sources: readonly Storage[]): Storage[] {
    const { arena } = this.#runtime;
    for (const resident of this.#residents) this.#bindResident(resident, sources[resident.source]);
    const memory = arena.reserve(this.#arenaBytes);
    if (this.#stale || memory !== this.#boundArena) this.#bind(memory);
    for (let i = 0; i < this.#inputs.length; i++) {
      this.#inputViews[i].set(sources[this.#inputs[i].source].host as TypedArray);
    }
    const { observer } = this.#runtime;
    if (observer === null) for (const action of this.#actions) action();
    else this.#runObserved(observer);
    return this.#lowered.outputs.map(({ shape, dtype }, i) => {
      return new Storage(shape, dtype as DType, this.#outputViews[i].slice());
    });
  }

  #runObserved(observer: StepObserver): void {
    for (let i = 0; i < this.#actions.length; i++) {
      const start = performance.now();
      this.#actions[i]();
      const step = this.#actionSteps[i];
      if (step !== null) observer(step, performance.now() - start, start);
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
    const actions: Action[] = [];
    const actionSteps: (Step | null)[] = [];
    const add = (action: Action, step: Step | null) => {
      actions.push(action);
      actionSteps.push(step);
    };
    let threads = 0;
    for (const step of this.#lowered.steps) {
      if (step.kind === 'kernel') {
        const { run } = step;
        const inputs = step.reads.map(arrayAt);
        const outputs = step.writes.map(arrayAt);
        add(() => run(inputs, outputs), step);
        continue;
      }
      const { primitive } = step;
      const count = step.args.length;
      const address = this.#argBlock.addressOf(place);
      place += count;
      if (step.threads !== threads) {
        threads = step.threads;
        add(() => runtime.useThreads(step.threads), null);
      }
      add(() => execute(primitive, count, address), step);
    }
    this.#actions = actions;
    this.#actionSteps = actionSteps;
    this.#inputViews = this.#inputs.map(({ placed }) => viewAt(placed));
    this.#outputViews = this.#lowered.outputs.map(viewAt);
    this.#boundArena = arena;
    this.#stale = false;
  }

  #locate(buffer: Buffer, arena: NativeMemory): readonly [NativeMemory, number] {
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

  toString(): string {
    const where = (placed: Placed): string => {
      const { buffer, desc } = placed;
      const name = { arena: 'a', input: '$', resident: '$', constant: 'c' }[buffer.kind];
      const id = buffer.source >= 0 ? buffer.source : buffer.id;
      return `${name}${id}:${desc.shape.join('x')}:${desc}`;
    };
    const line = (step: Step, i: number): string => {
      const writes = step.writes.map(where).join(' ');
      const reads = step.reads.map(where).join(' ');
      const kernel = step.kind === 'primitive' ? `onednn ${step.primitive.implementation}` : 'typescript';
      return `${String(i).padStart(3)} ${step.name} ${writes} <- ${reads}${printParams(step.kind === 'primitive' ? { kernel, threads: step.threads } : { kernel })}`;
    };
    return this.#lowered.steps.map(line).join('\n');
  }

  summary(): string {
    const { steps } = this.#lowered;
    const mebibytes = (this.#arenaBytes / 2 ** 20).toFixed(1);
    return `${steps.length} steps, arena ${mebibytes} MiB`;
  }

  dispose(): void {
    for (const primitive of this.#lowered.primitives) primitive.destroy();
    for (const handles of this.#handles.values()) for (const { handle } of handles) handle.destroy();
    this.#actions = [
      () => {
        throw new EngineError('[onednn] program: run after it was disposed of');
      },
    ];
    this.#constants.free();
    for (const { buffer } of this.#copies.values()) buffer.free();
  }
}

/** Offsets of all buffers: intermediates by liveness in the arena, constants one after another in their own block. */
function layOut({ steps, buffers, outputs }: LoweredGraph): { offsets: number[]; bytes: number } {
  const first = new Map<Buffer, number>();
  const last = new Map<Buffer, number>();
  const touch = ({ buffer }: Placed, step: number) => {
    if (!first.has(buffer)) first.set(buffer, buffer.kind === 'input' ? -1 : step);
    last.set(buffer, step);
  };
  steps.forEach((step, i) => {
    for (const placed of step.reads) touch(placed, i);
    for (const placed of step.writes) touch(placed, i);
  });
  for (const output of outputs) touch(output, steps.length);
  const inArena = buffers.filter((buffer) => buffer.kind === 'arena' || buffer.kind === 'input');
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
  let place = 0;
  for (const buffer of buffers) {
    if (buffer.kind !== 'constant') continue;
    offsets[buffer.id] = place;
    place += Math.ceil(buffer.bytes / 64) * 64;
  }
  return { offsets, bytes: Math.max(64, plan.bytes) };
}
