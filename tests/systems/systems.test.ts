import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { buildPackage, runProgram } from './package.js';

const root = temporaryFolder();
const preload = resolve('tests/systems/pretend.mjs');
let script = '';
let dataDir = '';

beforeAll(async () => {
  dataDir = await smallMnist(root, { train: 20, test: 10 });
  script = buildPackage(join(root, 'package'), { koffi: 'works', sharp: 'works' });
});

/** The packages with native code find no binary for the system. */
describe.each(['win32', 'darwin'])('as if on %s', (platform) => {
  const folder = join(root, platform);
  const fovea = (...args: string[]) =>
    runProgram(script, args, {
      preload,
      env: { PRETENDED_PLATFORM: platform, HOME: undefined, USERPROFILE: folder, FOVEA_CACHE: join(folder, 'cache') },
    });

  it('the doctor says what it found, and what is missing', () => {
    const { code, out, err } = fovea('doctor', '--data-dir', dataDir);
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(new RegExp(`^✓ Node .*${platform}`, 'm'));
    expect(out).toMatch(/^– Engine .*; the portable engine is used instead, in WebAssembly$/m);
    expect(out).not.toContain('npm install --include=optional koffi');
    expect(out).toMatch(/^✗ Pictures /m);
    expect(out).toMatch(/^✓ MNIST /m);
  });

  describe.each(['reference', 'portable'])('engine %s', (name) => {
    const run = join(folder, name);
    const engine = ['--engine', name];

    it('a network is trained, resumed, evaluated and summarized', () => {
      const options = ['--data-dir', dataDir, ...engine, '--tensorboard'];
      const noError = expect.not.stringContaining('fovea:');
      const trained = fovea('train', 'lenet', ...options, '--epochs', '1', '--out', run);
      expect(trained).toMatchObject({ code: 0, err: noError });
      expect(readdirSync(run)).toContain('report.html');
      const resumed = fovea('train', '--resume', run, '--epochs', '2', ...engine);
      expect(resumed).toMatchObject({ code: 0, err: noError });
      expect(readdirSync(run).filter((file) => /lock|tmp|\.new/.test(file))).toEqual([]);
      expect(fovea('eval', run, ...engine)).toMatchObject({ code: 0, err: '' });
      expect(fovea('summary', 'lenet')).toMatchObject({ code: 0, err: '' });
    });

    it('a training is converted to the files of Paddle', () => {
      const out = join(folder, `${name}.pdparams`);
      expect(fovea('convert', run, out)).toMatchObject({ code: 0, err: '' });
      expect(existsSync(out)).toBe(true);
    });

    it('without a choice of the engine the portable engine computes', () => {
      const { code, err } = fovea('eval', run);
      expect([code, err]).toEqual([0, expect.stringContaining('portable engine')]);
      expect(fovea('eval', run, '--engine', 'onednn')).toMatchObject({ code: 2 });
    });
  });

  it('setup says which engine computes, and why', () => {
    const { code, out, err } = fovea('setup');
    expect([code, out]).toEqual([0, expect.stringMatching(/^setup: computing with (portable|reference) .*\n$/)]);
    expect(err).toMatch(new RegExp(`^fovea: setup: setup gets oneDNN on Linux alone, and this is ${platform} `));
  });
});
