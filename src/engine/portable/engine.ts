import { availableProcessors, canShareMemory, preferBestCode, whyOneThread } from '#platform';
import type { Graph } from '../../compiler/graph.js';
import { noTraits, type Traits } from '../../compiler/optimize.js';
import type { Precision } from '../../compiler/precision.js';
import { threadsAsked, validating } from '../../env.js';
import { EngineError } from '../../errors.js';
import type { CompileOptions, ConvolutionName, Engine, EngineSettings, Program, Support } from '../engine.js';
import type { AddressableMemory } from '../memory.js';
import { Arena } from '../planned/arena.js';
import { ThreadCount, workOfGraph } from '../planned/cost.js';
import { PlannedProgram, type Runtime, type StepObserver } from '../planned/program.js';
import { recordCalls } from '../planned/record.js';
import { scheduleUpdates } from '../planned/updateOrder.js';
import type { StepRecord } from '../record.js';
import { PortableBackend } from './backend.js';
import { Heap, type HeapBlock } from './heap.js';
import { lowerings } from './lower/table.js';
import { Lowering } from './lowering.js';
import { mostThreads } from './threads.js';
import { wasmTarget } from './wasm/target.js';
import { webAssembly } from './wasm/webAssembly.js';

/** Multiply-adds from which on the best code gains more than it takes to make in the first run. */
const longWork = 300e6;

/** Kernels generated as WebAssembly: fast wherever JavaScript runs. */
export class PortableEngine implements Engine, Runtime<HeapBlock> {
  readonly name = 'portable';
  readonly arena: Arena<HeapBlock>;
  /** Called with every step of every run. */
  observer: StepObserver | null = null;
  readonly #threads: ThreadCount;
  #convolution: ConvolutionName = 'auto';

  /** @param threads the number that the user set; null for the number of processors */
  constructor(
    readonly backend: PortableBackend,
    threads: number | null,
  ) {
    this.#threads = new ThreadCount(this.#possible(threads ?? availableProcessors()), threads !== null);
    this.arena = new Arena((bytes) => backend.allocate(bytes));
  }

  get settings(): EngineSettings {
    return { threads: this.#threads.count, precision: 'float32', convolution: this.#convolution };
  }

  configure({ threads, convolution = this.#convolution }: Partial<EngineSettings>): void {
    this.#convolution = convolution;
    if (threads === undefined) return;
    this.#threads.choose(this.#possible(threads));
  }

  get settingsKey(): string {
    return `${this.#threads.key} ${this.#convolution}`;
  }

  get threadsUsed(): number {
    return this.backend.threadsUsed;
  }

  /** Without shared memory there is one thread. */
  #possible(threads: number): number {
    return this.backend.heap.limits.shared ? Math.min(threads, mostThreads) : 1;
  }

  supports(precision: Precision): Support {
    if (precision === 'float32') return { possible: true };
    return { possible: false, reason: 'WebAssembly has no instructions for it' };
  }

  get heldBytes(): number {
    return this.arena.memory.bytes;
  }

  get addressable(): AddressableMemory {
    const { bytes, used, reason } = this.backend.heap;
    return { bytes, used, reason };
  }

  shrink(bytes: number): void {
    this.arena.shrink(bytes);
  }

  describe(): string {
    const convolutions = this.#convolution === 'direct' ? 'direct' : 'Winograd and direct';
    const vectors = this.backend.target.fuses ? 'fused multiply-add' : '128-bit vectors';
    const threads = whyOneThread === null ? '' : `, one thread (${whyOneThread})`;
    return `WebAssembly, ${vectors}, ${convolutions} convolutions${threads}`;
  }

  traits(): Traits {
    return { ...noTraits, fuses: true, multipliesMatrices: false, addsInBatchNorm: () => true };
  }

  compile(graph: Graph, { watch = null, keepsNonFinite = false }: CompileOptions = {}): Program {
    const threads = this.#threads.for(graph);
    const options = { threads, validate: validating(), watch, keepsNonFinite };
    // Winograd's kernels mix neighbouring pixels, so that a number that is not finite reaches others.
    const usesWinograd = this.#convolution === 'auto' && !keepsNonFinite;
    if (workOfGraph(graph) > longWork) preferBestCode();
    const lowered = new Lowering(scheduleUpdates(graph), this.backend, options, usesWinograd).lower(lowerings);
    return new PlannedProgram(lowered, this.backend, this);
  }

  record(body: () => Promise<unknown>): Promise<StepRecord> {
    return recordCalls(this, body);
  }
}

let engine: PortableEngine | null = null;

/**
 * The engine on the WebAssembly of this machine.
 *
 * @throws {EngineError} if it has no vectors of 128 bits
 */
export function openPortable(): PortableEngine {
  if (engine !== null) return engine;
  const heap = webAssembly === undefined ? null : new Heap(canShareMemory);
  const target = heap === null ? null : wasmTarget(heap.limits);
  if (heap === null || target === null) {
    throw new EngineError(
      '[portable] expected WebAssembly with vectors of 128 bits, got none: update the browser or Node',
    );
  }
  engine = new PortableEngine(new PortableBackend(heap, target), threadsAsked());
  return engine;
}
