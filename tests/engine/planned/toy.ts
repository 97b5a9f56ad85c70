import type { Graph, GraphNode } from '../../../src/compiler/graph.js';
import { noTraits, type Traits } from '../../../src/compiler/optimize.js';
import type { CompileOptions, Engine, EngineSettings, Support } from '../../../src/engine/engine.js';
import type { NDArray } from '../../../src/engine/ndarray.js';
import { Arena } from '../../../src/engine/planned/arena.js';
import type { Backend, Call, LinkedCalls, Memory, Place } from '../../../src/engine/planned/backend.js';
import { type Layout, plainType } from '../../../src/engine/planned/layout.js';
import { Lowering, type LoweringTable } from '../../../src/engine/planned/lowering.js';
import { PlannedProgram, type StepObserver } from '../../../src/engine/planned/program.js';
import type { CallStep, LoweredGraph, Operand, ProgramBuffer } from '../../../src/engine/planned/steps.js';
import { scheduleUpdates } from '../../../src/engine/planned/updateOrder.js';
import { runKernel } from '../../../src/engine/reference/engine.js';
import { validating } from '../../../src/env.js';
import { EngineError } from '../../../src/errors.js';
import {
  allocate,
  bytesPerElement,
  type DType,
  type StoredDType,
  type TypedArray,
  viewOf,
} from '../../../src/graph/dtype.js';
import type { OpName } from '../../../src/graph/op.js';
import { numel, type Shape } from '../../../src/graph/shape.js';

/** The only layout: row-major. */
export class Plain implements Layout<Plain> {
  constructor(
    readonly shape: Shape,
    readonly dtype: StoredDType,
  ) {}

  get size(): number {
    return numel(this.shape) * bytesPerElement(this.dtype);
  }

  equals(other: Plain): boolean {
    return String(this) === String(other);
  }

  isPlain(): boolean {
    return true;
  }

  isOpaque(): boolean {
    return false;
  }

  withType(dtype: StoredDType): Plain {
    return new Plain(this.shape, dtype);
  }

  toString(): string {
    return `${this.dtype}[${this.shape}]`;
  }
}

