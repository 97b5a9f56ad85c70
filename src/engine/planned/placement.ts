import type { Graph, GraphValue } from '../../compiler/graph.js';
import { InternalError } from '../../errors.js';
import type { TypedArray } from '../../graph/dtype.js';
import { sameShape } from '../../graph/shape.js';
import type { Backend, Call, Memory } from './backend.js';
import { Buffers } from './buffers.js';
import { GraphFacts } from './graphFacts.js';
import { type Layout, plainLayoutOf } from './layout.js';
import type { Operand, ProgramBuffer } from './steps.js';

/** The part of a backend that a lowering needs. */
export type LoweringBackend<L extends Layout<L>, C extends Call<L>> = Pick<
  Backend<L, C, Memory>,
  'plainLayout' | 'reorder' | 'compute' | 'useThreads'
>;

/**
 * Places the values of a graph in buffers and layouts. A value may exist in several layouts; the one it was
 * computed in comes first.
 */
export abstract class Placement<L extends Layout<L>, C extends Call<L>> {
  protected readonly facts: GraphFacts;
  protected readonly buffers = new Buffers();
  readonly #operands = new Map<GraphValue, Operand<L>[]>();

  constructor(
    readonly graph: Graph,
    protected readonly backend: LoweringBackend<L, C>,
  ) {
    this.facts = new GraphFacts(graph);
  }

  /** Adds a step that copies from one layout to another. */
  protected abstract reorder(from: Operand<L>, to: Operand<L>, isConstant: boolean): void;

  /** The value in the layout it was computed in. A source that nothing has read yet becomes plain. */
  locate(value: GraphValue): Operand<L> {
    return this.operandOf(value) ?? this.#placeSource(value, this.plainLayout(value));
  }

  /**
   * Like {@link locate}, but with the value's own axes: weights of a grouped convolution may be stored with
   * an axis more.
   */
  withOwnAxes(value: GraphValue): Operand<L> {
    const operand = this.locate(value);
    return operand.layout.shape.length === value.shape.length ? operand : this.plain(value);
  }

  /** The value in row-major layout with its own shape. */
  plain(value: GraphValue): Operand<L> {
    return this.inLayout(value, this.plainLayout(value));
  }

  /**
   * The value in a given layout, copied if it does not exist so yet. The axes may be any that have the same
   * elements in row-major order.
   */
  inLayout(value: GraphValue, layout: L): Operand<L> {
    const operands = this.#operands.get(value);
    if (operands === undefined) return this.#placeSource(value, layout);
    const found = operands.find((operand) => operand.layout.equals(layout));
    if (found !== undefined) return found;
    const operand = this.#copyInto(value, layout);
    operands.push(operand);
    this.#keep(operand.buffer, value);
    return operand;
  }

  /** Chooses the layout of a source that stays in the engine's memory, unless a step has read it already. */
  fixLayout(value: GraphValue, layout: () => L): void {
    if (this.facts.isPersistent(value) && !this.#operands.has(value)) this.#placeSource(value, layout());
  }

  /** A new buffer for an output of a node. */
  output(value: GraphValue, layout: L): Operand<L> {
    const operand = { buffer: this.scratch(layout.size), layout };
    this.define(value, operand);
    return operand;
  }

  /** States where the value is, for instance in the memory of another value. */
  define(value: GraphValue, operand: Operand<L>): void {
    this.#operands.set(value, [operand]);
    this.#keep(operand.buffer, value);
  }

  /** A buffer in the arena that holds no value of the graph: working memory of the current node. */
  scratch(bytes: number): ProgramBuffer {
    return this.buffers.add('arena', bytes);
  }

  /** A buffer that is filled once, when the program is made. */
  constant(contents: TypedArray): ProgramBuffer {
    return this.buffers.add('constant', contents.byteLength, { contents });
  }

  /** Whether anything reads the value. */
  isUsed(value: GraphValue): boolean {
    return this.facts.isUsed(value);
  }

  /** Whether the program overwrites this source. */
  isOverwritten(source: GraphValue): boolean {
    return this.facts.isOverwritten(source);
  }

  /** Whether the value is the same in every run until a source is overwritten from outside. */
  isConstant(value: GraphValue): boolean {
    return this.facts.isConstant(value);
  }

  /** The row-major layout of a value. */
  protected plainLayout(value: GraphValue): L {
    return plainLayoutOf(this.backend, value);
  }

  /** The layout that the value was computed in; `undefined` before any step touches it. */
  protected operandOf(value: GraphValue): Operand<L> | undefined {
    return this.#operands.get(value)?.[0];
  }

  /** Whether the value is in this buffer, a slice of it or the whole around it, in any layout. */
  protected isIn(value: GraphValue, buffer: ProgramBuffer): boolean {
    const whole = this.buffers.wholeOf(buffer);
    return this.#operands.get(value)?.some((operand) => this.buffers.wholeOf(operand.buffer) === whole) === true;
  }

  /** A copy in row-major layout with the axes of the operand's layout. */
  protected plainCopy(from: Operand<L>, isConstant: boolean): Operand<L> {
    const layout = this.backend.plainLayout(from.layout.shape, from.layout.dtype);
    const copy = { buffer: this.scratch(layout.size), layout };
    this.reorder(from, copy, isConstant);
    return copy;
  }

  /** Protects the buffer until the last use of the value. */
  #keep(buffer: ProgramBuffer, value: GraphValue): void {
    this.buffers.keepUntil(buffer, this.facts.lastUse(value));
  }

  #placeSource(value: GraphValue, wanted: L): Operand<L> {
    if (value.producer !== null) throw new InternalError(`${value.producer.op} has not been lowered`);
    const resident = this.facts.isPersistent(value);
    // An input is copied in from a plain array. A source that stays may take the layout of its first reader,
    // and its type too if there is no other reader: then it is copied once for many runs.
    const fits = resident && !wanted.isOpaque() && (wanted.dtype === value.dtype || this.facts.isReadOnce(value));
    const layout = fits ? wanted : this.plainLayout(value);
    const buffer = this.buffers.add(resident ? 'resident' : 'input', layout.size, { source: value.index });
    const operand = { buffer, layout };
    this.define(value, operand);
    return layout.equals(wanted) ? operand : this.inLayout(value, wanted);
  }

  #copyInto(value: GraphValue, layout: L): Operand<L> {
    const from = this.locate(value);
    const isConstant = this.isConstant(value);
    const to = { buffer: this.scratch(layout.size), layout };
    if (sameShape(from.layout.shape, layout.shape)) {
      this.reorder(from, to, isConstant);
      return to;
    }
    // Other axes over the same elements: the two agree in row-major order, and only there.
    const plain = from.layout.isPlain() ? from : this.plainCopy(from, isConstant);
    const reinterpreted = {
      buffer: plain.buffer,
      layout: this.backend.plainLayout(layout.shape, plain.layout.dtype),
    };
    if (reinterpreted.layout.equals(layout)) return reinterpreted;
    this.reorder(reinterpreted, to, isConstant);
    return to;
  }
}
