import { expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import { BatchNorm2D, Conv2D, Linear, Sequential, type StateEntry } from '../../src/nn/index.js';

const make = () => new Sequential({ conv: new Conv2D(1, 2, 3), norm: new BatchNorm2D(2), fc: new Linear(4, 3) });

const filled = (shape: readonly number[], value: number): StateEntry => ({
  shape,
  dtype: 'float32',
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value),
});

/** Entries that fit the network, each with another value. */
const fitting = () =>
  new Map([...make().stateDict()].map(([name, { shape }], i) => [name, filled(shape, i + 0.5)] as const));

it('loads every parameter and buffer', async () => {
  const net = make();
  const entries = fitting();
  expect(net.loadStateDict(entries)).toEqual([]);
  for (const [name, state] of net.stateDict()) expect(await state.data()).toEqual(entries.get(name)?.data);
});

const damaged = () => {
  const entries = fitting();
  entries.delete('norm._mean');
  entries.set('fc.weight', filled([3, 4], 7));
  entries.set('fc.bias', { shape: [3], dtype: 'int32', data: new Int32Array(3) });
  entries.set('head.weight', filled([2], 7));
  return entries;
};

it('names all that is missing, unknown, misshapen or of another type, and then overwrites nothing', async () => {
  const net = make();
  const before = await Promise.all([...net.stateDict().values()].map((state) => state.data()));
  const load = () => net.loadStateDict(damaged());
  expect(load).toThrow(InputError);
  expect(load).toThrow(
    '[loadStateDict] Sequential: expected the 8 entries of this network, but 1 missing: norm._mean [2]; ' +
      '1 misshapen: fc.weight: expected [4,3], got [3,4]; 1 of another type: fc.bias: expected float32, got int32; ' +
      '1 unknown: head.weight',
  );
  const after = await Promise.all([...net.stateDict().values()].map((state) => state.data()));
  expect(after).toEqual(before);
});

it('counts each kind, and lists the first of it', () => {
  const entries = new Map(Array.from({ length: 15 }, (_, i) => [`x${i}`, filled([1], 0)]));
  expect(() => make().loadStateDict(entries)).toThrow(
    /but 8 missing: conv\.weight \[2,1,3,3\], .* and 4 more; 15 unknown: x0, x1, x2, x3 and 11 more$/,
  );
});

it('skipMismatch loads the rest and says what it left', async () => {
  const net = make();
  const kept = (await net.stateDict().get('fc.weight')?.data())?.slice();
  const skipped = net.loadStateDict(damaged(), { skipMismatch: true });
  expect(skipped.map(({ name, kind }) => [name, kind])).toEqual([
    ['norm._mean', 'missing'],
    ['fc.weight', 'shape'],
    ['fc.bias', 'dtype'],
    ['head.weight', 'unknown'],
  ]);
  expect(await net.stateDict().get('fc.weight')?.data()).toEqual(kept);
  expect(await net.stateDict().get('conv.weight')?.data()).toEqual(new Float32Array(18).fill(0.5));
});
