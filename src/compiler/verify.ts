import { InternalError, messageOf } from '../errors.js';
import { declared } from '../graph/dtype.js';
import { sameShape } from '../graph/shape.js';
import { definitionOf } from '../ops/define.js';
import type { Graph, GraphValue } from './graph.js';

/**
 * Checks after a pass that nodes stand in a runnable order and that every shape is what the op's rule says.
 */
export function verify(graph: Graph, pass: string): void {
  const known = new Set<GraphValue>(graph.sources.map((source) => source.value));
  graph.nodes.forEach((node, place) => {
    const where = `after pass ${pass}: node %${place} ${node.op}`;
    for (const input of node.inputs) {
      if (!known.has(input)) throw new InternalError(`${where} uses a value that is not computed before it`);
    }
    let specs: ReturnType<ReturnType<typeof definitionOf>['infer']>;
    try {
      specs = definitionOf(node.op).infer(
        node.params,
        node.inputs.map(({ shape, dtype }) => ({ shape, dtype: declared(dtype) })),
      );
    } catch (error) {
      throw new InternalError(`${where}: ${messageOf(error)}`, { cause: error });
    }
    if (specs.length !== node.outputs.length) {
      throw new InternalError(`${where} has ${node.outputs.length} outputs, its rule says ${specs.length}`);
    }
    node.outputs.forEach((output, i) => {
      if (!sameShape(output.shape, specs[i].shape) || declared(output.dtype) !== specs[i].dtype) {
        throw new InternalError(
          `${where} output ${i} is ${output.dtype} [${output.shape}], its rule says ${specs[i].dtype} [${specs[i].shape}]`,
        );
      }
      known.add(output);
    });
  });
  for (const { value, into } of graph.outputs) {
    if (!known.has(value)) throw new InternalError(`after pass ${pass}: an output is not computed`);
    if (into < 0) continue;
    const target = graph.sources[into].value;
    if (!sameShape(target.shape, value.shape) || target.dtype !== value.dtype) {
      throw new InternalError(`after pass ${pass}: an assignment changes the shape or dtype`);
    }
  }
}
