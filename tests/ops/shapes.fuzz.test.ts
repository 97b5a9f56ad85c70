import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { DType } from '../../src/graph/dtype.js';
import type { BinaryFn, ReduceFn } from '../../src/graph/op.js';
import { apply } from '../../src/ops/define.js';
import * as o from '../../src/ops/index.js';
import { concat } from '../../src/tensor/combine.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { given, integers } from '../engines.js';
import { channels, disturbed, dtypes, fuzz, mostly, paddings, pairs, shapes, size, values } from './fuzz.js';

describe('shape rules and engines agree', () => {
  it('conv2d', () =>
    fuzz(
      300,
      fc
        .record({
          n: size(3),
          perGroup: channels,
          outPerGroup: channels,
          groups: fc.constantFrom(1, 1, 1, 2, 3, 5),
          height: size(9),
          width: size(9),
          kernel: pairs(size(4)),
          bias: fc.boolean(),
          stride: pairs(mostly(size(3))),
          padding: paddings(3),
          dilation: pairs(mostly(fc.constantFrom(1, 1, 1, 2, 3))),
          depthwise: fc.boolean(),
        })
        .chain((a) => {
          const groups = a.depthwise && a.groups > 1 ? a.perGroup : a.groups;
          const perGroup = a.depthwise && a.groups > 1 ? 1 : Math.min(a.perGroup, 17);
          const out = a.depthwise && a.groups > 1 ? groups : Math.min(a.outPerGroup, 17) * groups;
          return fc.record({
            a: fc.constant({ ...a, groups }),
            x: disturbed([a.n, perGroup * groups, a.height, a.width]),
            weight: disturbed([out, perGroup, ...a.kernel]),
            bias: disturbed([out]),
            dtype: dtypes,
          });
        }),
      ({ a: { bias: hasBias, stride, padding, dilation, groups }, x, weight, bias, dtype }) => ({
        inputs: [values(x, 1, dtype), values(weight, 2), ...(hasBias ? [values(bias, 3)] : [])],
        build: (v, w, b) => F.conv2d(v, w, b ?? null, { stride, padding, dilation, groups }),
      }),
    ));

  it('linear', () =>
    fuzz(
      200,
      fc
        .record({ lead: shapes(1, 3, 4), features: size(70), out: size(40), bias: fc.boolean() })
        .chain(({ lead, features, out, bias }) =>
          fc.record({
            x: disturbed([...lead, features]),
            weight: disturbed([features, out]),
            bias: bias ? disturbed([out]) : fc.constant(null),
            dtype: dtypes,
          }),
        ),
      ({ x, weight, bias, dtype }) => ({
        inputs: [values(x, 1), values(weight, 2, dtype), ...(bias === null ? [] : [values(bias, 3)])],
        build: (v, w, b) => F.linear(v, w, b ?? null),
      }),
    ));

  it('pools', () =>
    fuzz(
      300,
      fc.record({
        x: fc.tuple(size(2), channels, size(9), size(9)).chain(disturbed),
        kind: fc.constantFrom('max', 'avg', 'adaptive'),
        kernel: pairs(mostly(size(4))),
        stride: fc.option(pairs(mostly(size(3))), { nil: undefined }),
        padding: paddings(2),
        exclusive: fc.boolean(),
        dtype: dtypes,
      }),
      ({ x, kind, kernel, stride, padding, exclusive, dtype }) => ({
        inputs: [values(x, 1, dtype)],
        build: (v) => {
          const options = { padding, ...(stride === undefined ? {} : { stride }) };
          if (kind === 'max') return F.maxPool2d(v, kernel, options);
          return kind === 'avg' ? F.avgPool2d(v, kernel, { ...options, exclusive }) : F.adaptiveAvgPool2d(v, kernel);
        },
      }),
    ));

  it('binary ops under broadcasting', () =>
    fuzz(
      300,
      shapes(0, 5, 6).chain((shape) => {
        const operand = fc
          .tuple(fc.nat(shape.length), fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }))
          .chain(([drop, ones]) => disturbed(shape.map((n, i) => (ones[i] ? n : 1)).slice(drop > 2 ? 0 : drop)));
        return fc.record({
          fn: fc.constantFrom<BinaryFn>('add', 'sub', 'mul', 'div', 'max', 'min', 'equal', 'less', 'greaterEqual'),
          a: operand,
          b: operand,
          dtypes: fc.oneof(
            {
              weight: 9,
              arbitrary: fc.constantFrom<[DType, DType]>(
                ['float32', 'float32'],
                ['int32', 'int32'],
                ['uint8', 'uint8'],
              ),
            },
            { weight: 1, arbitrary: fc.constant<[DType, DType]>(['float32', 'int32']) },
          ),
        });
      }),
      ({ fn, a, b, dtypes: [left, right] }) => ({
        // Positive divisors; the rest may be anything.
        inputs: [
          values(a, 1, left),
          right === 'float32'
            ? given(values(b, 2).data.map((v) => Math.abs(v) + 0.5) as Float32Array, b, true)
            : given(
                values(b, 2, right).data.map((v) => v + 1),
                b,
              ),
        ],
        build: (x, y) => new Tensor(o.binary(fn, x.value, y.value)),
      }),
    ));

  it('concat', () =>
    fuzz(
      200,
      fc
        .record({
          shape: shapes(1, 5, 4),
          axis: fc.integer({ min: -6, max: 5 }),
          sizes: fc.array(size(17), { minLength: 1, maxLength: 4 }),
        })
        .chain(({ shape, axis, sizes }) => {
          const along = axis < 0 ? axis + shape.length : axis;
          return fc.record({
            axis: fc.constant(axis),
            inputs: fc.tuple(...sizes.map((n) => disturbed(shape.map((m, i) => (i === along ? n : m))))),
            dtype: fc.constantFrom<DType>('float32', 'float32', 'int32', 'uint8'),
          });
        }),
      ({ axis, inputs, dtype }) => ({
        inputs: inputs.map((shape, i) => values(shape, i, dtype)),
        build: (...tensors) => concat(tensors, axis),
      }),
    ));

  it('slice', () =>
    fuzz(
      400,
      shapes(0, 5, 6).chain((shape) => {
        const bounds = fc.tuple(...shape.map((n) => fc.tuple(fc.integer({ min: -n, max: n - 1 }), fc.nat(n))));
        const odd = fc.oneof(
          { weight: 30, arbitrary: fc.constant(0) },
          { weight: 1, arbitrary: fc.constantFrom(0.5, 9, -9) },
        );
        return fc.record({
          shape: fc.constant(shape),
          bounds: bounds.chain((list) => fc.subarray(list, { minLength: Math.max(0, list.length - 1) })),
          odd,
          dtype: dtypes,
        });
      }),
      ({ shape, bounds, odd, dtype }) => ({
        inputs: [values(shape, 1, dtype)],
        build: (x) =>
          x.slice(
            bounds.map(([start]) => start + odd),
            bounds.map(([start, length], i) => {
              const end = start + length;
              // An end of 0 would be the front; -1 + 1 means the end of the axis.
              return start < 0 && end >= 0 ? shape[i] : end;
            }),
          ),
      }),
    ));

  it('pad', () =>
    fuzz(
      200,
      shapes(0, 5, 4)
        .chain((shape) =>
          fc.record({
            shape: fc.constant(shape),
            before: fc
              .array(mostly(fc.nat(2), 50), { minLength: shape.length, maxLength: shape.length })
              .chain(disturbed),
            after: fc.array(mostly(fc.nat(2), 50), { minLength: shape.length, maxLength: shape.length }),
            value: fc.constantFrom(0, 1, -2.5),
            dtype: dtypes,
          }),
        )
        .filter(({ before, after }) => [...before, ...after].every((n) => !(n > 100))),
      ({ shape, before, after, value, dtype }) => ({
        inputs: [values(shape, 1, dtype)],
        build: (x) => x.pad(before, after, value),
      }),
    ));

  it('reshape', () =>
    fuzz(
      200,
      fc
        .record({
          shape: shapes(0, 6, 4),
          cut: fc.nat(6),
          open: fc.option(fc.nat(6), { nil: null }),
          noise: fc.boolean(),
          dtype: dtypes,
        })
        .chain(({ shape, cut, open, dtype }) => {
          const factors = shape.flatMap((n) => (n === 4 ? [2, 2] : [n])).reverse();
          const joined = [...factors.slice(0, cut), factors.slice(cut).reduce((a, b) => a * b, 1)];
          const target = open === null ? joined : joined.map((n, i) => (i === open % joined.length ? -1 : n));
          return fc.record({ shape: fc.constant(shape), target: disturbed(target), dtype: fc.constant(dtype) });
        }),
      ({ shape, target, dtype }) => ({
        inputs: [values(shape, 1, dtype)],
        build: (x) => x.reshape(target),
      }),
    ));

  it('transpose and broadcastTo', () =>
    fuzz(
      300,
      shapes(0, 6, 4).chain((shape) =>
        fc.record({
          shape: fc.constant(shape),
          permutation: fc
            .shuffledSubarray(
              shape.map((_, i) => i),
              { minLength: shape.length },
            )
            .chain(disturbed),
          negative: fc.boolean(),
          lead: shapes(0, 2, 3),
          target: disturbed(shape.map((n) => (n === 1 ? 3 : n))),
          spreads: fc.boolean(),
          dtype: dtypes,
        }),
      ),
      ({ shape, permutation, negative, lead, target, spreads, dtype }) => ({
        inputs: [values(shape, 1, dtype)],
        build: (x) =>
          spreads
            ? x.broadcastTo([...lead, ...target])
            : x.transpose(permutation.map((axis) => (negative ? axis - shape.length : axis))),
      }),
    ));

  it('reductions, argmax and topk', () =>
    fuzz(
      400,
      fc.record({
        shape: fc.oneof(shapes(0, 6, 5), fc.tuple(size(3), channels, size(9), size(9))),
        kind: fc.constantFrom<ReduceFn | 'argmax' | 'topk'>('sum', 'mean', 'max', 'min', 'argmax', 'topk'),
        axes: fc.option(fc.array(fc.integer({ min: -4, max: 3 }), { maxLength: 4 }), { nil: undefined }),
        keepdim: fc.boolean(),
        k: mostly(size(3)),
        dtype: dtypes,
      }),
      ({ shape, kind, axes, keepdim, k, dtype }) => ({
        inputs: [{ ...values(shape, 1, dtype), grad: dtype === 'float32' && kind !== 'topk' && kind !== 'argmax' }],
        build: (x) => {
          const axis = axes?.[0] ?? -1;
          if (kind === 'argmax') return x.argmax({ axis, keepdim });
          if (kind === 'topk') return Object.values(x.topk(k, { axis }));
          return x[kind]({ keepdim, ...(axes === undefined ? {} : { axis: axes }) });
        },
      }),
    ));

  it('batch norm', () =>
    fuzz(
      200,
      fc
        .record({ n: size(4), c: channels, h: size(5), w: size(5), training: fc.boolean() })
        .chain(({ n, c, h, w, training }) =>
          fc.record({
            x: disturbed([n, c, h, w]),
            scale: disturbed([c]),
            shift: disturbed([c]),
            mean: disturbed([c]),
            variance: disturbed([c]),
            training: fc.constant(training),
            dtype: dtypes,
          }),
        ),
      ({ x, scale, shift, mean, variance, training, dtype }) => ({
        inputs: [
          values(x, 1, dtype),
          values(scale, 2),
          values(shift, 3),
          { ...values(mean, 4), grad: false },
          given(
            Float32Array.from(values(variance, 5).data, (v) => Math.abs(v) + 0.5),
            variance,
          ),
        ],
        build: (v, s, t, m, u) => {
          const [input, scaleOf, shiftOf] = [v.value, s.value, t.value];
          // A large epsilon, for a channel of one element has no variance and amplifies rounding otherwise.
          if (training) return new Tensor(o.batchNormTrain({ epsilon: 0.1 }, input, scaleOf, shiftOf)[0]);
          return new Tensor(o.batchNorm({ epsilon: 0.1 }, input, m.value, u.value, scaleOf, shiftOf));
        },
      }),
    ));

  it('cross entropy', () =>
    fuzz(
      200,
      fc.record({ n: size(6), classes: size(20), rest: shapes(0, 2, 3) }).chain(({ n, classes, rest }) =>
        fc.record({
          classes: fc.constant(classes),
          logits: disturbed([n, classes, ...rest]),
          labels: disturbed([n, ...rest]),
          outside: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, -1) }),
          reduction: fc.constantFrom<F.Reduction>('mean', 'sum', 'none'),
          ignoreIndex: fc.constantFrom(-100, 0, 1, 255),
          dtype: dtypes,
        }),
      ),
      ({ classes, logits, labels, outside, reduction, ignoreIndex, dtype }) => ({
        inputs: [
          values(logits, 1, dtype),
          given(
            integers(labels, classes, 2).data.map((v) => v + outside),
            labels,
          ),
        ],
        build: (x, y) => F.crossEntropy(x, y, { reduction, ignoreIndex }),
      }),
    ));

  it('softmax', () =>
    fuzz(
      200,
      fc.record({
        shape: fc.oneof(shapes(0, 6, 5), fc.tuple(size(3), channels, size(5), size(5))),
        axis: fc.integer({ min: -4, max: 3 }),
        log: fc.boolean(),
        dtype: dtypes,
      }),
      ({ shape, axis, log, dtype }) => ({
        inputs: [values(shape, 1, dtype)],
        build: (x) => (log ? F.logSoftmax(x, axis) : F.softmax(x, axis)),
      }),
    ));

  it('dropout and casts', () =>
    fuzz(
      150,
      fc.record({
        shape: shapes(0, 4),
        p: fc.constantFrom(0, 0.25, 0.999, 1, -0.5, Number.NaN),
        from: fc.constantFrom<DType>('float32', 'int32', 'uint8'),
        to: fc.constantFrom<DType>('float32', 'int32', 'uint8'),
        seeds: fc.constantFrom(2, 2, 2, 1, 3),
      }),
      ({ shape, p, from, to, seeds }) => ({
        inputs: [{ ...values(shape, 1, from), grad: false }, integers([seeds], 1000)],
        build: (x, seed) => [
          x.cast(to),
          new Tensor(apply('dropoutMask', { shape, p, upscale: true }, [seed.value])[0]),
        ],
      }),
    ));
});
