import { describe, expect, it } from 'vitest';
import { simplify } from '../../src/compiler/passes/simplify.js';
import { printGraph } from '../../src/compiler/print.js';
import * as ops from '../../src/ops/index.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import * as F from '../../src/tensor/functional.js';
import { Buffer } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { graphOf, opsOf } from './support.js';

const x = Tensor.fromData(new Float32Array(24), [2, 3, 4]);

const simplified = (...tensors: Tensor[]): string[] => opsOf(simplify(graphOf(tensors)));

describe('simplify', () => {
  it('drops what changes nothing', () => {
    expect(simplified(x.affine(1, 0))).toEqual([]);
    expect(simplified(new Tensor(ops.identity(x.value)).exp())).toEqual(['unary']);
    expect(simplified(x.reshape([6, 4]).reshape([2, 3, 4]).exp())).toEqual(['unary']);
    expect(simplified(x.slice([1], [2]).sum({ axis: 0, keepdim: true }))).toEqual(['slice']);
  });

  it('keeps what changes something', () => {
    expect(simplified(x.affine(1, 1))).toEqual(['affine']);
    expect(simplified(x.affine(-1, 0))).toEqual(['affine']);
    expect(simplified(x.slice([1], [2]).sum({ axis: [0, 1], keepdim: true }))).toEqual(['slice', 'reduce']);
  });

  it('joins reshapes', () => {
    const graph = simplify(graphOf([x.reshape([24]).reshape([4, 6]).reshape([8, 3])]));
    expect(printGraph(graph)).toBe(
      ['$0 f32[2,3,4] input', '%0 f32[8,3] = reshape($0) shape=[8,3]', 'return %0'].join('\n'),
    );
  });

  it('joins two parts with zeros around them, and no others', () => {
    const pad = (from: Tensor, before: number, after: number, axis = 1) => {
      const amounts = (n: number) => [0, 1, 2].map((i) => (i === axis ? n : 0));
      return from.pad(amounts(before), amounts(after), 0);
    };
    const [a, b] = [x.slice([0, 0], [2, 1]), x.slice([0, 1], [2, 3])];
    for (const sum of [pad(a, 0, 2).add(pad(b, 1, 0)), pad(b, 1, 0).add(pad(a, 0, 2))]) {
      expect(simplified(sum)).toEqual(['slice', 'slice', 'concat']);
    }
    // Parts that overlap, leave a gap, or are along another axis.
    expect(simplified(pad(x, 0, 2).add(pad(x, 2, 0)))).toContain('binary');
    expect(simplified(pad(x, 0, 4).add(pad(x, 4, 0)))).toContain('binary');
    expect(simplified(pad(a, 0, 2).sub(pad(b, 1, 0)))).toContain('binary');
    const wide = x.reshape([2, 4, 3]);
    expect(simplified(pad(x, 0, 1).add(pad(wide, 1, 0, 2)))).toContain('binary');
  });

  it('makes reshapes of reductions over axes of size 1', () => {
    for (const fn of ['sum', 'mean', 'max', 'min'] as const) {
      expect(simplified(x.slice([1], [2])[fn]({ axis: 0 }))).toEqual(['slice', 'reshape']);
    }
  });

  it('folds constants', () => {
    const folded = Tensor.ones([1, 3]).broadcastTo([2, 3]).transpose([1, 0]).reshape([6]).affine(2, 0.5);
    const graph = simplify(graphOf([folded]));
    expect(printGraph(graph)).toBe('%0 f32[6] = constant() shape=[6] dtype=float32 value=2.5\nreturn %0');
    expect(simplified(Tensor.full([2], 0.1).affine(0.1, 0))).toEqual(['constant']);
    const { params } = simplify(graphOf([Tensor.full([2], 0.1).affine(0.1, 0)])).nodes[0];
    const { value } = params as { value: number };
    expect(value).toBe(Math.fround(value));
  });

  it('shares equal nodes, and only those', () => {
    expect(simplified(x.exp().add(x.exp()))).toEqual(['unary', 'binary']);
    expect(simplified(x.exp().add(x.abs()))).toEqual(['unary', 'unary', 'binary']);
    expect(simplified(x.affine(2, 0).add(x.affine(2, 1)))).toEqual(['affine', 'affine', 'binary']);
    expect(simplified(x.div(0).add(x.div(-0)))).toEqual(['constant', 'binary', 'constant', 'binary', 'binary']);
    // Operands in another order are another node: the order matters for division and subtraction.
    const y = x.abs();
    expect(simplified(x.sub(y).mul(y.sub(x)))).toEqual(['unary', 'binary', 'binary', 'binary']);
    // A node that is shared at one level lets the next level share too.
    expect(simplified(x.exp().abs().add(x.exp().abs()))).toEqual(['unary', 'unary', 'binary']);
  });

  it('shares masks of one seed, not of two', () => {
    const [first, second] = [1, 2].map((n) => tensor([n, n], 'int32').value);
    const mask = (seed: typeof first) => new Tensor(ops.dropoutMask({ shape: [4], p: 0.5, upscale: true }, seed));
    expect(simplified(mask(first).add(mask(first)))).toEqual(['dropoutMask', 'binary']);
    expect(simplified(mask(first).add(mask(second)))).toEqual(['dropoutMask', 'dropoutMask', 'binary']);
  });

  it('removes dead nodes and keeps every source, for programs are given all of them', () => {
    const y = Tensor.fromData(new Float32Array(24), [2, 3, 4]);
    const ones = F.relu(y).sub(1).affine(0, 1);
    const graph = simplify(graphOf([x.add(ones), y.exp()]));
    expect(graph.sources).toHaveLength(2);
    const [, mean] = ops.batchNormTrain(
      { epsilon: 1 },
      x.reshape([2, 3, 4, 1]).value,
      tensor([1, 1, 1]).value,
      tensor([0, 0, 0]).value,
    );
    expect(simplified(new Tensor(mean))).toEqual(['reshape', 'batchNormTrain']);
  });

  it('leaves assignments alone', () => {
    const p = Buffer.filled([2], 0);
    const graph = simplify(graphOf([], [p.overwrite(p.affine(1, 0).value)]));
    expect(printGraph(graph)).toBe('$0 f32[2] persistent\n$0 := $0');
  });
});
