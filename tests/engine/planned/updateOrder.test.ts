import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph, GraphNode } from '../../../src/compiler/graph.js';
import { optimize } from '../../../src/compiler/optimize.js';
import { scheduleUpdates } from '../../../src/engine/planned/updateOrder.js';
import * as nn from '../../../src/nn/index.js';
import * as ops from '../../../src/ops/index.js';
import { capture, toGraph } from '../../../src/runtime/capture.js';
import * as F from '../../../src/tensor/functional.js';
import { Parameter } from '../../../src/tensor/state.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { fused } from '../../compiler/support.js';
import { noise } from '../../engines.js';

/** One step of a chain of linear layers whose loss has to be finite. */
function stepOf(layers: number): Graph {
  const net = Array.from({ length: layers }, () => new nn.Linear(4, 4));
  let y = Tensor.fromData(noise([2, 4]).data, [2, 4]);
  for (const layer of net) y = F.relu(layer.forward(y));
  const loss = F.crossEntropy(y, Tensor.fromData(Int32Array.of(1, 2)));
  loss.backward();
  const rate = Tensor.fromData(Float32Array.of(0.1), []).value;
  const updates = net.flatMap((layer) =>
    layer.parameters().map((parameter) => {
      const [updated] = ops.sgdUpdate({ weightDecay: 0 }, parameter.value, (parameter.grad as Tensor).value, rate);
      return parameter.overwrite(updated);
    }),
  );
  return optimize(toGraph(capture([loss.value], updates, [loss.value])), fused);
}

const places = (graph: Graph, op: GraphNode['op']) => graph.nodes.flatMap((node, i) => (node.op === op ? [i] : []));

describe('scheduleUpdates', () => {
  it('uses a gradient up as soon as no step reads the old parameter', () => {
    const graph = scheduleUpdates(stepOf(5));
    const gradients = places(graph, 'linearBackwardWeights');
    const updates = places(graph, 'sgdUpdate');
    expect(updates).toHaveLength(10);
    // Before each gradient come the updates of weight and bias of all layers above.
    expect(gradients.map((gradient) => updates.filter((place) => place < gradient).length)).toEqual([0, 2, 4, 6, 8]);
  });

  it('overwrites nothing before the loss is known, nor what a later step reads', () => {
    const original = stepOf(5);
    const graph = scheduleUpdates(original);
    expect(new Set(graph.nodes)).toEqual(new Set(original.nodes));
    const order = new Map(graph.nodes.map((node, i) => [node, i]));
    const place = (node: GraphNode | null) => (node === null ? -1 : (order.get(node) as number));
    for (const { value, into, finite } of graph.outputs) {
      if (finite) expect(place(value.producer)).toBeLessThan(Math.min(...places(graph, 'sgdUpdate')));
      if (into < 0) continue;
      const target = graph.sources[into].value;
      for (const node of graph.nodes) {
        if (node !== value.producer && node.inputs.includes(target)) {
          expect(place(node)).toBeLessThan(place(value.producer));
        }
      }
    }
    for (const node of graph.nodes) {
      for (const { producer } of node.inputs) expect(place(producer)).toBeLessThan(place(node));
    }
  });

  it('keeps every graph runnable, in any order of overwriting', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(20), fc.boolean()), { minLength: 1, maxLength: 15 }), (list) => {
        const states = Array.from({ length: 3 }, (_, i) => new Parameter(Float32Array.of(i), [1]));
        const values: Tensor[] = [...states];
        const assigned = new Map<number, ReturnType<Parameter['overwrite']>>();
        for (const [i, j, overwrites] of list) {
          const sum = values[i % values.length].add(values[j % values.length]);
          values.push(sum);
          if (overwrites) assigned.set(i % 3, states[i % 3].overwrite(sum.value));
        }
        const graph = toGraph(capture([(values.at(-1) as Tensor).value], [...assigned.values()]));
        const done = new Set(graph.sources.map(({ value }) => value));
        const scheduled = scheduleUpdates(graph);
        expect(scheduled.nodes).toHaveLength(graph.nodes.length);
        for (const { inputs, outputs } of scheduled.nodes) {
          expect(inputs.every((input) => done.has(input))).toBe(true);
          for (const output of outputs) done.add(output);
        }
      }),
    );
  });
});
