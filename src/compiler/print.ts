import type { Graph, GraphValue } from './graph.js';

/** The graph as text, one node a line: `%3 f32[10,6,24,24] = conv2d($0, $1, $2) stride=[1,1] …`. */
export function printGraph(graph: Graph): string {
  const names = new Map<GraphValue, string>();
  graph.sources.forEach(({ value }, i) => {
    names.set(value, `$${i}`);
  });
  const nameOf = (value: GraphValue) => names.get(value) ?? '?';
  const lines = graph.sources.map(
    ({ value, persistent }, i) => `$${i} ${printType(value)} ${persistent ? 'persistent' : 'input'}`,
  );
  graph.nodes.forEach((node, place) => {
    node.outputs.forEach((output, i) => {
      names.set(output, node.outputs.length === 1 ? `%${place}` : `%${place}.${i}`);
    });
    const types = node.outputs.map(printType).join(', ');
    lines.push(`%${place} ${types} = ${node.op}(${node.inputs.map(nameOf).join(', ')})${printParams(node.params)}`);
  });
  for (const { value, into, finite } of graph.outputs) {
    lines.push(into < 0 ? `return ${nameOf(value)}${finite ? ' if finite' : ''}` : `$${into} := ${nameOf(value)}`);
  }
  return lines.join('\n');
}

const shortDTypes = { float32: 'f32', bfloat16: 'bf16', int32: 'i32', uint8: 'u8', opaque: 'opaque' } as const;

function printType(value: Pick<GraphValue, 'shape' | 'dtype'>): string {
  return `${shortDTypes[value.dtype]}[${value.shape}]`;
}

/** Parameters as ` key=value …`, each with a leading blank. */
export function printParams(params: object): string {
  return Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${JSON.stringify(value).replaceAll('"', '')}`)
    .join('');
}
