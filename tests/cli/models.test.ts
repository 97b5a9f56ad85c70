import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { modelFacts } from '../../src/measure/modelFacts.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, runFovea } from './run.js';

const root = temporaryFolder();

beforeEach(() => {
  vi.stubEnv('FOVEA_CACHE', root);
});

test('parameters and operations are those that are published', () => {
  // https://docs.pytorch.org/vision/stable/models.html lists parameters and GFLOPS for 1000 classes.
  expect(modelFacts('zoo-resnet18')).toMatchObject({ parameters: 11_689_512, classes: 1000, weights: 'to download' });
  expect(modelFacts('zoo-resnet18').macs / 1e9).toBeCloseTo(1.81, 2);
  expect(modelFacts('zoo-vgg16')).toMatchObject({ parameters: 138_357_544 });
  expect(modelFacts('zoo-vgg16').macs / 1e9).toBeCloseTo(15.47, 2);
  expect(modelFacts('efficientnet_b0').macs / 1e9).toBeCloseTo(0.39, 2);
});

test('a pattern selects networks, also in JSON', async () => {
  const { code, out } = await runFovea('models', 'resnet*');
  expect(code).toBe(0);
  expect(out).toMatch(/zoo-resnet50\s+25,\S+\s+4\.\d+ G\s+3×224×224\s+to download\s+–/);
  expect(out).not.toContain('vgg');
  const { out: lines } = await runFovea('models', 'lenet*', '--json');
  expect(linesOf(lines).map(({ name }) => name)).toEqual(['lenet', 'lenet224', 'zoo-lenet']);
});

test('speeds are measured on demand and kept; a damaged file has none', async () => {
  const measured = await runFovea('models', 'zoo-lenet', '--measure', '--steps', '1', '--json');
  expect(measured.code).toBe(0);
  const [{ speed }] = linesOf(measured.out) as { speed: { train: number; predict: number } }[];
  expect(speed.train).toBeGreaterThan(0);
  const [again] = linesOf((await runFovea('models', 'zoo-lenet', '--json')).out);
  expect(again.speed).toEqual(speed);
  writeFileSync(join(root, 'model-speeds.json'), '{"format":');
  const [damaged] = linesOf((await runFovea('models', 'zoo-lenet', '--json')).out);
  expect(damaged.speed).toBeNull();
  rmSync(join(root, 'model-speeds.json'));
});

test('a pattern that matches nothing is refused with the nearest name', async () => {
  const { code, err } = await runFovea('models', 'resnnet18');
  expect(code).toBe(2);
  expect(err).toContain('did you mean zoo-resnet18?');
});
