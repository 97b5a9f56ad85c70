import type { Graph, GraphNode, GraphValue } from '../../compiler/graph.js';
import { InternalError, requireFinite } from '../../errors.js';
import type { OpName } from '../../graph/op.js';
import { numel, sameShape } from '../../graph/shape.js';
import type { Watch } from '../engine.js';
import type { Call } from './backend.js';
import { threadsFor, threadsForElements } from './cost.js';
import { InPlacePlacement } from './inPlace.js';
import type { Layout } from './layout.js';
import { mayBeNonFinite, sourcesBehind } from './nonFinite.js';
import type { LoweringBackend } from './placement.js';
import {
  type ArrayOperand,
  asArray,
  type LoweredGraph,
  type Operand,
  type Owned,
  type Step,
  type TypeScriptStep,
} from './steps.js';
import { Validation } from './validation.js';

/** Turns one node into steps. `X` is the engine's own lowering. */
export type Lower<K extends OpName, X> = (context: X, node: GraphNode<K>) => void;

/** The lowering of every op. */
export type LoweringTable<X> = { readonly [K in OpName]: Lower<K, X> };

export interface LoweringOptions {
  /** Compare every node with the reference engine at every run. */
  readonly validate?: boolean;
  /** Called with the outputs of every node. */
  readonly watch?: Watch | null;
  /** Whether sources may hold NaN, so that no kernel may turn it into a number. */
  readonly keepsNonFinite?: boolean;
  /** Most threads that a kernel may use. */
  readonly threads: number;
}

/** A class, also one whose constructor is private. */
interface ClassOf<T> {
  readonly prototype: T;
  [Symbol.hasInstance](value: unknown): boolean;
}

/**
 * Builds the steps of a program, node by node. It places values in buffers and layouts, copies a value if a
 * kernel wants another layout, and computes ops without a kernel in TypeScript. `README.md` beside this file
 * explains the words.
 */
export class Lowering<L extends Layout<L>, C extends Call<L>> extends InPlacePlacement<L, C> {
  readonly #steps: Step<L, C>[] = [];
  readonly #owned: Owned[] = [];
  readonly #generated = new Map<unknown, Map<string, unknown>>();
  readonly #forwards = new Map<GraphValue, object>();
  readonly #losesNaN = new Set<GraphNode>();
  readonly #mayBeNonFinite: ReadonlySet<GraphValue>;
  readonly #options: LoweringOptions;
  #threads = 1;

  constructor(graph: Graph, backend: LoweringBackend<L, C>, options: LoweringOptions) {
    super(graph, backend);
    this.#options = options;
    this.#mayBeNonFinite = mayBeNonFinite(graph);
  }

  /** The number of threads for the kernels of the node at hand. */
  get threads(): number {
    return this.#threads;
  }

  /** Lowers the whole graph; to be called once. */
  lower(table: LoweringTable<this>): LoweredGraph<L, C> {
    const { threads, validate = false } = this.#options;
    const validation = validate ? new Validation(this.backend.compute) : null;
    this.graph.nodes.forEach((node, i) => {
      this.current = i;
      this.#useThreads(threadsFor(node, threads));
      const lowerNode = () => {
        (table[node.op] as Lower<OpName, this>)(this, node);
        this.#widen(node);
      };
      if (validation === null) lowerNode();
      else validation.around(this, node, `%${i} ${node.op}`, lowerNode);
      this.#inspect(node);
    });
    return this.#finish();
  }

