import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadPdopt, readPdopt } from '../../src/io/weights/pdopt.js';
import { readPdparams } from '../../src/io/weights/pdparams.js';
import { loadSafetensors, saveSafetensors } from '../../src/io/weights/safetensors.js';
import { Adam } from '../../src/optimizer/index.js';
import { LeNet } from '../../src/vision/models/course/lenet.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { runFovea as fovea, linesOf } from './run.js';

const goldens = fileURLToPath(new URL('../goldens/paddle', import.meta.url));
const root = temporaryFolder();
const path = (name: string) => join(root, name);
const golden = (name: string) => join(goldens, name);

/** The error of a wrong call. */
const refusal = async (...args: string[]) => {
  const { code, out, err } = await fovea('convert', ...args);
  expect([code, out]).toEqual([2, '']);
  return err;
};

describe('fovea convert', () => {
  it('.pdparams to .safetensors and back', async () => {
    const { code, out } = await fovea('convert', golden('adam.pdparams'), path('net.safetensors'));
    expect(code).toBe(0);
    const bytes = readFileSync(path('net.safetensors')).length;
    expect(out).toBe(
      `${golden('adam.pdparams')} → ${path('net.safetensors')}\n\n` +
        `  tensors  8\n  values   167\n  bytes    ${bytes.toLocaleString('en-US')}\n`,
    );
    const original = await readPdparams(golden('adam.pdparams'));
    const { tensors, metadata } = await loadSafetensors(path('net.safetensors'));
    expect(tensors).toEqual(original.tensors);
    expect(JSON.parse(metadata.parameterNames)['fc.weight']).toBe('linear_0.w_0');
    for (const protocol of ['2', '4']) {
      await fovea('convert', path('net.safetensors'), path('net.pdparams'), '--force', '--protocol', protocol);
      expect(readFileSync(path('net.pdparams'))[1]).toBe(Number(protocol));
      expect(await readPdparams(path('net.pdparams'))).toEqual(original);
    }
  });

  it('says which element types it has changed', async () => {
    const { out } = await fovea('convert', golden('types4.pdparams'), path('types.safetensors'), '--json');
    expect(linesOf(out)).toEqual([
      {
        schema: 'convert.result/1',
        input: golden('types4.pdparams'),
        output: path('types.safetensors'),
        tensors: 12,
        values: 46,
        bytes: expect.any(Number),
        notes: [
          'f2 to float32 in 1 of them',
          'f8 to float32 in 1 of them',
          'u2 to float32 in 1 of them',
          'i1 to int32 in 1 of them',
          'i2 to int32 in 1 of them',
          'i8 to int32 in 1 of them',
          'b1 to uint8 in 1 of them',
        ],
      },
    ]);
  });

  it('.pdopt to .safetensors and back, with the names of the parameters beside it', async () => {
    const original = await readPdopt(golden('adam.pdopt'));
    expect(original.schedule).toEqual({ lastEpoch: 2, lastLr: 0.0025 });
    const { out } = await fovea('convert', golden('adam.pdopt'), path('adam.safetensors'));
    expect(out).toContain(`names of parameters from ${golden('adam.pdparams')}\n`);
    const { tensors } = await loadSafetensors(path('adam.safetensors'));
    expect(tensors.get('fc.weight.moment1')).toEqual(original.states.get('linear_0.w_0')?.get('moment1'));
    await fovea('convert', path('adam.safetensors'), path('adam.pdopt'));
    expect(await readPdopt(path('adam.pdopt'))).toEqual(original);

    copyFileSync(golden('adam.pdopt'), path('alone.pdopt'));
    const alone = await fovea('convert', path('alone.pdopt'), path('alone.safetensors'));
    expect(alone.out).toContain("parameters keep Paddle's names (no --names)");
    // A file beside it without a table of names is no reason to fail, unless it was asked for.
    copyFileSync(golden('types4.pdparams'), path('alone.pdparams'));
    expect((await fovea('convert', path('alone.pdopt'), path('alone.safetensors'), '--force')).out).toBe(alone.out);
    const asked = await refusal(path('alone.pdopt'), path('a.safetensors'), '--names', path('alone.pdparams'));
    expect(asked).toContain("expected a table of Paddle's names of parameters, got none");
    await fovea('convert', path('alone.safetensors'), path('alone.pdopt'), '--force');
    expect(await readPdopt(path('alone.pdopt'))).toEqual(original);
  });

  it('asks for the names that a file of states does not have', async () => {
    const zero = { shape: [1], dtype: 'float32', data: new Float32Array(1) } as const;
    const states = path('states.safetensors');
    await saveSafetensors(new Map([['fc.bias.velocity', zero]]), states);
    expect(await refusal(states, path('x.pdopt'))).toContain(
      "expected to know Paddle's names of the parameters, got none",
    );
    await fovea('convert', states, path('x.pdopt'), '--names', golden('adam.pdparams'));
    expect([...(await readPdopt(path('x.pdopt'))).states.keys()]).toEqual(['linear_0.b_0']);
    await saveSafetensors(new Map([['other.velocity', zero]]), states);
    expect(await refusal(states, path('y.pdopt'), '--names', golden('adam.pdparams'))).toContain(
      'other.velocity: expected a name for its parameter',
    );
    await saveSafetensors(new Map([['fc.bias.moment2', zero]]), states);
    expect(await refusal(states, path('y.pdopt'), '--names', golden('adam.pdparams'))).toContain(
      "expected the powers of Adam's betas",
    );
    await saveSafetensors(new Map([['w.velocity', zero]]), states, { parameterNames: '{"w":"w_0"}', schedule: '{}' });
    expect(await refusal(states, path('y.pdopt'))).toContain(`${states}, schedule: lastEpoch: `);
    expect(await refusal(states, path('y.pdopt'), '--names', golden('types4.pdparams'))).toContain(
      "expected a table of Paddle's names of parameters, got none",
    );
    expect(existsSync(path('y.pdopt'))).toBe(false);
  });

  it('takes a training to Paddle', async () => {
    const run = path('run');
    const dataDir = await smallMnist(root);
    const how = ['--data-dir', dataDir, '--optimizer', 'adam', '--epochs', '1', '--out', run];
    expect((await fovea('train', 'lenet', ...how)).err).not.toContain('fovea:');
    for (const name of ['run.pdparams', 'run.pdopt']) expect((await fovea('convert', run, path(name))).code).toBe(0);
    const { tensors, parameterNames } = await readPdparams(path('run.pdparams'));
    expect(tensors).toEqual((await loadSafetensors(join(run, 'weights.safetensors'))).tensors);
    expect(parameterNames.get('conv3.bias')).toBe('conv2d_2.b_0');
    const net = new LeNet({ numClasses: 10 });
    const optimizer = new Adam({ parameters: net.parameters() });
    await loadPdopt(optimizer, net, path('run.pdopt'));
    expect(optimizer.steps).toBe(50);
    const saved = await loadSafetensors(join(run, 'optimizer.safetensors'));
    const moments = optimizer.stateDict(net.namedParameters());
    expect([...moments.keys()].sort()).toEqual([...saved.tensors.keys()].sort());
    for (const [name, state] of moments) expect(await state.data()).toEqual(saved.tensors.get(name)?.data);
    expect(await refusal(run, path('run.safetensors'))).toContain('got a run to .safetensors');
  });

  it('overwrites nothing unasked, and never anything but a file', async () => {
    writeFileSync(path('mine.safetensors'), 'mine');
    expect(await refusal(golden('adam.pdparams'), path('mine.safetensors'))).toContain('give --force to overwrite it');
    expect(readFileSync(path('mine.safetensors'), 'utf8')).toBe('mine');
    expect((await fovea('convert', golden('adam.pdparams'), path('mine.safetensors'), '--force')).code).toBe(0);
    mkdirSync(path('dir.safetensors'));
    expect(await refusal(golden('adam.pdparams'), path('dir.safetensors'), '--force')).toContain(
      'expected the name of a file, got that of a folder',
    );
  });

  it('refuses what it cannot read or make', async () => {
    writeFileSync(path('bad.pdparams'), 'c\x80');
    expect(await refusal(path('bad.pdparams'), path('z.safetensors'))).toMatch(
      /^fovea: \[pickle\] .*bad\.pdparams: expected a pickle of protocol 2 to 5/,
    );
    expect(await refusal(path('none.pdparams'), path('z.safetensors'))).toContain('expected a readable file');
    expect(await refusal(path('bad.pdparams'), path('z.pdopt'))).toContain('got .pdparams to .pdopt');
    expect(await refusal(root, path('z.pdopt'))).toContain('expected the folder of a training');
    expect(existsSync(path('z.safetensors'))).toBe(false);
  });
});
