import { basename } from 'node:path';
import { availableProcessors } from '#platform';
import type { Graph } from '../../compiler/graph.js';
import type { Traits } from '../../compiler/optimize.js';
import type { ChoiceOfProducts, Precision } from '../../compiler/precision.js';
import { isThreadCount, threadCounts, threadsAsked, validating } from '../../env.js';
import { InputError } from '../../errors.js';
import type { CompileOptions, Engine, EngineLibrary, EngineSettings, Program, Support } from '../engine.js';
import { Arena } from '../planned/arena.js';
import { ThreadCount } from '../planned/cost.js';
import { PlannedProgram, type Runtime, type StepObserver } from '../planned/program.js';
import { recordCalls } from '../planned/record.js';
import { scheduleUpdates } from '../planned/updateOrder.js';
import type { StepRecord } from '../record.js';
import { OneDnnBackend } from './backend.js';
import { bfloat16Products } from './bfloat16.js';
import { Normalization } from './code/norm.js';
import { libraryInUse, type NativeMemory, setThreadCount } from './ffi.js';
import { lowerings } from './lower/table.js';
import type { ConvChoice } from './lower/winograd.js';
import { Lowering } from './lowering.js';
import { bfloat16Unit, instructions, isInexact, winogradKernels } from './processor.js';

/** oneDNN's kernels, called through its C API. */
export class OneDnnEngine implements Engine, Runtime<NativeMemory> {
  readonly name = 'onednn';
  readonly backend = new OneDnnBackend((count) => this.useThreads(count));
  readonly arena = new Arena((bytes) => this.backend.allocate(bytes));
  /** Called with every step of every run. */
  observer: StepObserver | null = null;
  /** Kernels that the convolutions of programs use from now on. */
  convolution: ConvChoice = 'auto';
  /**
   * The precision in which programs compute from now on. `bf16` is for processors that have it: see
   * {@link supports}.
   */
  precision: Precision = 'float32';
  /**
   * Most threads that a kernel may use. Small kernels use one thread. So do all kernels of a small program,
   * unless the user set the number.
   */
  readonly #threads: ThreadCount;
  #inUse = 0;
  /** Most threads that any kernel has run on so far. */
  threadsUsed = 1;

  /** @param threads the number that the user set, or null */
  constructor(threads: number | null) {
    this.#threads = new ThreadCount(threads ?? availableProcessors(), threads !== null);
  }

  get settings(): EngineSettings {
    const convolution = this.convolution === 'direct' ? 'direct' : 'auto';
    return { threads: this.#threads.count, precision: this.precision, convolution };
  }

  configure({ threads, precision, convolution }: Partial<EngineSettings>): void {
    if (threads !== undefined && !isThreadCount(threads)) {
      throw new InputError(`[engine] threads: expected ${threadCounts}, got ${threads}`);
    }
    if (threads !== undefined) this.#threads.choose(threads);
    if (precision !== undefined) this.precision = precision;
    if (convolution !== undefined) this.convolution = convolution;
  }

  get settingsKey(): string {
    return `${this.precision} ${this.convolution} ${this.#threads.key}`;
  }

  supports(precision: Precision): Support {
    if (precision === 'float32') return { possible: true };
    const unit = bfloat16Unit();
    if (unit === null) return { possible: false, reason: 'this processor has no instructions for it' };
    if (unit !== 'slow AVX-512') return { possible: true };
    const note = 'on this processor float32 multiplies faster; bf16 is used for linear layers of few images alone';
    return { possible: true, note };
  }

  /** The kernels of convolutions among those that there are. */
  get #algorithms(): ConvChoice {
    return winogradKernels() === null ? 'direct' : this.convolution;
  }

  get library(): EngineLibrary {
    const { path, version, origin } = libraryInUse();
    return { file: basename(path), version: version.join('.'), origin };
  }

  get heldBytes(): number {
    return this.arena.memory.bytes;
  }

  shrink(bytes: number): void {
    this.arena.shrink(bytes);
  }

  describe(): string {
    const convolutions = this.#algorithms === 'direct' ? 'direct' : 'Winograd and direct';
    const precision = this.precision === 'bf16' ? `, ${bfloat16Unit() === 'slow AVX-512' ? 'slow ' : ''}bf16` : '';
    return `oneDNN ${this.library.version}, ${instructions()}, ${convolutions} convolutions${precision}`;
  }

  traits(graph: Graph): Traits {
    const isMixed = this.precision === 'bf16';
    const bfloat16 = () => (isMixed ? this.bfloat16Products(graph) : null);
    return {
      fuses: true,
      multipliesMatrices: true,
      gatesInBatchNorm: (shape) => !isMixed && Normalization.takes(shape, 'float32'),
      addsToScaled: (shape) => Normalization.takes(shape, isMixed ? 'bfloat16' : 'float32'),
      absorbs: (fn) => !isInexact(fn),
      addsInBatchNorm: (shape) => Normalization.takes(shape, isMixed ? 'bfloat16' : 'float32'),
      get bfloat16() {
        return bfloat16();
      },
    };
  }

  /** Convolutions and linear layers that run faster in bfloat16. */
  bfloat16Products(graph: Graph): ChoiceOfProducts {
    return bfloat16Products(graph, this.#algorithms, winogradKernels() ?? 'library', bfloat16Unit() ?? 'AVX-512');
  }

  compile(graph: Graph, { watch = null, keepsNonFinite = false }: CompileOptions = {}): Program {
    const threads = this.#threads.for(graph);
    const lowered = new Lowering(scheduleUpdates(graph), this.backend, {
      validate: validating(),
      watch,
      // Winograd's kernels mix neighbouring pixels, so that a number that is not finite reaches others.
      convolution: keepsNonFinite ? 'direct' : this.#algorithms,
      winograd: winogradKernels() ?? 'library',
      keepsNonFinite,
      threads,
    }).lower(lowerings);
    return new PlannedProgram(lowered, this.backend, this);
  }

  record(body: () => Promise<unknown>): Promise<StepRecord> {
    return recordCalls(this, body);
  }

  useThreads(count: number): void {
    if (count !== this.#inUse) setThreadCount(count);
    this.#inUse = count;
    if (count > this.threadsUsed) this.threadsUsed = count;
  }
}

let engine: OneDnnEngine | null = null;

/**
 * The engine on the system's oneDNN library.
 *
 * @throws {EngineError} if there is no usable library; the message says how to install it
 * @throws {InputError} if `OMP_NUM_THREADS` is no number of threads, or `FOVEA_ONEDNN` no usable library
 */
export function openOneDnn(): OneDnnEngine {
  if (engine !== null) return engine;
  // The check comes before the library's runtime reads the variable and prints an error of its own.
  const threads = threadsAsked();
  libraryInUse();
  engine = new OneDnnEngine(threads);
  return engine;
}