/** All memory of the engine: one block that moves when it grows, as a WebAssembly memory does. Views from before are empty then. */
class Heap {
  #buffer = new ArrayBuffer(1024);
  #used = 0;
  generation = 0;
  /** Blocks that have been allocated and not freed. */
  live = 0;

  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  allocate(bytes: number): number {
    const offset = this.#used;
    this.#used += Math.ceil(bytes / 64) * 64;
    if (this.#used > this.#buffer.byteLength) {
      const moved = structuredClone(this.#buffer, { transfer: [this.#buffer] });
      this.#buffer = new ArrayBuffer(2 * this.#used);
      new Uint8Array(this.#buffer).set(new Uint8Array(moved));
      this.generation++;
    }
    this.live++;
    return offset;
  }
}

class Block implements Memory {
  #freed = false;

  constructor(
    readonly heap: Heap,
    readonly offset: number,
    readonly bytes: number,
  ) {}

  array(dtype: DType, offset: number, length: number): TypedArray {
    if (this.#freed) throw new EngineError('[toy] memory: used after free');
    if (offset + length * bytesPerElement(dtype) > this.bytes) throw new EngineError('[toy] memory: past the end');
    return viewOf(dtype, this.heap.buffer, this.offset + offset, length);
  }

  free(): void {
    if (!this.#freed) this.heap.live--;
    this.#freed = true;
  }
}

type Compute = (operands: readonly TypedArray[]) => void;

/** A kernel: a function over arrays, which are in the order of the operands. */
class ToyCall implements Call<Plain> {
  readonly implementation = 'loops';
  readonly scratch = null;
  readonly checksFinite = false;
  readonly wroteFinite = null;

  constructor(readonly compute: Compute) {}

  destroy(): void {}
}

type ToyStep = CallStep<Plain, ToyCall>;

class Linked implements LinkedCalls<Plain, ToyCall, Block> {
  readonly bytes = 0;
  readonly #arrays = new Map<ToyStep, TypedArray[]>();

  constructor(steps: readonly ToyStep[]) {
    for (const step of steps) this.#arrays.set(step, []);
  }

  point(locate: (buffer: ProgramBuffer) => Place<Block> | null): void {
    for (const [{ operands }, arrays] of this.#arrays) {
      operands.forEach(({ buffer, layout }, i) => {
        const place = locate(buffer);
        if (place !== null) arrays[i] = place.memory.array(layout.dtype as DType, place.offset, numel(layout.shape));
      });
    }
  }

  runnerOf(step: ToyStep): () => void {
    const arrays = this.#arrays.get(step) as TypedArray[];
    return () => step.call.compute(arrays);
  }

  destroy(): void {}
}

export class ToyBackend implements Backend<Plain, ToyCall, Block> {
  readonly name = 'toy';
  readonly compute = runKernel;
  readonly heap = new Heap();

  get generation(): number {
    return this.heap.generation;
  }

  plainLayout(shape: Shape, dtype: StoredDType): Plain {
    return new Plain(shape, dtype);
  }

  /** Only shapes differ between layouts of the same axes: nothing to move but the elements. */
  reorder(): ToyCall {
    return new ToyCall(([from, to]) => to.set(from));
  }

  allocate(bytes: number): Block {
    return new Block(this.heap, this.heap.allocate(bytes), bytes);
  }

  link(steps: readonly ToyStep[]): Linked {
    return new Linked(steps);
  }

  useThreads(): void {}
}

/** A lowering that runs each op by the reference's loop, in place where that allows it. */
class ToyLowering extends Lowering<Plain, ToyCall> {
  /** Adds a call for the node. Operands are inputs, then outputs. */
  run(node: GraphNode, inputs: readonly Operand<Plain>[], outputs: readonly Operand<Plain>[]): void {
    const arrays = [...node.inputs, ...node.outputs].map(({ shape, dtype }) => ({ shape, dtype: plainType(dtype) }));
    const call = new ToyCall((data) => {
      const all = arrays.map((array, i): NDArray => ({ ...array, data: data[i] }));
      runKernel(node, all.slice(0, inputs.length), all.slice(inputs.length));
    });
    this.addCall(nameOf(node), call, { reads: inputs, writes: outputs, operands: [...inputs, ...outputs] });
  }

  /** Computes into new buffers. */
  compute(node: GraphNode): void {
    const inputs = node.inputs.map((input) => this.plain(input));
    this.run(
      node,
      inputs,
      node.outputs.map((output) => this.output(output, this.plainLayout(output))),
    );
  }

  /** Computes over the first input, if nothing else needs it. */
  overFirst(node: GraphNode): void {
    const inputs = node.inputs.map((input) => this.plain(input));
    const isBroadcast = node.inputs[0].shape.join() !== node.outputs[0].shape.join();
    if (isBroadcast) this.compute(node);
    else this.run(node, inputs, [this.inPlace(node.inputs[0], inputs[0], node.outputs[0])]);
  }

  /** Updates a parameter and its states, which are the inputs at `states`. */
  update(node: GraphNode, states: readonly number[]): void {
    const updated = new Map(
      states.map((at, i) => {
        const state = node.inputs[at];
        return [at, this.updateInPlace(state, node.outputs[i], this.plainLayout(state))] as const;
      }),
    );
    const inputs = node.inputs.map((input, i) => updated.get(i) ?? this.plain(input));
    this.run(node, inputs, [...updated.values()]);
  }
}

function nameOf({ op, params }: GraphNode): string {
  if ('activation' in params && params.activation !== undefined) return `${op}+${params.activation.fn}`;
  return 'relu' in params && params.relu ? `${op}+relu` : op;
}

const compute = (context: ToyLowering, node: GraphNode): void => context.compute(node);
const overFirst = (context: ToyLowering, node: GraphNode): void => context.overFirst(node);
const typescript = (context: ToyLowering, node: GraphNode): void => context.fallback(node);

const special: Partial<LoweringTable<ToyLowering>> = {
  constant: (context, { outputs: [y], params: { value, dtype } }) => {
    const contents = allocate(dtype, numel(y.shape)).fill(value);
    context.define(y, { buffer: context.constant(contents), layout: new Plain(y.shape, dtype) });
  },
  reshape: (context, { inputs: [x], outputs: [y] }) => {
    context.define(y, { buffer: context.plain(x).buffer, layout: new Plain(y.shape, plainType(y.dtype)) });
  },
  concat: (context, node) => {
    const [y] = node.outputs;
    const isContiguous = y.shape.slice(0, node.params.axis).every((size) => size === 1);
    if (isContiguous && context.asSlices(node.inputs, y, new Plain(y.shape, plainType(y.dtype)))) return;
    context.compute(node as unknown as GraphNode);
  },
  unary: overFirst,
  affine: overFirst,
  unaryBackward: overFirst,
  binary: overFirst,
  crossEntropy: typescript,
  crossEntropyBackward: typescript,
  runningAverage: (context, node) => context.update(node as unknown as GraphNode, [0]),
  sgdUpdate: (context, node) => context.update(node as unknown as GraphNode, [0]),
  momentumUpdate: (context, node) => context.update(node as unknown as GraphNode, [0, 2]),
  adamUpdate: (context, node) => context.update(node as unknown as GraphNode, [0, 2, 3]),
};

const toyLowerings = new Proxy(special, {
  get: (table, op) => table[op as OpName] ?? compute,
}) as LoweringTable<ToyLowering>;

/** An engine of plain arrays on the room `src/engine/planned`, as small as one can be. */
export class ToyEngine implements Engine {
  readonly name = 'toy';
  readonly settings: EngineSettings = { threads: 1, precision: 'float32', convolution: 'auto' };
  readonly settingsKey = '';
  readonly threadsUsed = 1;
  readonly backend = new ToyBackend();
  readonly arena = new Arena((bytes) => this.backend.allocate(bytes));
  observer: StepObserver | null = null;

  describe(): string {
    return 'plain arrays';
  }

  configure(): void {}

  supports(): Support {
    return { possible: true };
  }

  traits(): Traits {
    return { ...noTraits, fuses: true };
  }

  get heldBytes(): number {
    return this.arena.memory.bytes;
  }

  shrink(bytes: number): void {
    this.arena.shrink(bytes);
  }

  lower(graph: Graph, { watch = null, keepsNonFinite = false }: CompileOptions = {}): LoweredGraph<Plain, ToyCall> {
    const options = { threads: 1, validate: validating(), watch, keepsNonFinite };
    return new ToyLowering(scheduleUpdates(graph), this.backend, options).lower(toyLowerings);
  }

  compile(graph: Graph, options: CompileOptions = {}): PlannedProgram<Plain, ToyCall, Block> {
    return new PlannedProgram(this.lower(graph, options), this.backend, this);
  }
}
