import { printParams } from '../../compiler/print.js';
import { EngineError, InternalError } from '../../errors.js';
import type { DType, TypedArray } from '../../graph/dtype.js';
import { numel } from '../../graph/shape.js';
import { Storage } from '../../graph/storage.js';
import type { Program } from '../engine.js';
import type { ProgramMemory } from '../memory.js';
import { type Arena, leastArena } from './arena.js';
import type { Backend, Call, LinkedCalls, Memory, Place } from './backend.js';
import { type Hoisted, hoist } from './hoist.js';
import { type Layout, plainType } from './layout.js';
import { type Offsets, planOffsets } from './offsets.js';
import { ResidentSources } from './residentSources.js';
import {
  type AnyStep,
  type ArrayOperand,
  asArray,
  bytesOf,
  implementationOf,
  type LoweredGraph,
  type Operand,
  type ProgramBuffer,
  type Step,
} from './steps.js';

/** Called after every step of every run, for profiles; `start` is by the clock `performance.now()`. */
export type StepObserver = (step: AnyStep, milliseconds: number, start: number) => void;

/** The parts of an engine that a program uses at every run. */
export interface Runtime<M extends Memory> {
  readonly arena: Arena<M>;
  readonly observer: StepObserver | null;
}

/** A step ready to run; `null` for work between steps. */
interface Action {
  readonly step: AnyStep | null;
  readonly run: () => void;
}

/** The steps of a lowered graph over one arena. */
export class PlannedProgram<L extends Layout<L>, C extends Call<L>, M extends Memory> implements Program {
  readonly arenaBytes: number;
  readonly finiteSources: readonly number[];
  readonly #lowered: LoweredGraph<L, C>;
  readonly #backend: Backend<L, C, M>;
  readonly #runtime: Runtime<M>;
  readonly #hoisted: Hoisted<L, C>;
  readonly #offsets: Offsets;
  readonly #linked: LinkedCalls<L, C, M>;
  readonly #residents: ResidentSources<L, C, M>;
  readonly #inputs: readonly { readonly source: number; readonly operand: ArrayOperand<L> }[];
  /** Allocated by the first run: a program that is only planned may be too large. */
  #constants: M | null = null;
  /** Results of the hoisted steps. */
  #kept: M | null = null;
  /** The arena that the steps are bound to, and the generation of the engine's memory. */
  #boundArena: M | null = null;
  #boundGeneration = -1;
  #hoistedActions: readonly Action[] = [];
  #actions: readonly Action[] = [];
  #inputViews: readonly TypedArray[] = [];
  #outputViews: readonly TypedArray[] = [];

