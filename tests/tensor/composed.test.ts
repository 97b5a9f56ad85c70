import { describe, expect, it } from 'vitest';
import { matmul, randn, setEngine, stack, Tensor, tensor, where } from '../../src/index.js';
import { engines } from '../engines.js';

const valuesOf = async (t: Tensor) => [...(await t.data())];

describe.each(engines)('%s: functions made of several ops', (engine) => {
  it('where takes numbers, integers and any condition', async () => {
    setEngine(engine);
    const x = tensor([-1, 0, 2]);
    expect(await valuesOf(where(x.greater(0), x, 0))).toEqual([0, 0, 2]);
    expect(await valuesOf(x.where(1, 5))).toEqual([1, 5, 1]);
    const chosen = tensor([1, 0], 'int32').where(tensor([7, 8], 'int32'), 9);
    expect(chosen.dtype).toBe('int32');
    expect(await valuesOf(chosen)).toEqual([7, 9]);
    expect(() => where(x, x, tensor([1, 2, 3], 'int32'))).toThrow('[select] branches: expected one dtype');
    expect(() => where(x, tensor([1, 2]), x)).toThrow('[where] shapes [3] and [2] do not broadcast');
  });

  it('matmul of batches is that of their matrices', async () => {
    setEngine(engine);
    const [x, y] = [randn([2, 3, 4]), randn([2, 4, 5])];
    const all = await matmul(x, y).data();
    for (const i of [0, 1]) {
      const part = (t: Tensor) => t.slice([i], [i + 1]).squeeze(0);
      const one = await part(x).matmul(part(y)).data();
      one.forEach((value, j) => {
        expect(all[i * 15 + j]).toBeCloseTo(value, 4);
      });
    }
    expect(matmul(randn([4, 1, 2, 3]), randn([5, 3, 6])).shape).toEqual([4, 5, 2, 6]);
    expect(() => x.matmul(x)).toThrow('[matmul] inner axes: expected equal sizes, got 4 ([2,3,4]) and 3 ([2,3,4])');
    expect(() => x.matmul(tensor(2))).toThrow('multiply by a scalar with mul()');
  });

  it('clip and pow keep NaN and signs', async () => {
    setEngine(engine);
    const x = tensor([-2, Number.NaN, 0, 3]);
    expect(await valuesOf(x.clip(-1, 1))).toEqual([-1, Number.NaN, 0, 1]);
    expect(await valuesOf(tensor([-5, 5], 'int32').clip(0))).toEqual([0, 5]);
    expect(() => x.clip(1, 0)).toThrow('[clip] min: expected at most max = 0, got 1');
    expect(await valuesOf(x.pow(3))).toEqual([-8, Number.NaN, 0, 27]);
    expect(await valuesOf(x.pow(0))).toEqual([1, 1, 1, 1]);
    expect(await valuesOf(tensor([-1, 0, 4]).pow(1.5))).toEqual([Number.NaN, 0, expect.closeTo(8, 5)]);
    expect(await valuesOf(tensor([0, 2]).pow(tensor([0, 3])))).toEqual([1, expect.closeTo(8, 5)]);
    expect(() => x.pow(Number.POSITIVE_INFINITY)).toThrow('[pow] exponent');
  });
});

it('squeeze, unsqueeze and stack change shapes alone', () => {
  const x = randn([1, 3, 1]);
  expect(x.squeeze().shape).toEqual([3]);
  expect(x.squeeze(0).shape).toEqual([3, 1]);
  expect(x.squeeze([-1, 1]).shape).toEqual([1, 3]);
  expect(x.unsqueeze(-1).shape).toEqual([1, 3, 1, 1]);
  expect(stack([x, x], 1).shape).toEqual([1, 2, 3, 1]);
  expect(() => x.squeeze(3)).toThrow('[squeeze] axis');
  expect(() => stack([])).toThrow('[stack] tensors: expected an array that is not empty, each item a Tensor, got []');
  expect(() => stack([x, randn([3])])).toThrow('expected one shape, got [1,3,1] and [3]');
});

it('pad and neg', async () => {
  expect(await valuesOf(tensor([[1, 2]]).pad([1, 0], [0, 1], 7))).toEqual([7, 7, 7, 1, 2, 7]);
  expect(await valuesOf(tensor([1, -2]).neg())).toEqual([-1, 2]);
  const p = tensor([1]);
  expect(() => p.pad([-1], [0])).toThrow('[pad] amounts');
});

it('data() of a named dtype has its type, or is refused', async () => {
  const floats: Float32Array = await Tensor.ones([2]).data('float32');
  expect(floats).toEqual(Float32Array.of(1, 1));
  const ints: Int32Array = await Tensor.ones([1], 'int32').data('int32');
  expect(ints).toEqual(Int32Array.of(1));
  await expect(Tensor.ones([2]).data('int32')).rejects.toThrow(
    '[data] dtype: expected int32, got float32 (tensor [2]); convert it with cast()',
  );
});
