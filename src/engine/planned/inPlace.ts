import type { GraphNode, GraphValue } from '../../compiler/graph.js';
import { alignment } from './arenaPlan.js';
import type { Call } from './backend.js';
import type { Layout } from './layout.js';
import { Placement } from './placement.js';
import type { Operand } from './steps.js';

/** Places outputs of the node at hand in memory that holds one of its inputs. */
export abstract class InPlacePlacement<L extends Layout<L>, C extends Call<L>> extends Placement<L, C> {
  /** Index of the node at hand; infinite at the end of the program. */
  protected current = 0;

  /** Adds a copy step; by default it is constant if the node computes constants. */
  protected abstract override reorder(from: Operand<L>, to: Operand<L>, isConstant?: boolean): void;

  /**
   * The result of a kernel that may write over its input: in the input's memory if no later node reads that,
   * else in a new buffer. Constants are never overwritten, so that the steps that compute them can be
   * hoisted.
   */
  inPlace(input: GraphValue, operand: Operand<L>, output: GraphValue): Operand<L> {
    const { buffer, layout } = operand;
    const isFree = buffer.kind === 'arena' && this.buffers.isSpent(buffer, this.current) && !this.isConstant(input);
    if (!isFree || input.dtype !== output.dtype) return this.output(output, layout);
    const result = { buffer, layout };
    this.define(output, result);
    return result;
  }

  /** Memory of the output that holds the input already, for a kernel that adds to it. */
  accumulateInto(input: GraphValue, output: GraphValue, layout: L): Operand<L> {
    const operand = this.inLayout(input, layout);
    const result = this.#isReadOtherwise(operand)
      ? this.output(output, operand.layout)
      : this.inPlace(input, operand, output);
    if (result.buffer !== operand.buffer) this.reorder(operand, result);
    return result;
  }

  /**
   * The memory of `input`, to be updated into `output`: the source's own memory if the output goes into that
   * source, otherwise a copy.
   */
  updateInPlace(input: GraphValue, output: GraphValue, layout: L): Operand<L> {
    const operand = this.inLayout(input, layout);
    const isOwn = this.operandOf(input) === operand && this.facts.targetOf(output) === input;
    if (isOwn && !this.#isReadOtherwise(operand) && this.buffers.isSpent(operand.buffer, this.current)) {
      this.define(output, operand);
      return operand;
    }
    const copy = this.output(output, layout);
    this.reorder(operand, copy);
    return copy;
  }

  /**
   * Makes the inputs slices of the output's memory, one after another, so that a concatenation copies
   * nothing.
   *
   * @returns whether that is possible: each input fills a buffer that changes from run to run and is no slice
   * yet
   */
  asSlices(inputs: readonly GraphValue[], output: GraphValue, layout: L): boolean {
    const operands = inputs.map((input) => this.locate(input));
    const isFree = ({ buffer, layout: { size } }: Operand<L>) =>
      buffer.kind === 'arena' && buffer.bytes === size && !this.buffers.slices.has(buffer);
    const buffers = new Set(operands.map(({ buffer }) => buffer));
    const bytes = operands.reduce((sum, { buffer }) => sum + buffer.bytes, 0);
    if (!operands.every(isFree) || buffers.size < inputs.length || bytes !== layout.size) return false;
    if (inputs.some((input) => this.isConstant(input))) return false;
    const whole = this.output(output, layout).buffer;
    let offset = 0;
    for (const { buffer } of operands) {
      this.buffers.makeSlice(buffer, whole, offset);
      offset += buffer.bytes;
    }
    return true;
  }

  /**
   * Places the output in a part of its input's memory, so that a slice copies nothing.
   *
   * @param offset bytes before the part
   * @returns whether that is possible: the input is in a buffer that changes from run to run
   */
  asPart(input: GraphValue, output: GraphValue, offset: number, layout: L): boolean {
    const { buffer } = this.locate(input);
    if (buffer.kind !== 'arena' || this.isConstant(input) || offset % alignment !== 0) return false;
    const part = this.scratch(layout.size);
    this.buffers.makeSlice(part, buffer, offset);
    this.define(output, { buffer: part, layout });
    return true;
  }

  /** The node at hand; `null` at the end of the program. */
  protected get node(): GraphNode | null {
    return this.graph.nodes[this.current] ?? null;
  }

  /** Whether the node at hand computes nothing but constants. */
  protected computesConstants(): boolean {
    const node = this.node;
    return node !== null && this.facts.computesConstants(node);
  }

  /**
   * Whether the current node has more than one input in this memory: it still reads the others after it has
   * begun to write.
   */
  #isReadOtherwise({ buffer }: Operand<L>): boolean {
    const { inputs } = this.graph.nodes[this.current];
    return inputs.filter((input) => this.isIn(input, buffer)).length > 1;
  }
}
