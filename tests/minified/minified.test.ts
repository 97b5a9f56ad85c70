import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../bundle.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();
const builds = { plain: join(folder, 'plain.mjs'), minified: join(folder, 'minified.mjs') } as const;
type Build = keyof typeof builds;

/** Runs the training of `training.ts` in a process of its own. */
function train(build: Build, saveDir: string, epochs: number): unknown {
  const results = join(folder, `${saveDir}.json`);
  const { status, stderr } = spawnSync(
    process.execPath,
    [builds[build], join(folder, saveDir), String(epochs), results],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the training ended with ${status}: ${stderr}`);
  return JSON.parse(readFileSync(results, 'utf8'));
}

beforeAll(async () => {
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  for (const [build, path] of Object.entries(builds)) {
    const minify = build === 'minified';
    const entryPoints = ['tests/minified/training.ts'];
    writeFileSync(path, await bundle({ entryPoints, platform: 'node', packages: 'external', minify }));
  }
});

describe('a minified build', () => {
  it('renames classes', () => {
    const named = (build: Build) => /\bMomentum = class\b/.test(readFileSync(builds[build], 'utf8'));
    expect([named('plain'), named('minified')]).toEqual([true, false]);
  });

  it("resumes a plain build's training and the other way round, with the same names in files and messages", () => {
    const expected = train('plain', 'whole', 2);
    expect(expected).toMatchObject({
      losses: [expect.any(Array), expect.any(Array)],
      names: expect.arrayContaining(['batch_norm2d_0.w_0', 'conv2d_0.w_0', 'linear_0.b_0']),
      tree: expect.stringMatching(/^Net\(.*Sequential\(.*Conv2D\(/s),
      error: expect.stringMatching(/^FileError: /),
    });
    for (const [first, second] of [
      ['plain', 'minified'],
      ['minified', 'plain'],
    ] as const) {
      train(first, first, 1);
      expect(train(second, first, 2), `begun by the ${first} build`).toEqual(expected);
    }
  });
});
