import { beforeEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { DTypeError, InputError, ShapeError } from '../../src/errors.js';
import { concat } from '../../src/tensor/combine.js';
import { type NestedNumbers, tensor } from '../../src/tensor/fromArrays.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines } from '../engines.js';

/** Counts from 0 upwards. */
const range = (...shape: number[]): Tensor => {
  const length = shape.reduce((a, b) => a * b, 1);
  return Tensor.fromData(
    Float32Array.from({ length }, (_, i) => i),
    shape,
  );
};

async function expectTensor(t: Tensor, shape: readonly number[], values: readonly number[]): Promise<void> {
  expect(t.shape).toEqual(shape);
  expect([...(await t.data())]).toEqual(values);
}

describe.each(engines)('Tensor on %s', (engine) => {
  beforeEach(() => setEngine(engine));

  it('is made of nested arrays, typed arrays and constants', async () => {
    await expectTensor(tensor(5), [], [5]);
    await expectTensor(tensor([1, 2, 3]), [3], [1, 2, 3]);
    await expectTensor(
      tensor([
        [[1], [2]],
        [[3], [4]],
      ]),
      [2, 2, 1],
      [1, 2, 3, 4],
    );
    await expectTensor(Tensor.fromData(Uint8Array.of(1, 2)), [2], [1, 2]);
    await expectTensor(Tensor.full([2, 2], 7), [2, 2], [7, 7, 7, 7]);
    await expectTensor(Tensor.zeros([2]), [2], [0, 0]);
    await expectTensor(Tensor.ones([], 'int32'), [], [1]);
    expect(tensor([1]).dtype).toBe('float32');
    expect(tensor([1.7, 300], 'uint8').dtype).toBe('uint8');
    expect(await tensor([[42]]).item()).toBe(42);
    expect(range(2, 3).size).toBe(6);
  });

  it('reshapes, with one size left open', async () => {
    const x = range(2, 3, 4);
    const values = [...(await x.data())];
    await expectTensor(x.reshape([4, -1]), [4, 6], values);
    await expectTensor(x.reshape([-1]), [24], values);
    await expectTensor(x.reshape([-1, 24, 1]), [1, 24, 1], values);
    await expectTensor(x.reshape([2, 3, 4]), [2, 3, 4], values);
    await expectTensor(tensor([5]).reshape([]), [], [5]);
  });

  it('flattens any run of axes', () => {
    const x = range(2, 3, 4, 5);
    expect(x.flatten().shape).toEqual([120]);
    expect(x.flatten({ startAxis: 1 }).shape).toEqual([2, 60]);
    expect(x.flatten({ startAxis: -2 }).shape).toEqual([2, 3, 20]);
    expect(x.flatten({ startAxis: 1, stopAxis: 2 }).shape).toEqual([2, 12, 5]);
    expect(x.flatten({ startAxis: 1, stopAxis: 1 }).shape).toEqual([2, 3, 4, 5]);
    expect(() => x.flatten({ startAxis: 2, stopAxis: 1 })).toThrow(
      new ShapeError('[flatten] axes: expected startAxis <= stopAxis, got 2 and 1 (tensor [2,3,4,5])'),
    );
    expect(() => x.flatten({ startAxis: 4 })).toThrow('[flatten] axis: expected an integer from -4 to 3, got 4');
  });

  it('slices with negative ends and missing axes', async () => {
    const x = range(3, 4);
    await expectTensor(x.slice([1], [3]), [2, 4], [4, 5, 6, 7, 8, 9, 10, 11]);
    await expectTensor(x.slice([0, 1], [2, -1]), [2, 2], [1, 2, 5, 6]);
    await expectTensor(x.slice([-1, -2], [3, 4]), [1, 2], [10, 11]);
    await expectTensor(x.slice([], []), [3, 4], [...(await x.data())]);
  });

  it('transposes, pads, broadcasts and concatenates', async () => {
    const x = range(2, 3);
    await expectTensor(x.transpose([1, 0]), [3, 2], [0, 3, 1, 4, 2, 5]);
    await expectTensor(x.transpose([-1, -2]), [3, 2], [0, 3, 1, 4, 2, 5]);
    await expectTensor(x.pad([0, 1], [1, 0], 9), [3, 4], [9, 0, 1, 2, 9, 3, 4, 5, 9, 9, 9, 9]);
    await expectTensor(tensor([[1], [2]]).broadcastTo([2, 2, 3]), [2, 2, 3], [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2]);
    await expectTensor(concat([x, x.slice([0], [1])]), [3, 3], [0, 1, 2, 3, 4, 5, 0, 1, 2]);
    await expectTensor(concat([x, tensor([[7], [8]])], -1), [2, 4], [0, 1, 2, 7, 3, 4, 5, 8]);
    await expectTensor(concat([x]), [2, 3], [0, 1, 2, 3, 4, 5]);
  });

  it('computes under broadcasting, with numbers on the right', async () => {
    const [row, column] = [tensor([1, 2, 3]), tensor([[10], [20]])];
    await expectTensor(row.add(column), [2, 3], [11, 12, 13, 21, 22, 23]);
    await expectTensor(column.sub(row), [2, 3], [9, 8, 7, 19, 18, 17]);
    await expectTensor(row.mul(2), [3], [2, 4, 6]);
    await expectTensor(row.div(tensor(2)), [3], [0.5, 1, 1.5]);
    await expectTensor(row.maximum(2).minimum(tensor([9, 1, 9])), [3], [2, 1, 3]);
    await expectTensor(row.neg().abs().square().sqrt(), [3], [1, 2, 3]);
    await expectTensor(row.greater(2), [3], [0, 0, 1]);
    await expectTensor(row.lessEqual(tensor([3, 2, 1])), [3], [1, 1, 0]);
    await expectTensor(row.notEqual(2), [3], [1, 0, 1]);
    expect(row.equal(2).dtype).toBe('uint8');
    await expectTensor(tensor([7, -7], 'int32').div(tensor(2, 'int32')), [2], [3, -3]);
    await expectTensor(tensor([2, 3], 'int32').mul(4), [2], [8, 12]);
  });

  it('reduces over any axes', async () => {
    const x = range(2, 3);
    await expectTensor(x.sum(), [], [15]);
    await expectTensor(x.mean({ axis: 0 }), [3], [1.5, 2.5, 3.5]);
    await expectTensor(x.max({ axis: -1, keepdim: true }), [2, 1], [2, 5]);
    await expectTensor(x.min({ axis: [0, 1], keepdim: true }), [1, 1], [0]);
    await expectTensor(x.sum({ axis: [-1, 0] }), [], [15]);
    await expectTensor(x.argmax(), [2], [2, 2]);
    await expectTensor(x.argmax({ axis: 0, keepdim: true }), [1, 3], [1, 1, 1]);
    const { values, indices } = tensor([[3, 9, 5, 9]]).topk(3);
    await expectTensor(values, [1, 3], [9, 9, 5]);
    await expectTensor(indices, [1, 3], [1, 3, 2]);
    expect(() => x.sum({ axis: [0, -2] })).toThrow('[sum] axes: expected each axis once, got [0,-2]');
  });

  it('casts by truncation, within the range', async () => {
    await expectTensor(tensor([1.9, -1.9, 1e12, Number.NaN]).cast('int32'), [4], [1, -1, 2147483647, 0]);
    await expectTensor(tensor([-5, 255.9, 700]).cast('uint8'), [3], [0, 255, 255]);
    await expectTensor(tensor([1, 2], 'uint8').cast('float32').div(4), [2], [0.25, 0.5]);
    const x = tensor([1]);
    expect(x.cast('float32').value).toBe(x.value);
  });

  it('gives copies, so that no reader changes the data of others', async () => {
    const x = tensor([1, 2]);
    (await x.data()).fill(0);
    await expectTensor(x, [2], [1, 2]);
    const y = x.add(1);
    (await y.data()).fill(0);
    await expectTensor(y, [2], [2, 3]);
  });

  it('prints itself', async () => {
    const y = tensor([[1, 2]]).exp();
    expect(`${y}`).toBe('Tensor(float32 [1,2], lazy)');
    await y.data();
    expect(`${y}`).toMatch(/^Tensor\(float32 \[1,2\],\n\[\[.*\]\]\)$/);
    expect(`${tensor([1], 'uint8')}`).toBe('Tensor(uint8 [1],\n[1])');
  });
});

describe('mistakes and their messages', () => {
  const x = range(2, 3);

  it.each<[string, () => unknown, new (message: string) => Error, string]>([
    [
      'wrong length of data',
      () => Tensor.fromData(new Float32Array(5), [2, 3]),
      ShapeError,
      '[tensor] data: expected 6 elements for shape [2,3], got 5',
    ],
    [
      'data of another kind',
      () => Tensor.fromData(new Float64Array(6) as unknown as Float32Array, [2, 3]),
      DTypeError,
      '[tensor] data: expected a Float32Array, Int32Array or Uint8Array, got a Float64Array',
    ],
    ['size 0', () => Tensor.zeros([2, 0]), ShapeError, '[full] shape: expected positive integers, got [2,0]'],
    [
      'ragged arrays',
      () => tensor([[1, 2], [3]]),
      ShapeError,
      '[tensor] values: expected arrays of 2 at depth 1, got one of 1',
    ],
    [
      'a number among arrays',
      () => tensor([[1], 2] as NestedNumbers),
      ShapeError,
      '[tensor] values: expected nesting of depth 2 everywhere',
    ],
    [
      'an array among numbers',
      () => tensor([1, [2]] as NestedNumbers),
      ShapeError,
      '[tensor] values: expected nesting of depth 1 everywhere',
    ],
    // The first character of a text is a text again.
    [
      'text',
      () => tensor(['12', '3'] as never),
      DTypeError,
      "[tensor] values: expected numbers in arrays, got '12'; convert it, as with Number()",
    ],
    [
      'text among numbers',
      () => tensor([1, '2'] as never),
      DTypeError,
      "[tensor] values: expected numbers in arrays, got '2'; convert it, as with Number()",
    ],
    [
      'no values',
      () => tensor(null as never),
      DTypeError,
      '[tensor] values: expected numbers in arrays, got null; convert it, as with Number()',
    ],
    [
      'options in place of a type',
      () => tensor([1], { dtype: 'int32' } as never),
      DTypeError,
      '[tensor] dtype: expected float32, int32, uint8, got an object with dtype',
    ],
    [
      'a type that is not there',
      () => tensor([1], 'float64' as never),
      DTypeError,
      "[tensor] dtype: expected float32, int32, uint8, got 'float64'",
    ],
    ['nothing', () => tensor([]), ShapeError, '[tensor] values: expected at least one number, got an empty array'],
    [
      'sizes that do not divide',
      () => x.reshape([4, -1]),
      ShapeError,
      '[reshape] shape: expected one whose sizes divide 6 (tensor [2,3]), got [4,-1]',
    ],
    [
      'two open sizes',
      () => x.reshape([-1, -1]),
      ShapeError,
      '[reshape] shape: expected one whose sizes divide 6 (tensor [2,3]), got [-1,-1]',
    ],
    [
      'another number of elements',
      () => x.reshape([4]),
      ShapeError,
      '[reshape] elements: expected 6 (input [2,3]), got 4 (shape [4])',
    ],
    [
      'a size below 1',
      () => x.reshape([-2, -3]),
      ShapeError,
      '[reshape] shape: expected positive integers, got [-2,-3]',
    ],
    [
      'an axis twice',
      () => x.transpose([0, 0]),
      ShapeError,
      '[transpose] permutation: expected each axis of [2,3] once, got [0,0]',
    ],
    [
      'shapes that do not broadcast',
      () => x.add(tensor([1, 2])),
      ShapeError,
      '[add] shapes [2,3] and [2] do not broadcast: expected equal sizes or 1 from the last axis backwards, got 3 and 2',
    ],
    [
      'operands of two dtypes',
      () => x.mul(tensor([1, 2, 3], 'int32')),
      DTypeError,
      '[mul] operands: expected one dtype, got float32 [2,3] and int32 [3]; convert one with cast()',
    ],
    [
      'a float function of integers',
      () => tensor([1], 'int32').exp(),
      DTypeError,
      '[exp] input dtype: expected float32, got int32 (input [1]); convert it with cast()',
    ],
    [
      'a slice that leaves the tensor',
      () => x.slice([0, 1], [2, 4]),
      ShapeError,
      '[slice] range: expected one inside [2,3], got starts [0,1] and sizes [2,3]',
    ],
    ['an empty slice', () => x.slice([1], [1]), ShapeError, '[slice] shape: expected positive integers, got [0,3]'],
    [
      'too many axes in a slice',
      () => x.slice([0, 0, 0], []),
      ShapeError,
      '[slice] range: expected at most 2 axes (tensor [2,3]), got 3',
    ],
    [
      'negative padding',
      () => x.pad([0, -1], [0, 0]),
      ShapeError,
      '[pad] amounts: expected non-negative integers for each axis of [2,3], got [0,-1] before and [0,0] after',
    ],
    [
      'a broadcast to fewer',
      () => x.broadcastTo([2, 1]),
      ShapeError,
      '[broadcastTo] shape: expected one that [2,3] broadcasts to, got [2,1]',
    ],
    [
      'sizes that do not join',
      () => concat([x, range(2, 2)], 0),
      ShapeError,
      '[concat] inputs: expected equal sizes but for axis 0, got [2,3] and [2,2]',
    ],
    [
      'nothing to join',
      () => concat([]),
      InputError,
      '[concat] tensors: expected an array that is not empty, each item a Tensor, got []',
    ],
    [
      'an axis that is none',
      () => x.sum({ axis: 2 }),
      ShapeError,
      '[sum] axis: expected an integer from -2 to 1, got 2',
    ],
    [
      'more than there are',
      () => x.topk(4),
      ShapeError,
      '[topk] k: expected an integer from 1 to 3 (axis 1 of [2,3]), got 4',
    ],
  ])('%s', (_, body, kind, message) => {
    expect(body).toThrow(kind);
    expect(body).toThrow(new kind(message));
  });

  it('item of several elements', async () => {
    await expect(x.item()).rejects.toThrow(new ShapeError('[item] tensor: expected one element, got shape [2,3]'));
  });
});
