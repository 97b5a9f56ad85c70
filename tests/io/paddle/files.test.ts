import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileError, InputError } from '../../../src/errors.js';
import { split, storedDict } from '../../../src/io/formats/paddle/dict.js';
import { paddleNames } from '../../../src/io/formats/paddle/names.js';
import { NumpyArray } from '../../../src/io/formats/paddle/numpy.js';
import { parsePickle } from '../../../src/io/formats/paddle/pickle.js';
import { type Picklable, pickle } from '../../../src/io/formats/paddle/pickleWriter.js';
import type { TensorData } from '../../../src/io/formats/tensorData.js';
import { loadPdopt, readPdopt, savePdopt, writePdopt } from '../../../src/io/weights/pdopt.js';
import { loadPdparams, readPdparams, savePdparams, writePdparams } from '../../../src/io/weights/pdparams.js';
import { loadPickle } from '../../../src/io/weights/pickle.js';
import { BatchNorm2D, Layer, Linear } from '../../../src/nn/index.js';
import { Adam, lr, Momentum, SGD } from '../../../src/optimizer/index.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { formula } from '../../goldens/load.js';
import { temporaryFolder } from '../../temporary.js';
import { files } from './files.js';

const folder = temporaryFolder();
const f32 = (shape: number[], data: ArrayLike<number>): TensorData => ({
  shape,
  dtype: 'float32',
  data: Float32Array.from(data),
});
const bytesOf = (value: Picklable, protocol: 2 | 4) => new Uint8Array(Buffer.concat([...pickle(value, protocol)]));

