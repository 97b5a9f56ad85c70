import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { buildPackage } from './compiled.js';
import { temporaryFolder } from './temporary.js';
import { cifar10Files, cifarArchive } from './vision/datasets/cifarFiles.js';

const root = temporaryFolder();

test("the course's fourteen lines run as written, and know what is done when they are called again", async () => {
  // Within the package, `fovea` is the package itself.
  buildPackage(root);
  const { outputText } = ts.transpileModule(readFileSync('examples/cifar10.ts', 'utf8'), {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  const script = join(root, 'cifar10.mjs');
  writeFileSync(script, outputText);
  const archive = join(root, 'small.tar.gz');
  writeFileSync(archive, cifarArchive('cifar-10-batches-py', cifar10Files()));
  const cwd = join(root, 'work');
  mkdirSync(cwd);
  const run = (epochs: string) =>
    new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      const child = spawn(process.execPath, [script, archive, epochs], {
        cwd,
        env: { ...process.env, FOVEA_DEBUG: '' },
      });
      const text = { out: '', err: '' };
      child.stdout.on('data', (part) => {
        text.out += part;
      });
      child.stderr.on('data', (part) => {
        text.err += part;
      });
      child.on('close', (code) => resolve({ code, ...text }));
    });
  // The small archive has three images for evaluation.
  const missing = /^\[fit\] evalData: no validation samples of automobile, .*\n/;
  const first = await run('1');
  expect([first.code, first.err]).toEqual([0, expect.stringMatching(missing)]);
  const metrics = String.raw`loss: \d+\.\d{4} - acc_top1: \d\.\d{4}(e\+00)? - acc_top5: \d\.\d{4} - \d+(s|ms)/step`;
  expect(first.out).toMatch(new RegExp(`Epoch 1/1\nstep 1/1 - ${metrics}\nEval begin...\nstep 1/1 - ${metrics}\nEval`));
  expect(readdirSync(join(cwd, 'output'))).toEqual(
    expect.arrayContaining(['epoch-1.safetensors', 'final.safetensors']),
  );
  // A finished training stays finished.
  const second = await run('1');
  expect([second.code, second.err]).toEqual([0, expect.stringMatching(new RegExp(`${missing.source}$`))]);
  expect(second.out).not.toContain('step');
});
