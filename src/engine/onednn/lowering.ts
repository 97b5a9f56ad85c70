import type { Graph, GraphNode, GraphValue } from '../../compiler/graph.js';
import { InternalError, requireFinite } from '../../errors.js';
import type { TypedArray } from '../../graph/dtype.js';
import type { Activation, OpName } from '../../graph/op.js';
import { numel, sameShape } from '../../graph/shape.js';
import type { Watch } from '../engine.js';
import { runKernel } from '../reference/engine.js';
import type { KernelCode } from './avx512/kernel.js';
import { MachineCode } from './avx512/machineCode.js';
import { args, MemoryDesc, Primitive } from './ffi.js';
import type { ConvChoice } from './lower/winograd.js';
import { losesNaN, mayBeNonFinite, sourcesOf } from './nonFinite.js';
import { plainDesc, typed } from './placing.js';
import {
  type ArrayType,
  type Buffer,
  type KernelStep,
  type LoweredGraph,
  type Owned,
  type Part,
  type Placed,
  type SourcePlan,
  type Step,
  wholeOf,
} from './steps.js';
import { Validation } from './validation.js';
import { threadsFor, threadsForElements } from './work.js';

/** Turns one node into steps. */
export type Lower<K extends OpName> = (context: Lowering, node: GraphNode<K>) => void;

export interface LoweringOptions {
  /** Compare every node with the reference engine at every run. */
  readonly validate: boolean;
  /** Shown the outputs of every node. */
  readonly watch?: Watch | null;
  readonly convolution: ConvChoice;
  /** Whether no node may give a number for NaN, since sources may hold such. */
  readonly keepsNonFinite?: boolean;
  /** Most threads that a kernel may use. */
  readonly threads: number;
  /** Sets the number of threads of what is created from now on. */
  readonly useThreads: (count: number) => void;
}

export type LoweringTable = { readonly [K in OpName]: Lower<K> };

/** A class, also one whose constructor is private. */
interface ClassOf<T> {
  readonly prototype: T;
  [Symbol.hasInstance](value: unknown): boolean;
}

type ArgList = readonly (readonly [argument: number, memory: Placed])[];

/**
 * Builds the steps of a program: places values in buffers and layouts, inserts a reorder where a kernel wants another
 * layout than its input has, and falls back to a TypeScript kernel where the library has none.
 */
export class Lowering {
  readonly #steps: Step[] = [];
  readonly #buffers: Buffer[] = [];
  readonly #owned: Owned[] = [];
  /** Every layout in which a value lies somewhere; the one it was computed in comes first. */
  readonly #places = new Map<GraphValue, Placed[]>();
  readonly #lastUses = new Map<GraphValue, number>();
  readonly #bufferLastUses = new Map<Buffer, number>();
  readonly #parts = new Map<Buffer, Part>();
  readonly #targets = new Map<GraphValue, GraphValue>();
  readonly #renewed = new Set<GraphValue>();
  readonly #persistent = new Set<GraphValue>();
  readonly #finite = new Set<GraphValue>();
  readonly #kept = new Set<GraphValue>();
  readonly #generated = new Map<string, KernelCode | null>();
  readonly #forwards = new Map<GraphValue, object>();
  readonly #lossy = new Set<GraphNode>();
  readonly #mayBeNonFinite: ReadonlySet<GraphValue>;
  #current = 0;
  #threads = 1;

  readonly #options: LoweringOptions;

