import type { GraphNode, GraphValue } from '../../compiler/graph.js';
import { computesInBfloat16 } from '../../compiler/precision.js';
import { InternalError } from '../../errors.js';
import type { TypedArray } from '../../graph/dtype.js';
import { inputNames } from '../../graph/op.js';
import { numel } from '../../graph/shape.js';
import { arrayFor, type ComputeNode, type NDArray } from '../ndarray.js';
import { multiplyAdds } from './cost.js';
import { type ArrayOperand, asArray, type Operand, type TypeScriptStep } from './steps.js';

/** The part of a lowering that validation needs. */
interface Context<L> {
  plain(value: GraphValue): Operand<L>;
  isUsed(value: GraphValue): boolean;
  addTypeScript(
    name: string,
    reads: readonly ArrayOperand<L>[],
    writes: readonly ArrayOperand<L>[],
    run: TypeScriptStep<L>['run'],
  ): void;
}

/** Compares the results of each node of a program with the reference engine, at every run. */
export class Validation {
  readonly #compute: ComputeNode;
  /** The inputs of nodes as they were before, and the results of the reference. */
  readonly #shadows = new Map<GraphValue, NDArray>();

  constructor(compute: ComputeNode) {
    this.#compute = compute;
  }

  /**
   * Lowers a node between a step that copies its inputs and a step that computes it again and compares.
   *
   * @param where names the node in the error
   */
  around<L>(context: Context<L>, node: GraphNode, where: string, lower: () => void): void {
    const shadowOf = (value: GraphValue) => {
      const shadow = this.#shadows.get(value) ?? arrayFor(value);
      this.#shadows.set(value, shadow);
      return shadow;
    };
    const inputs = node.inputs.map(shadowOf);
    const visible = node.inputs.filter((input) => input.dtype !== 'opaque');
    const reads = visible.map((input) => asArray(context.plain(input), input));
    context.addTypeScript('keep', reads, [], (arrays) => {
      arrays.forEach((array, i) => {
        shadowOf(visible[i]).data.set(array.data);
      });
    });
    lower();
    const results = node.outputs.filter((output) => output.dtype !== 'opaque' && context.isUsed(output));
    const expected = node.outputs.map(shadowOf);
    // A backward kernel takes the type of the forward kernel that left its workspace.
    const forward = node.inputs.flatMap(({ dtype, producer }) => (dtype === 'opaque' ? (producer?.inputs ?? []) : []));
    const rounded = [...node.inputs, ...node.outputs, ...forward].some(({ dtype }) => dtype === 'bfloat16');
    const tolerance = rounded ? 2e-2 : 1e-4;
    // A product rounds both operands before it multiplies, also an operand in float32.
    const operands = computesInBfloat16(node) ? inputs.map((input, i) => (i < 2 ? copyOf(input) : input)) : inputs;
    context.addTypeScript(
      'validate',
      results.map((output) => asArray(context.plain(output), output)),
      [],
      (arrays) => {
        operands.forEach((operand, i) => {
          if (operand !== inputs[i]) roundToBfloat16(inputs[i].data, operand.data);
        });
        this.#compute(node, operands, expected);
        const references = results.map((output) => shadowOf(output).data);
        // One scale for all outputs: some are sums that cancel, such as the gradient of a bias before a batch
        // norm.
        const cancelled = summandsOf(node, inputs);
        const scale = Math.max(1e-6, cancelled, ...references.map(largest));
        arrays.forEach((array, i) => {
          compare(where, array.data, references[i], tolerance * scale);
        });
      },
    );
  }
}

const copyOf = ({ shape, dtype, data }: NDArray): NDArray => ({ shape, dtype, data: data.slice() });

/** Rounds to the nearest number that the upper half of a float32 holds, halfway cases to even. */
function roundToBfloat16(from: TypedArray, to: TypedArray): void {
  to.set(from);
  const bits = new Uint32Array(to.buffer, to.byteOffset, to.length);
  for (let i = 0; i < bits.length; i++) {
    if (Number.isFinite(to[i])) bits[i] = (bits[i] + 0x7fff + ((bits[i] >>> 16) & 1)) & 0xffff0000;
  }
}

/**
 * A hundredth of the sums in a node for random signs: rounding errors stay where the sums cancel. 0 for nodes
 * that sum nothing.
 */
function summandsOf(node: GraphNode, inputs: readonly NDArray[]): number {
  const [first, second] = inputs;
  const results = numel(node.outputs[0].shape);
  const differences = differencesOf(node, inputs);
  if (differences !== null) return 1e-2 * differences;
  const products = multiplyAdds(node);
  if (products !== null) return 1e-2 * Math.sqrt(products / results) * largest(first.data) * largest(second.data);
  if (node.op === 'softmaxBackward') return 1e-2 * largest(first.data) * largest(second.data);
  if (node.op !== 'reduce') return 0;
  const count = first.data.length / results;
  const isMean = (node as GraphNode<'reduce'>).params.fn === 'mean';
  return 1e-2 * Math.sqrt(count) * largest(first.data) * (isMean ? 1 / count : 1);
}

/** The size of the terms whose differences are gradients of losses or normalized values; else null. */
function differencesOf(node: GraphNode, inputs: readonly NDArray[]): number | null {
  const sizeOf = (name: string) => {
    const i = (inputNames[node.op] as readonly string[]).indexOf(name);
    return inputs[i] === undefined ? 0 : largest(inputs[i].data);
  };
  if (node.op === 'crossEntropyBackward' || node.op === 'bceWithLogitsBackward') return sizeOf('dLoss');
  if (node.op !== 'batchNormBackward') return null;
  const [x, , variance, scale] = inputs;
  const { epsilon } = (node as GraphNode<'batchNormBackward'>).params;
  const factors = Array.from(scale.data, (value, c) => Math.abs(value) / Math.sqrt(variance.data[c] + epsilon));
  const terms = x.data.length / scale.data.length;
  return Math.sqrt(terms) * (sizeOf('dy') + sizeOf('dy2')) * Math.max(1, ...factors);
}

/** The largest finite magnitude. */
function largest(values: TypedArray): number {
  let most = 0;
  for (const x of values) if (Number.isFinite(x)) most = Math.max(most, Math.abs(x));
  return most;
}

function compare(where: string, actual: TypedArray, expected: TypedArray, tolerance: number): void {
  for (let i = 0; i < actual.length; i++) {
    if (Math.abs(actual[i] - expected[i]) > tolerance || Number.isNaN(actual[i]) !== Number.isNaN(expected[i])) {
      throw new InternalError(`validation of ${where}: element ${i} is ${actual[i]}, reference ${expected[i]}`);
    }
  }
}