describe('reading what Paddle and NumPy wrote', () => {
  it.each(['protocol2', 'protocol3', 'protocol4', 'numpy1'])('%s', async (name) => {
    const { tensors, types } = await readPdparams(join(files, `${name}.pdparams`));
    expect(Object.fromEntries(tensors)).toEqual({
      'fc.weight': f32([3, 4], formula(12, 1, 1)),
      'fc.bias': f32([4], formula(4, 2, 1)),
      long: f32([400], formula(400, 3, 1)),
    });
    expect([...types.values()]).toEqual(['f4', 'f4', 'f4']);
  });

  it.each(['types2', 'types4', 'types5'])('every element type: %s', async (name) => {
    const { tensors } = await readPdparams(join(files, `${name}.pdparams`));
    const i32 = (...data: number[]) => ({ shape: [data.length], dtype: 'int32', data: Int32Array.from(data) });
    expect(Object.fromEntries(tensors)).toEqual({
      f2: f32([4], [1, -2.5, 65504, 2 ** -24]),
      f8: f32([3], [0.1, -Infinity, 3]),
      bf16: f32([2], [1, -3.140625]),
      i1: i32(-128, 127),
      i2: i32(-32768, 32767),
      i4: i32(-(2 ** 31), 2 ** 31 - 1),
      i8: i32(-(2 ** 31), 2 ** 31 - 1),
      u1: { shape: [1, 2], dtype: 'uint8', data: Uint8Array.of(0, 255) },
      b1: { shape: [2], dtype: 'uint8', data: Uint8Array.of(1, 0) },
      fortran: f32(
        [2, 3, 4],
        Array.from({ length: 24 }, (_, i) => i),
      ),
      scalar: f32([], [7]),
      empty: f32([0, 3], []),
    });
  });

  it('names of parameters, and arrays in parts', async () => {
    const { tensors, parameterNames } = await readPdparams(join(files, 'split.pdparams'));
    expect(Object.fromEntries(tensors)).toEqual({
      'fc.bias': f32([4], formula(4, 2, 1)),
      'fc.weight': f32([3, 4], formula(12, 1, 1)),
    });
    expect(Object.fromEntries(parameterNames)).toEqual({ 'fc.bias': 'linear_0.b_0', 'fc.weight': 'linear_0.w_0' });
  });

  it('pairs of name and array, master weights', async () => {
    const { states, schedule } = await readPdopt(join(files, 'master.pdopt'));
    expect(schedule).toBeNull();
    expect(Object.fromEntries([...states].map(([name, own]) => [name, Object.fromEntries(own)]))).toEqual({
      'linear_0.w_0': { velocity: f32([3, 4], formula(12, 4, 1)), master_weight: f32([3, 4], formula(12, 1, 1)) },
    });
  });

  it('any plain data', async () => {
    const path = join(files, 'nested.pdparams');
    const value = (await loadPickle(path)) as Map<string, unknown>;
    expect([...value.keys()]).toEqual(['net', 'epoch', 'pairs']);
    const [[name, array], ...rest] = value.get('pairs') as [[string, NumpyArray], ...unknown[]];
    expect(rest).toEqual([2n ** 70n, -1.5, null]);
    expect(name).toBe('linear_0.w_0_fp32_master_0');
    expect(array.toTensor('')).toEqual(f32([3, 4], formula(12, 1, 1)));
    await expect(readPdparams(path)).rejects.toThrow(
      `[paddle] ${path}: 'net': expected an array, got a dict; save the state dict of the network alone`,
    );
    await expect(readPdopt(path)).rejects.toThrow("'net': expected the state of a parameter, got a dict");
  });

  it.each([2, 3, 4, 5])('scalars, numbers, bytes and text, protocol %i', async (protocol) => {
    const value = await loadPickle(join(files, `plain${protocol}.pkl`));
    expect(value).toEqual(
      new Map<string, unknown>([
        ['scalars', [1.5, 0.1, 2 ** 40, -(2n ** 62n), true, 7]],
        [
          'ordered',
          new Map([
            ['b', expect.anything()],
            ['a', expect.anything()],
          ]),
        ],
        ['numbers', [0, 255, 65535, -1, 2 ** 31, -(2 ** 40), 2n ** 53n + 1n, true, null, 1e-300]],
        ['text', 'naïve ✓'],
      ]),
    );
    const ordered = (value as Map<string, Map<string, Uint8Array>>).get('ordered');
    expect([...(ordered ?? [])].map(([key, bytes]) => [key, [...bytes]])).toEqual([
      ['b', [0, 255]],
      ['a', []],
    ]);
    expect(Object.isFrozen((value as Map<string, unknown>).get('numbers'))).toBe(true);
    expect(Object.isFrozen((value as Map<string, unknown>).get('scalars'))).toBe(false);
  });

  it.each([2, 20_000])('text and arrays of Python 2, %i elements', (length) => {
    const floats = formula(length, 1, 1);
    const contents = Buffer.from(floats.buffer).toString('latin1');
    const int = (value: number) => String.fromCharCode(...[0, 8, 16, 24].map((shift) => (value >>> shift) & 255));
    const short = (text: string) => `U${String.fromCharCode(text.length)}${text}`;
    const file =
      `\x80\x02}q\x01(${short('data')}q\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\0\x85` +
      `${short('b')}\x87Rq\x05(K\x01J${int(length)}\x85cnumpy\ndtype\nq\x06${short('f4')}K\0K\x01\x87Rq\x07(K\x03` +
      `${short('<')}NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T${int(contents.length)}${contents}tb` +
      `${short('label')}]q\x08(K\x06K\x09e${short('caf\xe9')}ccollections\nOrderedDict\n](${short('k')}` +
      'N\x86e\x85Ru.';
    const value = parsePickle(new Uint8Array(Buffer.from(file, 'latin1')), 'FILE') as Map<string, unknown>;
    expect((value.get('data') as NumpyArray).toTensor('')).toEqual(f32([length], floats));
    expect([...value].slice(1)).toEqual([
      ['label', [6, 9]],
      ['café', new Map([['k', null]])],
    ]);
  });

  it('64-bit integers that do not fit are refused, as are other keys than text', async () => {
    const long = parsePickle(new Uint8Array(readFileSync(join(files, 'types4.pdparams'))), 'FILE') as Map<
      string,
      NumpyArray
    >;
    const array = long.get('i8') as NumpyArray;
    array.contents?.bytes.fill(1);
    expect(() => storedDict(long, 'FILE')).toThrow('FILE: i8: expected 64-bit integers that fit in 32 bits, got 7234');
    expect(() => storedDict(new Map([[1, null]]), 'FILE')).toThrow('keys: expected text, got 1');
  });
});