  private constructor(
    readonly graph: Graph,
    options: LoweringOptions,
  ) {
    this.#options = options;
    this.#mayBeNonFinite = mayBeNonFinite(graph);
    graph.nodes.forEach((node, i) => {
      for (const input of node.inputs) this.#lastUses.set(input, i);
    });
    for (const { value, into, finite } of graph.outputs) {
      if (finite) this.#finite.add(value);
      if (into >= 0) {
        this.#targets.set(value, graph.sources[into].value);
        this.#renewed.add(graph.sources[into].value);
      }
      this.#lastUses.set(value, Number.POSITIVE_INFINITY);
    }
    for (const { value, persistent } of graph.sources) {
      if (persistent) this.#persistent.add(value);
      if (persistent && !this.isRenewed(value)) this.#kept.add(value);
    }
    for (const { inputs, outputs } of graph.nodes) {
      if (inputs.every((input) => this.#kept.has(input))) for (const output of outputs) this.#kept.add(output);
    }
  }

  /** Lowers the whole graph. */
  static lower(graph: Graph, table: LoweringTable, options: LoweringOptions): LoweredGraph {
    const context = new Lowering(graph, options);
    const validation = options.validate ? new Validation() : null;
    graph.nodes.forEach((node, i) => {
      context.#current = i;
      context.#useThreads(threadsFor(node, options.threads));
      const lower = () => context.#lowerNode(node, table);
      if (validation === null) lower();
      else validation.around(context, node, `%${i} ${node.op}`, lower);
      context.#inspect(node);
    });
    return context.#finish();
  }

  #lowerNode(node: GraphNode, table: LoweringTable): void {
    (table[node.op] as Lower<OpName>)(this, node);
    // Kernels give what they take; what was decided to be float32 is that for whoever reads it.
    for (const output of node.outputs) {
      const place = this.#places.get(output)?.[0];
      if (output.dtype !== 'float32' || place?.desc.dtype !== 'bfloat16' || !this.isUsed(output)) continue;
      const widened = { buffer: this.buffer(2 * place.desc.size), desc: place.desc.withType('float32') };
      this.#reorder(place, widened);
      this.define(output, widened);
    }
  }

  /** Which kernels convolutions use. */
  get convolution(): ConvChoice {
    return this.#options.convolution;
  }

  /**
   * Asks before a kernel that gives a number for NaN is taken for a node. If the answer is no, the program remembers that it does
   * not serve for sources with values that are not finite.
   *
   * @returns whether another kernel has to be taken
   */
  mustKeepNaN(node: GraphNode): boolean {
    if (this.#options.keepsNonFinite || node.inputs.some((input) => this.#mayBeNonFinite.has(input))) return true;
    this.#lossy.add(node);
    return false;
  }

  /** Says that the primitive, which applies this activation to its results, was taken for a node. */
  activates(node: GraphNode, activation: Activation | undefined, { family }: Primitive): void {
    if (activation !== undefined && losesNaN(activation.fn, family)) this.#lossy.add(node);
  }

  /** Whether anything reads the value. */
  isUsed(value: GraphValue): boolean {
    return this.#lastUses.has(value);
  }

  /** Whether the program overwrites this source. */
  isRenewed(source: GraphValue): boolean {
    return this.#renewed.has(source);
  }

  /** Whether it is the same in every run until a parameter is overwritten from outside: so is all that it is computed from. */
  isKept(value: GraphValue): boolean {
    return this.#kept.has(value);
  }

  /** Where the value lies, in the layout it was computed in. */
  placeOf(value: GraphValue): Placed {
    return this.#places.get(value)?.[0] ?? this.#placeSource(value, plainDesc(value));
  }

  /** Where the value lies, with the value's own axes: the weights of a grouped convolution lie there with others. */
  withOwnAxes(value: GraphValue): Placed {
    const place = this.placeOf(value);
    return place.desc.shape.length === value.shape.length ? place : this.plain(value);
  }

  /** The value in row-major layout with its own shape. */
  plain(value: GraphValue): Placed {
    return this.inLayout(value, plainDesc(value));
  }

  /** The value in a given layout; the axes may be any that have the same elements in row-major order. */
  inLayout(value: GraphValue, desc: MemoryDesc): Placed {
    const places = this.#places.get(value);
    if (places === undefined) return this.#placeSource(value, desc);
    const found = places.find((place) => place.desc.equals(desc));
    if (found !== undefined) return found;
    const place = this.#copyInto(value, desc);
    places.push(place);
    this.#keep(place.buffer, value);
    return place;
  }

  /** Chooses the layout of a source that stays in native memory, if nothing has done so yet. */
  settle(value: GraphValue, layout: () => MemoryDesc): void {
    if (this.#persistent.has(value) && !this.#places.has(value)) this.#placeSource(value, layout());
  }

  /** A new buffer for an output of a node. */
  output(value: GraphValue, desc: MemoryDesc): Placed {
    const placed = { buffer: this.buffer(desc.size), desc };
    this.define(value, placed);
    return placed;
  }

  /** Says that the value lies there, e.g. in the memory of another one. */
  define(value: GraphValue, placed: Placed): void {
    this.#places.set(value, [placed]);
    this.#keep(placed.buffer, value);
  }

  /** A buffer in the arena that no value of the graph lies in (workspaces, scratch). */
  buffer(bytes: number): Buffer {
    return this.#addBuffer('arena', bytes, -1, null);
  }

  /** A buffer that is filled once, when the program is made. */
  constant(contents: TypedArray): Buffer {
    return this.#addBuffer('constant', contents.byteLength, -1, contents);
  }

  /**
   * For a kernel that may write its result over an input: the input's own memory if nobody needs it any more, else a
   * new buffer.
   */
  overwriting(input: GraphValue, placed: Placed, output: GraphValue): Placed {
    const { buffer, desc } = placed;
    if (buffer.kind !== 'arena' || !this.#isSpent(buffer) || input.dtype !== output.dtype)
      return this.output(output, desc);
    const result = { buffer, desc };
    this.define(output, result);
    return result;
  }

  /** Memory of the output in which the input lies already, for a kernel that adds to what is there. */
  addingTo(input: GraphValue, output: GraphValue, desc: MemoryDesc): Placed {
    const placed = this.inLayout(input, desc);
    const result = this.#isReadOtherwise(placed.buffer)
      ? this.output(output, placed.desc)
      : this.overwriting(input, placed, output);
    if (result.buffer !== placed.buffer) this.#reorder(placed, result);
    return result;
  }

  /** Whether the current node has more than one of its inputs there: it still reads others after it has begun to write. */
  #isReadOtherwise(buffer: Buffer): boolean {
    const { inputs } = this.graph.nodes[this.#current];
    const whole = this.#wholeOf(buffer);
    const isThere = (input: GraphValue) =>
      this.#places.get(input)?.some((place) => this.#wholeOf(place.buffer) === whole) === true;
    return inputs.filter(isThere).length > 1;
  }

  #wholeOf(buffer: Buffer): Buffer {
    return wholeOf(buffer, this.#parts)[0];
  }

  /**
   * Lets values lie one after another in the memory of `output`, so that nothing need be copied.
   *
   * @returns whether that is possible: each fills a buffer that changes from run to run and is no part of another yet
   */
  join(inputs: readonly GraphValue[], output: GraphValue, desc: MemoryDesc): boolean {
    const places = inputs.map((input) => this.placeOf(input));
    const isFree = ({ buffer, desc: { size } }: Placed) =>
      buffer.kind === 'arena' && buffer.bytes === size && !this.#parts.has(buffer);
    const buffers = new Set(places.map(({ buffer }) => buffer));
    const bytes = places.reduce((sum, { buffer }) => sum + buffer.bytes, 0);
    if (!places.every(isFree) || buffers.size < inputs.length || bytes !== desc.size) return false;
    if (inputs.some((input) => this.isKept(input))) return false;
    const whole = this.output(output, desc).buffer;
    let offset = 0;
    for (const { buffer } of places) {
      this.#keepUntil(whole, this.#bufferLastUses.get(buffer) ?? -1);
      this.#parts.set(buffer, { whole, offset });
      offset += buffer.bytes;
    }
    return true;
  }

  /**
   * The memory of `input`, to be updated in place into `output`: the source's own if that is what the output goes
   * into, otherwise a copy.
   */
  updating(input: GraphValue, output: GraphValue, desc: MemoryDesc): Placed {
    const placed = this.inLayout(input, desc);
    const mine = this.#places.get(input)?.[0] === placed && this.#targets.get(output) === input;
    if (mine && !this.#isReadOtherwise(placed.buffer) && this.#isSpent(placed.buffer)) {
      this.define(output, placed);
      return placed;
    }
    const copy = this.output(output, desc);
    this.#reorder(placed, copy);
    return copy;
  }

  /** Calls a oneDNN kernel. Arguments up to `reads` are read, the others written. */
  call(name: string, primitive: Primitive, reads: ArgList, writes: ArgList): void {
    this.#owned.push(primitive);
    const scratch = primitive.optionalLayout('scratchpad');
    const all = [...writes];
    if (scratch !== null && scratch.size > 0) {
      all.push([args.scratchpad, { buffer: this.buffer(scratch.size), desc: scratch }]);
    }
    this.#steps.push({
      kind: 'primitive',
      name,
      node: this.#node,
      primitive,
      threads: this.#threads,
      args: [...reads, ...all],
      reads: reads.map(([, placed]) => placed),
      writes: all.map(([, placed]) => placed),
    });
  }

  /** What `make`, a named function, makes of these arguments; once for equal ones, which JSON must tell apart. */
  generate<A extends readonly unknown[], T extends KernelCode | null>(make: (...args: A) => T, ...args: A): T {
    const key = `${make.name} ${JSON.stringify(args)}`;
    const known = this.#generated.get(key);
    if (known !== undefined) return known as T;
    const code = make(...args);
    this.#generated.set(key, code);
    return code;
  }

  /** Calls machine code of our own, with operands in its order; of these it writes `writes`. */
  code(name: string, kernel: KernelCode, operands: readonly Placed[], writes: readonly Placed[]): void {
    const code = new MachineCode(kernel);
    this.#owned.push(code);
    const reads = operands.filter((operand) => !writes.includes(operand));
    this.#steps.push({ kind: 'code', name, node: this.#node, code, threads: this.#threads, operands, reads, writes });
  }

  /** Computes the node with the TypeScript kernel of the reference engine. */
  fallback(node: GraphNode): void {
    const reads = node.inputs.map((input) => typed(this.plain(input), input));
    const writes = node.outputs.map((output) => typed(this.output(output, plainDesc(output)), output));
    this.kernel(node.op, reads, writes, (inputs, outputs) => runKernel(node, inputs, outputs));
  }

  kernel(
    name: string,
    reads: readonly (Placed & ArrayType)[],
    writes: readonly (Placed & ArrayType)[],
    run: KernelStep['run'],
  ): void {
    this.#steps.push({ kind: 'kernel', name, node: this.#node, run, reads, writes });
  }

  /** Remembers what computed `value`, a workspace, for the backward kernel that reads it. */
  rememberForward(value: GraphValue, forward: object): void {
    this.#forwards.set(value, forward);
  }

  /** What computed the workspace; `undefined` if that is nothing of this kind. */
  forwardOf<T extends object>(value: GraphValue, kind: ClassOf<T>): T | undefined {
    const forward = this.#forwards.get(value);
    return kind[Symbol.hasInstance](forward) ? (forward as T) : undefined;
  }

  /** Owns a primitive that is not called itself (the hint of a backward primitive). */
  own(primitive: Primitive): Primitive {
    this.#owned.push(primitive);
    return primitive;
  }

  /** Adds the steps that look at what a node computed. */
  #inspect(node: GraphNode): void {
    const { watch = null } = this.#options;
    for (const output of node.outputs) {
      const guarded = this.#finite.has(output);
      if (!guarded && (watch === null || output.dtype !== 'float32' || !this.isUsed(output))) continue;
      this.kernel('inspect', [typed(this.plain(output), output)], [], ([{ data }]) => {
        watch?.(node, data);
        if (guarded) requireFinite(data[0]);
      });
    }
  }

  /** Says that the buffer must not be overwritten before the last use of the value. */
  #keep(buffer: Buffer, value: GraphValue): void {
    this.#keepUntil(buffer, this.#lastUses.get(value) ?? -1);
  }