  constructor(lowered: LoweredGraph<L, C>, backend: Backend<L, C, M>, runtime: Runtime<M>) {
    this.#lowered = lowered;
    this.#backend = backend;
    this.#runtime = runtime;
    this.finiteSources = lowered.finiteSources;
    this.#inputs = lowered.sources.flatMap(({ operand, resident }, source) =>
      operand === null || resident ? [] : [{ source, operand: asArray(operand, operand.layout) }],
    );
    this.#hoisted = hoist(lowered);
    this.#offsets = planOffsets(lowered, this.#hoisted);
    this.#residents = new ResidentSources(backend, lowered, this.#hoisted);
    this.arenaBytes = this.#offsets.arenaBytes;
    this.#linked = backend.link(this.#hoisted.steps.filter((step) => step.kind === 'call'));
  }

  get memory(): ProgramMemory {
    // Outputs are copied out of the arena.
    const outputs = this.#lowered.outputs.reduce((sum, output) => sum + bytesOf(output), 0);
    const working = this.arenaBytes + this.#keptResultBytes + this.#offsets.constantBytes + outputs;
    return { working, resident: this.#residents.bytes };
  }

  get keptBytes(): number {
    return this.#keptResultBytes + this.#offsets.constantBytes + this.#residents.copyBytes + this.#linked.bytes;
  }

  get #keptResultBytes(): number {
    return this.#offsets.keptBytes;
  }

  run(sources: readonly Storage[]): Storage[] {
    const { arena } = this.#runtime;
    const runsHoisted = this.#residents.bind(sources);
    const memory = arena.reserve(this.arenaBytes);
    const { generation } = this.#backend;
    if (this.#residents.moved || memory !== this.#boundArena || generation !== this.#boundGeneration)
      this.#bind(memory);
    for (let i = 0; i < this.#inputs.length; i++) {
      this.#inputViews[i].set(sources[this.#inputs[i].source].host as TypedArray);
    }
    this.#backend.beginRun?.();
    try {
      if (runsHoisted) {
        this.#residents.forget();
        runAll(this.#hoistedActions, this.#runtime.observer);
        this.#residents.remember(sources);
      }
      runAll(this.#actions, this.#runtime.observer);
    } finally {
      this.#backend.endRun?.();
    }
    this.#residents.noteFinite(sources);
    return this.#lowered.outputs.map(({ shape, dtype }, i) => {
      return new Storage(shape, dtype as DType, this.#outputViews[i].slice());
    });
  }

  /** Points all steps at the current memory of their operands. */
  #bind(arena: M): void {
    this.#linked.point((buffer) => this.#placeOf(buffer, arena));
    const views = new Map<string, TypedArray>();
    const viewAt = ({ buffer, shape, dtype }: ArrayOperand<L>): TypedArray => {
      const type = plainType(dtype);
      const key = `${buffer.id} ${type} ${numel(shape)}`;
      let view = views.get(key);
      if (view === undefined) {
        const place = this.#placeOf(buffer, arena);
        if (place === null) throw new InternalError(`source ${buffer.source} is not bound`);
        view = place.memory.array(type, place.offset, numel(shape));
        views.set(key, view);
      }
      return view;
    };
    const { steps, count } = this.#hoisted;
    this.#hoistedActions = this.#actionsOf(steps.slice(0, count), arena, viewAt);
    this.#actions = this.#actionsOf(steps.slice(count), arena, viewAt);
    this.#inputViews = this.#inputs.map(({ operand }) => viewAt(operand));
    this.#outputViews = this.#lowered.outputs.map(viewAt);
    this.#boundArena = arena;
    this.#boundGeneration = this.#backend.generation;
    this.#residents.moved = false;
  }

  #actionsOf(steps: readonly Step<L, C>[], arena: M, viewAt: (operand: ArrayOperand<L>) => TypedArray): Action[] {
    const backend = this.#backend;
    const actions: Action[] = [];
    let threads = 0;
    for (const step of steps) {
      if (step.kind === 'typescript') {
        const { run } = step;
        // A hoisted step whose sources are gone does not run again before they are bound again.
        if (step.reads.some(({ buffer }) => this.#placeOf(buffer, arena) === null)) continue;
        const arrayAt = (operand: ArrayOperand<L>) => {
          return { shape: operand.shape, dtype: operand.dtype, data: viewAt(operand) };
        };
        const [inputs, outputs] = [step.reads.map(arrayAt), step.writes.map(arrayAt)];
        actions.push({ step, run: () => run(inputs, outputs) });
        continue;
      }
      if (step.threads !== threads) {
        threads = step.threads;
        actions.push({ step: null, run: () => backend.useThreads(step.threads) });
      }
      actions.push({ step, run: this.#linked.runnerOf(step) });
    }
    return actions;
  }

  /** Where a buffer is; `null` for a source that no further run reads before it is bound again. */
  #placeOf(buffer: ProgramBuffer, arena: M): Place<M> | null {
    const offset = this.#offsets.offsets[buffer.id];
    if (this.#hoisted.results.has(buffer)) {
      this.#kept ??= this.#backend.allocate(this.#offsets.keptBytes);
      return { memory: this.#kept, offset };
    }
    if (buffer.kind === 'constant') {
      this.#constants ??= this.#fillConstants();
      return { memory: this.#constants, offset };
    }
    if (buffer.kind !== 'resident') return { memory: arena, offset };
    const memory = this.#residents.locate(buffer.source);
    return memory === null ? null : { memory, offset: 0 };
  }

  #fillConstants(): M {
    const { offsets, constantBytes } = this.#offsets;
    const memory = this.#backend.allocate(Math.max(leastArena, constantBytes));
    for (const { id, contents, bytes } of this.#lowered.buffers) {
      if (contents === null) continue;
      memory.array('uint8', offsets[id], bytes).set(new Uint8Array(contents.buffer, contents.byteOffset, bytes));
    }
    return memory;
  }

  toString(): string {
    return this.#hoisted.steps.map((step, i) => `${String(i).padStart(3)} ${this.#print(step)}`).join('\n');
  }

  #print(step: Step<L, C>): string {
    const where = ({ buffer, layout }: Operand<L>): string => {
      const kinds = { arena: 'a', input: '$', resident: '$', constant: 'c' };
      const name = this.#hoisted.results.has(buffer) ? 'k' : kinds[buffer.kind];
      return `${name}${buffer.source >= 0 ? buffer.source : buffer.id}:${layout.shape.join('x')}:${layout}`;
    };
    const [writes, reads] = [step.writes, step.reads].map((operands) => operands.map(where).join(' '));
    const kernel = implementationOf(step);
    const params =
      step.kind === 'call' ? { kernel: `${this.#backend.name} ${kernel}`, threads: step.threads } : { kernel };
    return `${step.name} ${writes} <- ${reads}${printParams(params)}`;
  }

  summary(): string {
    const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    const { steps, count } = this.#hoisted;
    const first = count === 0 ? '' : ` (${count} once), kept ${mebibytes(this.#keptResultBytes)}`;
    return `${steps.length} steps${first}, arena ${mebibytes(this.arenaBytes)}`;
  }

  dispose(): void {
    for (const owned of this.#lowered.owned) owned.destroy();
    this.#linked.destroy();
    const run = () => {
      throw new EngineError(`[${this.#backend.name}] program: run after it was disposed of`);
    };
    this.#actions = [{ step: null, run }];
    this.#constants?.free();
    this.#kept?.free();
    this.#residents.free();
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
