import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { F, FileError, InputError, io, nn, optimizer, Tensor, tensor } from '../../src/index.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const contents = async (net: nn.Layer) =>
  Object.fromEntries(await Promise.all([...net.stateDict()].map(async ([name, t]) => [name, await t.data()] as const)));

describe('save and load', () => {
  it.each(['net.safetensors', 'net.pdparams'])('keep what a loop has trained: %s', async (file) => {
    const net = new nn.Sequential(new nn.Linear(4, 3), new nn.Linear(3, 2));
    const opt = new optimizer.Adam({ parameters: net.parameters() });
    F.crossEntropy(net.forward(Tensor.ones([2, 4])), tensor([0, 1], 'int32')).backward();
    await opt.step();
    for (const object of [net.stateDict(), net]) {
      await io.save(object, at(file));
      const back = new nn.Sequential(new nn.Linear(4, 3), new nn.Linear(3, 2));
      expect(back.loadStateDict(await io.load(at(file)))).toEqual([]);
      expect(await contents(back)).toEqual(await contents(net));
    }
  });

  it('take tensors that are not computed yet, arrays and records', async () => {
    const mixed = {
      lazy: tensor([[1, 2]]).mul(2),
      bytes: Uint8Array.of(1, 2, 3),
      whole: { shape: [1, 2], dtype: 'int32' as const, data: Int32Array.of(4, 5) },
    };
    for (const file of ['mixed.safetensors', 'mixed.pdparams']) {
      await io.save(mixed, at(file));
      const { lazy, bytes, whole } = Object.fromEntries(await io.load(at(file)));
      expect(lazy).toEqual({ shape: [1, 2], dtype: 'float32', data: Float32Array.of(2, 4) });
      expect(bytes).toEqual({ shape: [3], dtype: 'uint8', data: Uint8Array.of(1, 2, 3) });
      expect(whole).toEqual(mixed.whole);
    }
    // The call that comes to mind first.
    const net = new nn.Linear(2, 2);
    await io.saveSafetensors(net.stateDict(), at('w.safetensors'));
    expect((await io.loadSafetensors(at('w.safetensors'))).tensors.get('weight')?.data).toEqual(
      await net.weight.data(),
    );
  });

  it('refuse the path first, and show the right call', async () => {
    const net = new nn.Linear(2, 2);
    const before = readdirSync(folder);
    const states = { states: new Map(), schedule: null };
    const calls: [string, () => Promise<unknown>][] = [
      ['save', () => io.save(at('x.safetensors') as never, net as never)],
      ['saveSafetensors', () => io.saveSafetensors(at('x.safetensors') as never, net.stateDict() as never)],
      ['writePdparams', () => io.writePdparams(at('x.pdparams') as never, net.stateDict() as never)],
      ['savePdparams', () => io.savePdparams(at('x.pdparams') as never, net as never)],
      ['writePdopt', () => io.writePdopt(at('x.pdopt') as never, states as never)],
    ];
    for (const [name, call] of calls) {
      const message = `[${name}] arguments: expected ${name}(object, path), got the path first; exchange them`;
      await expect(call()).rejects.toThrow(new InputError(message));
    }
    const opt = new optimizer.SGD({ parameters: net.parameters() });
    await expect(io.savePdopt(net as never, opt as never, at('x.pdopt'))).rejects.toThrow(
      '[savePdopt] arguments: expected savePdopt(optimizer, network, path)',
    );
    expect(readdirSync(folder)).toEqual(before);
  });

  it('say what they do not take', async () => {
    const net = new nn.Linear(2, 2);
    const opt = new optimizer.SGD({ parameters: net.parameters() });
    const refusals: [() => Promise<unknown>, string][] = [
      [() => io.save(net, at('net')), 'expected a path that ends in .safetensors or .pdparams, got no ending'],
      [() => io.save(net, at('net.pt')), 'got .pt'],
      [() => io.load(undefined as never), '[load] path: expected the path of a file, got nothing'],
      [() => io.load(at('a.pdopt')), 'savePdopt and loadPdopt take the states of optimizers'],
      [
        () => io.save(undefined as never, at('a.safetensors')),
        '[save] arguments: expected save(object, path), got nothing',
      ],
      [() => io.save(net, undefined as never), 'got a Linear and nothing'],
      [() => io.save(opt as never, at('a.safetensors')), 'write an optimizer with savePdopt(optimizer, network, path)'],
      [() => io.save(tensor([1]) as never, at('a.safetensors')), 'got a Tensor; give it a name: { x: tensor }'],
      [
        () => io.save({ a: [1, 2] } as never, at('a.safetensors')),
        '[saveSafetensors] a: expected a tensor, a typed array',
      ],
      [() => io.loadPdparams(net, undefined as never), '[pickle] path: expected the path of a file, got nothing'],
      [
        () => io.loadPdparams(undefined as never, at('a.pdparams')),
        '[loadPdparams] network: expected a Layer, got nothing',
      ],
      [() => io.load(''), "[load] path: expected the path of a file, got ''"],
      [() => io.save({}, at('a.safetensors')), 'expected at least one tensor to save, got an empty object without any'],
      [() => io.save(new Map(), at('a.pdparams')), 'expected at least one tensor to save, got a Map without any'],
      [() => io.save(new nn.ReLU(), at('a.pdparams')), 'expected at least one tensor to save, got a ReLU without any'],
      [() => io.save([tensor([1])] as never, at('a.safetensors')), 'got 1 items; give it a name: { x }'],
      [() => io.loadPdopt(net as never, opt as never, at('a.pdopt')), '[loadPdopt] arguments: expected loadPdopt('],
    ];
    for (const [call, message] of refusals) {
      await expect(call()).rejects.toThrow(InputError);
      await expect(call()).rejects.toThrow(message);
    }
    await expect(io.load(at('none.safetensors'))).rejects.toThrow(FileError);
  });
});
