import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inFlags } from '../../src/cli/flags.js';
import { option } from '../../src/text/option.js';

it.each([
  [option('out'), '--out'],
  [option('batchSize', '4'), '--batch-size 4'],
  // The name in code is not that of the flag.
  [option('learningRate'), '--lr'],
  [option('maxRatio'), '--max-ratio'],
  [option('transforms', 'Normalize([1,2],[3,4])'), '--transforms "Normalize([1,2],[3,4])"'],
  [option('sampler', 'balanced'), 'sampler: balanced, with --config'],
  [option('clipGradNorm'), 'clipGradNorm, with --config'],
  ['a file `strange` of another program', 'a file `strange` of another program'],
])('%s is spelled %s', (reference, flag) => {
  expect(inFlags(`[run] x: expected y; give ${reference} or leave it`)).toBe(
    `[run] x: expected y; give ${flag} or leave it`,
  );
});

// Some files call programs, or V8, with flags of theirs.
it('no message outside the command line speaks of flags', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      file.endsWith('.ts') && !/^(cli|setup|studio)\b|^(report\/style|io\/files\/npm|platform\/node\.ts)/.test(file),
  );
  const found = files.flatMap((file) => {
    const lines = readFileSync(join('src', file), 'utf8').split('\n');
    return lines
      .filter(
        (line) =>
          !/^\s*(\*|\/\/|\/\*)/.test(line) &&
          /["'`(\s]--[a-z]/.test(line.replaceAll(/var\(--\w+\)|"--a:|&& --/g, '')) &&
          !line.includes('npm install'),
      )
      .map((line) => `${file}: ${line.trim()}`);
  });
  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});
