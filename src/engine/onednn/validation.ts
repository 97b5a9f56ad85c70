import type { GraphNode, GraphValue } from '../../compiler/graph.js';
import { InternalError } from '../../errors.js';
import type { TypedArray } from '../../graph/dtype.js';
import { arrayFor, runKernel } from '../reference/engine.js';
import type { NDArray } from '../reference/ndarray.js';
import type { Lowering } from './lowering.js';
import { typed } from './placing.js';

/** Compares what each node of a program computes with the reference engine, at every run. */
export class Validation {
  readonly #shadows = new Map<GraphValue, NDArray>();

  /**
   * Lowers a node between a step that keeps its inputs and one that computes it again and compares.
   *
   * @param where names the node in the error
   */
  around(
    context: Pick<Lowering, 'plain' | 'kernel' | 'isUsed'>,
    node: GraphNode,
    where: string,
    lower: () => void,
  ): void {
    const shadowOf = (value: GraphValue) => {
      const shadow = this.#shadows.get(value) ?? arrayFor(value);
      this.#shadows.set(value, shadow);
      return shadow;
    };
    const inputs = node.inputs.map(shadowOf);
    const visible = node.inputs.filter((input) => input.dtype !== 'opaque');
    const reads = visible.map((input) => typed(context.plain(input), input));
    context.kernel('keep', reads, [], (arrays) => {
      arrays.forEach((array, i) => {
        shadowOf(visible[i]).data.set(array.data);
      });
    });
    lower();
    const results = node.outputs.filter((output) => output.dtype !== 'opaque' && context.isUsed(output));
    const expected = node.outputs.map(shadowOf);
    const rounded = [...node.inputs, ...node.outputs].some(({ dtype }) => dtype === 'bfloat16');
    const tolerance = rounded ? 2e-2 : 1e-4;
    context.kernel(
      'validate',
      results.map((output) => typed(context.plain(output), output)),
      [],
      (arrays) => {
        runKernel(node, inputs, expected);
        const references = results.map((output) => shadowOf(output).data);
        // One scale for all outputs: some are sums that cancel, such as the gradient of a bias in front of a batch norm.
        const scale = Math.max(1e-6, ...references.map(largest));
        arrays.forEach((array, i) => {
          compare(where, array.data, references[i], tolerance * scale);
        });
      },
    );
  }
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