  /**
   * Asks, for a node, before taking a kernel that turns NaN into a number. If the answer is no, the kernel
   * may be taken, and the program remembers that its sources must be finite.
   *
   * @returns whether another kernel has to be taken
   */
  mustKeepNaN(node: GraphNode): boolean {
    if (this.#options.keepsNonFinite || node.inputs.some((input) => this.#mayBeNonFinite.has(input))) return true;
    this.losesNaN(node);
    return false;
  }

  /** Records that the kernel taken for a node turns NaN into a number, or brings it to other places. */
  losesNaN(node: GraphNode): void {
    this.#losesNaN.add(node);
  }

  /**
   * Adds a step that runs a kernel. `operands` is the order in which the kernel takes them; a scratch operand
   * is added.
   */
  addCall(
    name: string,
    call: C,
    { reads, writes, operands }: { readonly [role in 'reads' | 'writes' | 'operands']: readonly Operand<L>[] },
    isConstant = this.computesConstants(),
  ): void {
    this.own(call);
    const { scratch: layout } = call;
    const scratch = layout === null || layout.size === 0 ? null : { buffer: this.scratch(layout.size), layout };
    const extra = scratch === null ? [] : [scratch];
    this.#steps.push({
      kind: 'call',
      name,
      node: this.node,
      isConstant,
      call,
      threads: this.#threads,
      operands: [...operands, ...extra],
      reads,
      writes: [...writes, ...extra],
      scratch,
    });
  }

  /** Adds a step that runs a TypeScript function over plain arrays. */
  addTypeScript(
    name: string,
    reads: readonly ArrayOperand<L>[],
    writes: readonly ArrayOperand<L>[],
    run: TypeScriptStep<L>['run'],
  ): void {
    // A step without results looks at values, at every run.
    const isConstant = writes.length > 0 && this.computesConstants();
    this.#steps.push({ kind: 'typescript', name, node: this.node, isConstant, run, reads, writes });
  }

  /** Computes the node with the TypeScript kernel of its op. */
  fallback(node: GraphNode): void {
    const reads = node.inputs.map((input) => asArray(this.plain(input), input));
    const writes = node.outputs.map((output) => asArray(this.output(output, this.plainLayout(output)), output));
    this.addTypeScript(node.op, reads, writes, (inputs, outputs) => this.backend.compute(node, inputs, outputs));
  }

  /**
   * The result of `make` for these arguments, made once for equal ones. Arguments that differ must differ as
   * JSON.
   */
  generate<A extends readonly unknown[], T>(make: (...args: A) => T, ...args: A): T {
    const results = this.#generated.get(make) ?? new Map<string, unknown>();
    this.#generated.set(make, results);
    const key = JSON.stringify(args);
    if (!results.has(key)) results.set(key, make(...args));
    return results.get(key) as T;
  }

  /** Remembers for the backward kernel, which reads the workspace `value`, what computed it. */
  rememberForward(value: GraphValue, forward: object): void {
    this.#forwards.set(value, forward);
  }

  /** The object remembered for the workspace; `undefined` if it is of another class. */
  forwardOf<T extends object>(value: GraphValue, kind: ClassOf<T>): T | undefined {
    const forward = this.#forwards.get(value);
    return kind[Symbol.hasInstance](forward) ? (forward as T) : undefined;
  }

  /** Destroys it along with the program. */
  own<T extends Owned>(owned: T): T {
    this.#owned.push(owned);
    return owned;
  }

  protected override reorder(from: Operand<L>, to: Operand<L>, isConstant = this.computesConstants()): void {
    // A copy for a heavy kernel can be light.
    const threads = this.#threads;
    this.#useThreads(threadsForElements(numel(to.layout.shape), this.#options.threads));
    const call = this.backend.reorder(from.layout, to.layout);
    if (call !== null) this.addCall('reorder', call, { reads: [from], writes: [to], operands: [from, to] }, isConstant);
    // Some layouts that only one kernel reads are made of plain ones alone.
    else if (!from.layout.isPlain()) this.reorder(this.plainCopy(from, isConstant), to, isConstant);
    else throw new InternalError(`no reorder from ${from.layout} to ${to.layout}`);
    this.#useThreads(threads);
  }

  /** Kernels return the type of their operands; outputs that the compiler keeps in float32 are widened. */
  #widen(node: GraphNode): void {
    for (const output of node.outputs) {
      const operand = this.operandOf(output);
      if (output.dtype !== 'float32' || operand?.layout.dtype !== 'bfloat16' || !this.isUsed(output)) continue;
      const layout = operand.layout.withType('float32');
      const widened = { buffer: this.scratch(2 * operand.layout.size), layout };
      this.reorder(operand, widened);
      this.define(output, widened);
    }
  }

  /** Adds the steps that look at the outputs of a node. */
  #inspect(node: GraphNode): void {
    const { watch = null } = this.#options;
    for (const output of node.outputs) {
      const guarded = this.facts.mustBeFinite(output);
      if (!guarded && (watch === null || output.dtype !== 'float32' || !this.isUsed(output))) continue;
      this.addTypeScript('inspect', [asArray(this.plain(output), output)], [], ([{ data }]) => {
        watch?.(node, data);
        if (guarded) requireFinite(data[0]);
      });
    }
  }

  /** Kernels are made for a number of threads. */
  #useThreads(count: number): void {
    this.#threads = count;
    this.backend.useThreads(count);
  }

  #finish(): LoweredGraph<L, C> {
    const { graph } = this;
    this.current = Number.POSITIVE_INFINITY;
    const assigned = new Set<number>();
    const copies: { readonly value: GraphValue; readonly target: Operand<L> }[] = [];
    for (const { value, into } of graph.outputs) {
      if (into < 0) continue;
      assigned.add(into);
      const target = this.locate(graph.sources[into].value);
      if (this.locate(value).buffer !== target.buffer) copies.push({ value, target });
    }
    // Everything is read before anything is overwritten: the new value of one source may be the old value of
    // another.
    const overwritten = new Set(copies.map(({ target }) => target.buffer));
    const saved = (operand: Operand<L>) => (overwritten.has(operand.buffer) ? this.plainCopy(operand, false) : operand);
    const outputs = graph.outputs
      .filter(({ into }) => into < 0)
      .map(({ value }) => asArray(saved(this.plain(value)), value));
    const moves = copies.map(({ value, target }) => {
      const own = this.locate(value);
      const sameAxes = sameShape(own.layout.shape, target.layout.shape);
      return { from: saved(sameAxes ? own : this.inLayout(value, target.layout)), target };
    });
    for (const { from, target } of moves) this.reorder(from, target);
    const sources = graph.sources.map(({ value, persistent }, i) => ({
      operand: this.operandOf(value) ?? null,
      resident: persistent,
      assigned: assigned.has(i),
    }));
    return {
      steps: this.#steps,
      buffers: this.buffers.all,
      slices: this.buffers.slices,
      sources,
      outputs,
      owned: this.#owned,
      finiteSources: sourcesBehind(graph, this.#losesNaN),
    };
  }
}