describe('writing', () => {
  const plain = fc.letrec<{ value: Picklable; leaf: Picklable }>((tie) => ({
    leaf: fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true }),
      fc.maxSafeInteger(),
      fc.integer(),
      fc.string({ unit: 'grapheme' }),
      fc.float32Array({ minLength: 1 }).map((data): Picklable => ({ shape: [data.length], dtype: 'float32', data })),
      fc.uint8Array().map((data): Picklable => ({ shape: [1, data.length], dtype: 'uint8', data })),
      fc.int32Array().map((data): Picklable => ({ shape: [data.length], dtype: 'int32', data })),
    ),
    value: fc.oneof(
      { maxDepth: 4 },
      tie('leaf'),
      fc.array(tie('value')),
      fc.array(fc.tuple(fc.string(), tie('value'))).map((entries) => new Map(entries)),
    ),
  })).value;

  /** Arrays as tensors again. */
  const tensorsIn = (value: unknown): unknown => {
    if (value instanceof NumpyArray) return value.toTensor('');
    if (Array.isArray(value)) return value.map(tensorsIn);
    return value instanceof Map ? new Map([...value].map(([key, item]) => [key, tensorsIn(item)])) : value;
  };

  it.each([2, 4] as const)('plain data come back, protocol %i', (protocol) => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(tensorsIn(parsePickle(bytesOf(value, protocol), 'FILE'))).toEqual(value);
      }),
      { numRuns: 200 },
    );
  });

  it('arrays are read as views of the file, wherever they are in it', () => {
    const dict = new Map<string, Picklable>();
    for (let i = 0; i < 8; i++) dict.set('x'.repeat(i), f32([300 + i], formula(300 + i, i, 1)));
    const bytes = bytesOf(dict, 4);
    for (const [key, array] of parsePickle(bytes, 'FILE') as Map<string, NumpyArray>) {
      const tensor = array.toTensor('');
      expect(tensor).toEqual(dict.get(key));
      expect(tensor.data.buffer).toBe(bytes.buffer);
    }
  });

  it.each([2, 4] as const)('long arrays come back, protocol %i', async (protocol) => {
    const path = join(folder, 'long.pdparams');
    const bytes: TensorData = { shape: [3, 400_000], dtype: 'uint8', data: new Uint8Array(1_200_000).map((_, i) => i) };
    const tensors = new Map([
      ['bytes', bytes],
      ['floats', f32([50_000], formula(50_000, 1, 1))],
    ]);
    await writePdparams(tensors, path, { protocol });
    for (const [name, { data, ...rest }] of (await readPdparams(path)).tensors) {
      const expected = tensors.get(name) as TensorData;
      expect(rest).toEqual({ shape: expected.shape, dtype: expected.dtype });
      expect(
        Buffer.compare(Buffer.from(data.buffer, data.byteOffset, data.byteLength), Buffer.from(expected.data.buffer)),
      ).toBe(0);
    }
  });

  it('arrays in parts are put together again', () => {
    const whole = new Map<string, Picklable>([
      ['a', f32([3, 4], formula(12, 1, 1))],
      ['b', f32([2], [1, 2])],
    ]);
    const parts = split(whole, 21);
    expect([...parts.keys()]).toEqual(['a@@.0', 'a@@.1', 'a@@.2', 'b', 'UnpackBigParamInfor@@']);
    const dict = parsePickle(bytesOf(parts, 2), 'FILE') as Map<string, NumpyArray>;
    const joined = storedDict(dict, 'FILE');
    expect(joined.get('a')).toMatchObject(whole.get('a') as object);
    expect([...joined.keys()]).toEqual(['b', 'a']);
    const [info] = [...parts.values()].slice(-1) as Map<string, Map<string, Picklable>>[];
    for (const [key, value, message] of [
      ['slices', ['a@@.0', 'a@@.0'], 'a@@.0: expected a part of an array, got nothing'],
      ['slices', ['a@@.0'], 'a: expected parts of an array of shape [3,4], got other parts'],
      ['slices', 7, 'expected shape and slices, got a dict'],
      ['OriginShape', [2 ** 40], 'a: expected parts of an array of shape [1099511627776], got other parts'],
    ] as const) {
      const changed = new Map([...(info.get('a') as Map<string, Picklable>), [key, value]]);
      const file = bytesOf(new Map([...parts, ['UnpackBigParamInfor@@', new Map([['a', changed]])]]), 2);
      expect(() => storedDict(parsePickle(file, 'FILE') as Map<string, NumpyArray>, 'FILE')).toThrow(message);
    }
  });
});

