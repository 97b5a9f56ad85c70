import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { buildPackageWith, runCommands, runProgram } from './package.js';

const root = temporaryFolder();
const preload = resolve('tests/systems/pretend.mjs');
let script = '';
let dataDir = '';

beforeAll(async () => {
  dataDir = await smallMnist(root, { train: 20, test: 10 });
  script = buildPackageWith(join(root, 'package'), { koffi: 'works', sharp: 'works' });
});

/** The packages with native code find no binary for the system. */
describe.each(['win32', 'darwin'])('as if on %s', (platform) => {
  const folder = join(root, platform);
  const system = {
    preload,
    env: { PRETENDED_PLATFORM: platform, HOME: undefined, USERPROFILE: folder, FOVEA_CACHE: join(folder, 'cache') },
  };
  const fovea = (...args: string[]) => runProgram(script, args, system);
  const foveaAll = (commands: readonly string[][]) => runCommands(script, commands, system);

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
    const weights = join(folder, `${name}.pdparams`);
    const engine = ['--engine', name];
    const works = { code: 0, err: expect.not.stringContaining('fovea:') };

    it('a network is trained', () => {
      const options = ['--data-dir', dataDir, ...engine, '--tensorboard'];
      expect(fovea('train', 'lenet', ...options, '--epochs', '1', '--out', run)).toMatchObject(works);
      expect(readdirSync(run)).toContain('report.html');
    });

    it('another process resumes, evaluates, summarizes and converts it, and takes the portable engine without a choice', () => {
      const [chosen, resumed, ...others] = foveaAll([
        ['eval', run],
        ['train', '--resume', run, '--epochs', '2', ...engine],
        ['eval', run, ...engine],
        ['summary', 'lenet'],
        ['convert', run, weights],
      ]);
      expect(resumed).toMatchObject(works);
      expect(readdirSync(run).filter((file) => /lock|tmp|\.new/.test(file))).toEqual([]);
      expect([chosen.code, chosen.err]).toEqual([0, expect.stringContaining('portable engine')]);
      for (const outcome of others) expect(outcome).toMatchObject({ code: 0, err: '' });
      expect(existsSync(weights)).toBe(true);
      expect(fovea('eval', run, '--engine', 'onednn')).toMatchObject({ code: 2 });
    });
  });

  it('setup says which engine computes, and why', () => {
    const { code, out, err } = fovea('setup');
    expect([code, out]).toEqual([0, expect.stringMatching(/^setup: computing with (portable|reference) .*\n$/)]);
    expect(err).toMatch(new RegExp(`^fovea: setup: setup gets oneDNN on Linux alone, and this is ${platform} `));
  });
});