  /** Who overwrites a part overwrites the whole, and the other parts as well who overwrites that. */
  #keepUntil(buffer: Buffer, use: number): void {
    const whole = this.#wholeOf(buffer);
    this.#bufferLastUses.set(whole, Math.max(this.#bufferLastUses.get(whole) ?? -1, use));
  }

  /** Kernels are generated for a number of threads. */
  #useThreads(count: number): void {
    this.#threads = count;
    this.#options.useThreads(count);
  }

  get #node(): GraphNode | null {
    return this.graph.nodes[this.#current] ?? null;
  }

  /** Whether nothing after the current node reads the buffer. */
  #isSpent(buffer: Buffer): boolean {
    return (this.#bufferLastUses.get(this.#wholeOf(buffer)) ?? Number.POSITIVE_INFINITY) <= this.#current;
  }

  #addBuffer(kind: Buffer['kind'], bytes: number, source: number, contents: TypedArray | null): Buffer {
    const buffer = { id: this.#buffers.length, kind, bytes, source, contents };
    this.#buffers.push(buffer);
    return buffer;
  }

  #placeSource(value: GraphValue, wanted: MemoryDesc): Placed {
    if (value.producer !== null) throw new InternalError(`${value.producer.op} has not been lowered`);
    const resident = this.#persistent.has(value);
    // What is copied in at every run comes from a plain array; what stays may take the layout of its first user.
    const desc =
      resident && !wanted.isOpaque() && (wanted.dtype === value.dtype || this.#isReadOnce(value))
        ? wanted
        : plainDesc(value);
    const buffer = this.#addBuffer(resident ? 'resident' : 'input', desc.size, value.index, null);
    this.define(value, { buffer, desc });
    return desc.equals(wanted) ? (this.#places.get(value) as Placed[])[0] : this.inLayout(value, wanted);
  }

  /** Such a source is copied into whatever layout and type one kernel likes, once for many runs. */
  #isReadOnce(value: GraphValue): boolean {
    const { nodes, outputs } = this.graph;
    if (outputs.some(({ into, value: output }) => output === value || into === value.index)) return false;
    return nodes.reduce((uses, { inputs }) => uses + inputs.filter((input) => input === value).length, 0) === 1;
  }

  #copyInto(value: GraphValue, desc: MemoryDesc): Placed {
    const from = this.placeOf(value);
    const to = { buffer: this.buffer(desc.size), desc };
    if (sameShape(from.desc.shape, desc.shape)) {
      this.#reorder(from, to);
      return to;
    }
    // Other axes over the same elements: they agree in row-major order, and only there.
    const plainFrom = from.desc.isPlain() ? from : this.#plainCopy(from);
    const plainTo = MemoryDesc.plain(desc.shape, plainFrom.desc.dtype);
    const reinterpreted = { buffer: plainFrom.buffer, desc: plainTo };
    if (plainTo.equals(desc)) return reinterpreted;
    this.#reorder(reinterpreted, to);
    return to;
  }

  #plainCopy(from: Placed): Placed {
    const desc = MemoryDesc.plain(from.desc.shape, from.desc.dtype);
    const copy = { buffer: this.buffer(desc.size), desc };
    this.#reorder(from, copy);
    return copy;
  }

  #reorder(from: Placed, to: Placed): void {
    // A reorder for a heavy kernel can be light.
    const threads = this.#threads;
    this.#useThreads(threadsForElements(numel(to.desc.shape), this.#options.threads));
    const primitive = Primitive.reorder(from.desc, to.desc);
    if (primitive !== null) this.call('reorder', primitive, [[args.src, from]], [[args.dst, to]]);
    // Some layouts that one kernel alone reads are made of plain ones only.
    else if (!from.desc.isPlain()) this.#reorder(this.#plainCopy(from), to);
    else throw new InternalError(`no reorder from ${from.desc} to ${to.desc}`);
    this.#useThreads(threads);
  }

  #finish(): LoweredGraph {
    const { graph } = this;
    this.#current = Number.POSITIVE_INFINITY;
    const assigned = new Set<number>();
    const copies: { readonly value: GraphValue; readonly target: Placed }[] = [];
    for (const { value, into } of graph.outputs) {
      if (into < 0) continue;
      assigned.add(into);
      const target = this.placeOf(graph.sources[into].value);
      if (this.placeOf(value).buffer !== target.buffer) copies.push({ value, target });
    }
    // Read everything before anything is overwritten: one source's new value may be another's old one.
    const overwritten = new Set(copies.map(({ target }) => target.buffer));
    const saved = (placed: Placed) => (overwritten.has(placed.buffer) ? this.#plainCopy(placed) : placed);
    const outputs = graph.outputs
      .filter(({ into }) => into < 0)
      .map(({ value }) => typed(saved(this.plain(value)), value));
    const moves = copies.map(({ value, target }) => {
      const own = this.placeOf(value);
      const sameAxes = sameShape(own.desc.shape, target.desc.shape);
      return { from: saved(sameAxes ? own : this.inLayout(value, target.desc)), target };
    });
    for (const { from, target } of moves) this.#reorder(from, target);
    const sources: SourcePlan[] = graph.sources.map(({ value, persistent }, i) => ({
      placed: this.#places.get(value)?.[0] ?? null,
      resident: persistent,
      assigned: assigned.has(i),
    }));
    return {
      steps: this.#steps,
      buffers: this.#buffers,
      parts: this.#parts,
      sources,
      outputs,
      owned: this.#owned,
      finiteSources: sourcesOf(graph, this.#lossy),
    };
  }
}