class Net extends Layer {
  // Made before the other, and listed after it.
  readonly second: Linear;
  readonly bn = new BatchNorm2D(3);
  readonly first: Linear;

  constructor() {
    super();
    const early = new Linear(2, 2);
    this.first = new Linear(2, 3);
    this.second = early;
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

describe('networks and optimizers', () => {
  it('parameters are named as in a new process of Paddle', () => {
    new Net();
    expect(Object.fromEntries(paddleNames(new Net()))).toEqual({
      'second.weight': 'linear_0.w_0',
      'second.bias': 'linear_0.b_0',
      'bn.weight': 'batch_norm2d_0.w_0',
      'bn.bias': 'batch_norm2d_0.b_0',
      'bn._mean': 'batch_norm2d_0.w_1',
      'bn._variance': 'batch_norm2d_0.w_2',
      'first.weight': 'linear_1.w_0',
      'first.bias': 'linear_1.b_0',
    });
  });

  it('a file for another network is refused with all differences', async () => {
    const path = join(folder, 'other.pdparams');
    await savePdparams(new Linear(2, 3), path);
    await expect(loadPdparams(new Linear(3, 2), path)).rejects.toThrow(
      /2 misshapen: weight: expected \[3,2\], got \[2,3\], bias/,
    );
  });

  const path = join(folder, 'states.pdopt');
  const adamOf = (layer: Layer, betas = {}) => new Adam({ parameters: layer.parameters(), ...betas });

  it.each([0, 1, 2, 10, 100, 650, 700, 5000, 60_000])('the number of steps of Adam comes back: %i', async (steps) => {
    const layer = new Linear(2, 3);
    const optimizer = adamOf(layer);
    optimizer.loadStateDict(layer.namedParameters(), await entriesOf(optimizer, layer), { steps });
    await savePdopt(optimizer, layer, path);
    const back = adamOf(layer);
    await loadPdopt(back, layer, path);
    expect(back.steps).toBe(steps);
  });

  it('other betas are noticed', async () => {
    const layer = new Linear(2, 3);
    const optimizer = adamOf(layer);
    optimizer.loadStateDict(layer.namedParameters(), await entriesOf(optimizer, layer), { steps: 3 });
    await savePdopt(optimizer, layer, path);
    await expect(loadPdopt(adamOf(layer, { beta1: 0.8 }), layer, path)).rejects.toThrow(
      'powers of beta1 and beta2: expected those of 0.8 and 0.999, got others',
    );
  });

  /** States by Paddle's names, from those by the network's own. */
  const statesOf = (layer: Layer, states: Readonly<Record<string, Readonly<Record<string, TensorData>>>>) => {
    const names = paddleNames(layer);
    return new Map(
      Object.entries(states).map(([name, own]) => [names.get(name) as string, new Map(Object.entries(own))]),
    );
  };

  it('each parameter continues from its own powers of beta, and writes them', async () => {
    const layer = new Linear(1, 1);
    const adamState = (moment1: number, moment2: number, steps: number) => ({
      moment1: f32([...(steps === 1 ? [1] : [1, 1])], [moment1]),
      moment2: f32([...(steps === 1 ? [1] : [1, 1])], [moment2]),
      beta1_pow_acc: f32([1], [0.9 ** (steps + 1)]),
      beta2_pow_acc: f32([1], [0.999 ** (steps + 1)]),
    });
    // After t even gradients of 1, the moments are 1 − βᵗ.
    const evenly = (steps: number) => adamState(1 - 0.9 ** steps, 1 - 0.999 ** steps, steps);
    await writePdopt({ states: statesOf(layer, { weight: evenly(300), bias: evenly(1) }), schedule: null }, path);
    const optimizer = new Adam({ parameters: layer.parameters(), learningRate: 0.1 });
    expect(await loadPdopt(optimizer, layer, path)).toEqual([]);
    expect(optimizer.steps).toBe(300);
    const before = await Promise.all(layer.parameters().map((parameter) => parameter.item()));
    layer
      .parameters()
      .reduce<Tensor | null>((sum, p) => (sum === null ? p.sum() : sum.add(p.sum())), null)
      ?.backward();
    await optimizer.step();
    for (const [i, parameter] of layer.parameters().entries()) {
      expect(await parameter.item()).toBeCloseTo(before[i] - 0.1, 4);
    }
    await savePdopt(optimizer, layer, path);
    const { states } = await readPdopt(path);
    const powers = [...states.values()].map((own) => own.get('beta1_pow_acc')?.data[0]);
    expect(powers).toEqual([Math.fround(0.9 ** 302), Math.fround(0.9 ** 3)]);
    const again = adamOf(layer);
    await loadPdopt(again, layer, path);
    const counts = again.stateDict(layer.namedParameters());
    expect(await counts.get('bias.updates')?.data()).toEqual(Int32Array.of(2));
    expect(counts.has('weight.updates')).toBe(false);
  });

  it('parameters without a state in the file start again, with a note; a file of other parameters is refused', async () => {
    const net = new Net();
    const velocity = f32([2], formula(2, 1, 1));
    await writePdopt({ states: statesOf(net, { 'second.bias': { velocity } }), schedule: null }, path);
    const optimizer = new Momentum({ parameters: net.parameters() });
    const parameters = net.namedParameters();
    for (const state of optimizer.stateDict(parameters).values()) state.load(new Float32Array(state.size).fill(7));
    const notices = await loadPdopt(optimizer, net, path);
    expect(notices.map(({ name, kind }) => `${kind} ${name}`)).toEqual(
      [...parameters.keys()].filter((name) => name !== 'second.bias').map((name) => `missing ${name}`),
    );
    expect(notices[0].message).toBe('states of second.weight: the file has none; they start from zero');
    const states = optimizer.stateDict(parameters);
    expect(await states.get('second.bias.velocity')?.data()).toEqual(velocity.data);
    expect(new Set(await states.get('second.weight.velocity')?.data())).toEqual(new Set([0]));

    // Only one layer is trained: the rest of a whole file is reported.
    const head = new Momentum({ parameters: net.first.parameters() });
    await savePdopt(optimizer, net, path);
    const unknown = await loadPdopt(head, net, path);
    expect(unknown.map(({ kind }) => kind)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
    expect(unknown[0].message).toBe('states of linear_0.w_0: the optimizer trains no such parameter');
    const elsewhere = new Map([['first.weight', 'linear_8.w_0']]);
    await expect(loadPdopt(head, net, path, { parameterNames: elsewhere })).rejects.toThrow(
      "expected states of the optimizer's parameters, got those of linear_0.w_0, linear_0.b_0, batch_norm2d_0.w_0 …",
    );
  });

  it('half a state of a parameter is refused', async () => {
    const layer = new Linear(2, 3);
    const zeros = f32([2, 3], new Float32Array(6));
    const power = f32([1], [0.9]);
    const whole = { moment1: zeros, moment2: zeros, beta1_pow_acc: power, beta2_pow_acc: f32([1], [0.999]) };
    const load = async (weight: Readonly<Record<string, TensorData>>) => {
      await writePdopt({ states: statesOf(layer, { weight }), schedule: null }, path);
      return loadPdopt(adamOf(layer), layer, path);
    };
    expect((await load(whole)).map(({ name }) => name)).toEqual(['bias']);
    const { moment2: _, ...noMoment } = whole;
    await expect(load(noMoment)).rejects.toThrow('[optimizer] state weight.moment2: expected [2,3], got none');
    const { beta2_pow_acc: __, ...noPower } = whole;
    await expect(load(noPower)).rejects.toThrow('expected those of 0.9 and 0.999, got none');
    for (const bad of [Number.NaN, -1, 1.5, 1]) {
      await expect(load({ ...whole, beta1_pow_acc: f32([1], [bad]) })).rejects.toThrow('powers of beta1 and beta2');
    }
  });

  it('after more steps than float32 can resolve, they make no difference', async () => {
    const layer = new Linear(2, 3);
    const states = new Map<string, Map<string, TensorData>>();
    for (const [name, { shape, size }] of layer.namedParameters()) {
      const zeros = f32([...shape], new Float32Array(size));
      const lost = f32([1], [0]);
      states.set(
        paddleNames(layer).get(name) as string,
        new Map(Object.entries({ moment1: zeros, moment2: zeros, beta1_pow_acc: lost, beta2_pow_acc: lost })),
      );
    }
    await writePdopt({ states, schedule: null }, path);
    const optimizer = adamOf(layer);
    await loadPdopt(optimizer, layer, path);
    expect(1 - 0.999 ** optimizer.steps).toBe(1);
  });

  it('names of another process go by the table, or by the order', async () => {
    const layer = new Linear(2, 3);
    const velocity = { weight: f32([2, 3], formula(6, 1, 1)), bias: f32([3], formula(3, 2, 1)) };
    const named = { weight: 'linear_7.w_0', bias: 'linear_7.b_0' };
    const states = new Map([
      [named.weight, new Map([['velocity', velocity.weight]])],
      [named.bias, new Map([['velocity', velocity.bias]])],
    ]);
    await writePdopt({ states, schedule: { lastEpoch: 3, lastLr: 0.25 } }, path);
    for (const parameterNames of [undefined, new Map(Object.entries(named))]) {
      const optimizer = new Momentum({ parameters: layer.parameters() });
      await loadPdopt(optimizer, layer, path, parameterNames && { parameterNames });
      const state = optimizer.stateDict(layer.namedParameters());
      expect(await state.get('weight.velocity')?.data()).toEqual(velocity.weight.data);
      expect(await state.get('bias.velocity')?.data()).toEqual(velocity.bias.data);
      expect(optimizer.learningRate).toBe(0.25);
    }
    const load = (other: Layer) => loadPdopt(new Momentum({ parameters: other.parameters() }), other, path);
    await expect(load(new Net())).rejects.toThrow('expected states of 6 parameters, got 2');
    await expect(load(new Linear(3, 2))).rejects.toThrow('velocity of weight: expected shape [3,2], got [2,3]');
    await expect(loadPdopt(adamOf(layer), layer, path)).rejects.toThrow(InputError);
  });

  it('every state of a schedule comes back', async () => {
    const layer = new Linear(2, 3);
    const warmup = () =>
      new lr.LinearWarmup({
        learningRate: new lr.StepDecay({ learningRate: 0.1, stepSize: 2 }),
        warmupSteps: 2,
        startLr: 0,
        endLr: 0.1,
      });
    const plateau = () => new lr.ReduceOnPlateau({ learningRate: 0.1, patience: 1 });
    const used = [warmup(), plateau()] as const;
    for (let i = 0; i < 5; i++) {
      used[0].step();
      used[1].step(i);
    }
    for (const [learningRate, fresh] of [
      [used[0], warmup()],
      [used[1], plateau()],
    ] as const) {
      await savePdopt(new SGD({ parameters: layer.parameters(), learningRate }), layer, path);
      await loadPdopt(new SGD({ parameters: layer.parameters(), learningRate: fresh }), layer, path);
      expect(fresh.stateDict()).toEqual(learningRate.stateDict());
    }
  });

  it('states with unknown names, or a schedule without a rate, are refused', async () => {
    const file = join(folder, 'odd.pdopt');
    await writePdparams(new Map([['linear_0.w_0_speed_0', f32([1], [1])]]), file);
    await expect(readPdopt(file)).rejects.toThrow(
      `[paddle] ${file}: 'linear_0.w_0_speed_0': expected the state of a parameter, got an array [1]`,
    );
    await writePdparams(new Map([['LR_Scheduler', f32([1], [1])]]), file);
    await expect(readPdopt(file)).rejects.toThrow(FileError);
  });
});

async function entriesOf(optimizer: Adam, layer: Layer): Promise<Map<string, TensorData>> {
  const entries = new Map<string, TensorData>();
  for (const [name, state] of optimizer.stateDict(layer.namedParameters())) {
    entries.set(name, { shape: state.shape, dtype: state.dtype, data: await state.data() });
  }
  return entries;
}
