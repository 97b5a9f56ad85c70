import type { Graph, GraphValue } from './graph.js';

/**
 * Values that are the same in every run of the program until a source is overwritten from outside: long-lived
 * sources that the program does not overwrite, and everything computed from them alone. In a program that
 * only predicts these are the weights and all that is derived from them.
 */
export function constantValues({ sources, nodes, outputs }: Graph): ReadonlySet<GraphValue> {
  const overwritten = new Set(outputs.map(({ into }) => into));
  const constants = new Set<GraphValue>();
  sources.forEach(({ value, persistent }, i) => {
    if (persistent && !overwritten.has(i)) constants.add(value);
  });
  for (const node of nodes) {
    if (!node.inputs.every((input) => constants.has(input))) continue;
    for (const output of node.outputs) constants.add(output);
  }
  return constants;
}
