import { describe, expect, it } from 'vitest';
import { constantValues } from '../../../src/compiler/constants.js';
import { type Graph, GraphNode, GraphValue } from '../../../src/compiler/graph.js';
import { computesInBfloat16 } from '../../../src/compiler/precision.js';
import { Arena } from '../../../src/engine/planned/arena.js';
import type { Memory } from '../../../src/engine/planned/backend.js';
import { Buffers } from '../../../src/engine/planned/buffers.js';
import { GraphFacts } from '../../../src/engine/planned/graphFacts.js';
import { hoist } from '../../../src/engine/planned/hoist.js';
import { recordCalls } from '../../../src/engine/planned/record.js';
import { ResidentBuffer } from '../../../src/engine/planned/resident.js';
import type { CallStep, LoweredGraph, ProgramBuffer, Step } from '../../../src/engine/planned/steps.js';
import { EngineError, InternalError } from '../../../src/errors.js';
import { Plain, ToyBackend, ToyEngine } from './toy.js';

const value = (index: number) => new GraphValue([2], 'float32', null, index);
const spec = { shape: [2], dtype: 'float32' } as const;
const add = (a: GraphValue, b: GraphValue) =>
  new GraphNode('binary', { fn: 'add' }, [a, b], [spec]) as unknown as GraphNode;

/** `weight`, `state` and `input`; the state is overwritten by its sum with the input. */
function smallGraph() {
  const [weight, state, input] = [0, 1, 2].map(value);
  const doubled = add(weight, weight);
  const shifted = add(doubled.outputs[0], input);
  const updated = add(state, input);
  const graph: Graph = {
    sources: [
      { value: weight, persistent: true },
      { value: state, persistent: true },
      { value: input, persistent: false },
    ],
    nodes: [doubled, shifted, updated],
    outputs: [
      { value: shifted.outputs[0], into: -1 },
      { value: updated.outputs[0], into: 1 },
    ],
  };
  return { graph, weight, state, input, doubled, shifted, updated };
}

describe('constants', () => {
  it('are sources that stay and are not overwritten, and what is computed from them alone', () => {
    const { graph, weight, doubled } = smallGraph();
    expect([...constantValues(graph)]).toEqual([weight, doubled.outputs[0]]);
  });
});

describe('facts about a graph', () => {
  it('know last uses, targets and readers', () => {
    const { graph, weight, state, input, doubled, shifted, updated } = smallGraph();
    const facts = new GraphFacts(graph);
    expect([weight, input, doubled.outputs[0]].map((v) => facts.lastUse(v))).toEqual([0, 2, 1]);
    expect(facts.lastUse(shifted.outputs[0])).toBe(Number.POSITIVE_INFINITY);
    expect(facts.targetOf(updated.outputs[0])).toBe(state);
    expect([weight, state].map((v) => facts.isOverwritten(v))).toEqual([false, true]);
    // Two operands of one node read the weight; one reads the state, which is overwritten.
    expect([weight, state].map((v) => facts.isReadOnce(v))).toEqual([false, false]);
    expect([doubled, shifted].map((node) => facts.computesConstants(node))).toEqual([true, false]);
  });
});

describe('buffers', () => {
  it('share one last use with their slices', () => {
    const buffers = new Buffers();
    const [whole, slice] = [buffers.add('arena', 128), buffers.add('arena', 64)];
    buffers.keepUntil(whole, 3);
    buffers.keepUntil(slice, 5);
    expect([3, 4, 5].map((node) => buffers.isSpent(whole, node))).toEqual([true, true, true]);
    buffers.makeSlice(slice, whole, 64);
    expect([4, 5].map((node) => buffers.isSpent(whole, node))).toEqual([false, true]);
    expect([4, 5].map((node) => buffers.isSpent(slice, node))).toEqual([false, true]);
    expect(buffers.wholeOf(slice)).toBe(whole);
  });
});

describe('hoisting', () => {
  const buffer = (id: number, kind: ProgramBuffer['kind'] = 'arena'): ProgramBuffer => {
    return { id, kind, bytes: 8, source: kind === 'resident' ? id : -1, contents: null };
  };
  const step = (
    name: string,
    isConstant: boolean,
    reads: ProgramBuffer[],
    writes: ProgramBuffer[],
  ): Step<null, null> => {
    const operands = (list: ProgramBuffer[]) => list.map((buffer) => ({ buffer, layout: null }));
    const all = { reads: operands(reads), writes: operands(writes), operands: [] };
    return { kind: 'call', name, node: null, isConstant, call: null, threads: 1, scratch: null, ...all };
  };
  const lowered = (steps: readonly Step<null, null>[]): LoweredGraph<null, null> => {
    return { steps, buffers: [], slices: new Map(), sources: [], outputs: [], owned: [], finiteSources: [] };
  };

  it('puts constant steps first and keeps what the others read of them', () => {
    const [weight, other] = [buffer(0, 'resident'), buffer(1, 'resident')];
    const [inner, folded, result] = [buffer(2), buffer(3), buffer(4)];
    const { steps, count, results, sources } = hoist(
      lowered([
        step('use', false, [other], [result]),
        step('fold', true, [weight, other], [inner]),
        step('reorder', true, [inner], [folded]),
        step('convolve', false, [folded, result], [result]),
      ]),
    );
    expect(steps.map(({ name }) => name)).toEqual(['fold', 'reorder', 'use', 'convolve']);
    expect(count).toBe(2);
    expect([...results]).toEqual([folded]);
    expect([...sources]).toEqual([0]);
  });

  it('refuses a step that would destroy a constant', () => {
    const folded = buffer(0);
    const steps = [step('fold', true, [], [folded]), step('use', false, [folded], [folded])];
    expect(() => hoist(lowered(steps))).toThrow(InternalError);
  });
});

describe('the arena', () => {
  it('can be used by smaller programs after an allocation that failed', () => {
    const freed: number[] = [];
    const arena = new Arena((bytes): Memory => {
      if (bytes > 1000) throw new EngineError('[test] memory: too much');
      return { bytes, array: () => new Uint8Array(0), free: () => freed.push(bytes) };
    });
    expect(arena.reserve(500).bytes).toBe(500);
    expect(() => arena.reserve(5000)).toThrow('[test] memory');
    expect(freed).toEqual([64, 500]);
    expect(arena.memory.bytes).toBe(64);
    expect(arena.reserve(400).bytes).toBe(400);
    arena.shrink(450);
    expect(arena.memory.bytes).toBe(400);
    arena.shrink(0);
    expect(arena.memory.bytes).toBe(64);
  });
});

describe('resident data', () => {
  it('survive that all memory of the engine moves', () => {
    const backend = new ToyBackend();
    const resident = new ResidentBuffer(backend, new Plain([3], 'float32'));
    resident.write(Float32Array.of(1, 2, Number.NaN));
    expect(resident.isFinite()).toBe(false);
    const { generation } = backend;
    backend.allocate(10_000);
    expect(backend.generation).toBeGreaterThan(generation);
    expect(resident.read()).toEqual(Float32Array.of(1, 2, Number.NaN));
    resident.write(Float32Array.of(1, 2, 3));
    expect(resident.isFinite()).toBe(true);
  });
});

describe('records', () => {
  it('leave scratch memory out', async () => {
    const toy = new ToyEngine();
    const [x, y, work] = [0, 1, 2].map((id) => ({
      buffer: { id, kind: 'arena', bytes: 8, source: -1, contents: null } as const,
      layout: new Plain([2], 'float32'),
    }));
    const step: CallStep<Plain, { implementation: string }> = {
      kind: 'call',
      name: 'relu',
      node: null,
      isConstant: false,
      call: { implementation: 'fast' },
      threads: 2,
      operands: [x, y, work],
      reads: [x],
      writes: [y, work],
      scratch: work,
    };
    const { calls } = await recordCalls(toy, async () => toy.observer?.(step, 1, 0));
    expect(calls.map(({ call }) => call)).toMatchObject([
      { name: 'relu', implementation: 'fast', threads: 2, bytes: 16 },
    ]);
    expect(calls[0].call.writes).toHaveLength(1);
    expect(toy.observer).toBeNull();
  });
});

describe('a product computes in bfloat16', () => {
  const shaped = (dtype: 'float32' | 'bfloat16', shape = [4, 4]) => new GraphValue(shape, dtype, null, 0);
  const linear = (x: 'float32' | 'bfloat16', y: 'float32' | 'bfloat16') =>
    new GraphNode('linear', {}, [shaped(x), shaped('float32')], [{ shape: [4, 4], dtype: y }]) as unknown as GraphNode;

  it('if one of its features is stored so', () => {
    expect(computesInBfloat16(linear('float32', 'float32'))).toBe(false);
    expect(computesInBfloat16(linear('bfloat16', 'float32'))).toBe(true);
    expect(computesInBfloat16(linear('float32', 'bfloat16'))).toBe(true);
  });

  it('but other ops do not count', () => {
    const relu = new GraphNode(
      'unary',
      { fn: 'relu', alpha: 0 },
      [shaped('bfloat16')],
      [{ shape: [4, 4], dtype: 'bfloat16' }],
    );
    expect(computesInBfloat16(relu as unknown as GraphNode)).toBe(false);
  });
});
