import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { setThreads } from '../../src/engine/select.js';
import { RunFolder } from '../../src/run/folder.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, type Result, runFovea } from './run.js';

const root = temporaryFolder();
const out = join(root, 'sweep');
let dataDir = '';
let called: Result;

const yaml = (keys: string) => {
  const path = join(root, `${Buffer.from(keys).toString('hex').slice(0, 40)}-${keys.length}.yaml`);
  writeFileSync(path, `model: lenet\ndata: mnist\ndataDir: ${dataDir}\nbatchSize: 10\n${keys}`);
  return path;
};

beforeAll(async () => {
  setThreads(1);
  dataDir = await smallMnist(root, { train: 60, test: 40 });
  const config = yaml(
    'epochs: 2\nlr: { log: [0.001, 1.0e+30] }\nsweep: { trials: 4, asha: { reduction: 2 }, seeds: 2, best: 1, seed: 5 }\n',
  );
  called = await runFovea('sweep', '--config', config, '--out', out);
});

describe('a sweep', () => {
  test('reports the noise, the best recipe on fresh seeds, and what it cannot say', () => {
    expect(called).toMatchObject({ code: 0 });
    expect(called.out).toMatch(/4 trials, about 1\d epochs together/);
    expect(called.out).toMatch(/plain recipe, seed 6 .*accuracy/);
    expect(called.out).toMatch(/The plain recipe has .* over 2 seeds/);
    expect(called.out).toMatch(/Best over 2 fresh seeds: /);
    expect(called.out).toMatch(/trials are too few to say how much lr matters/);
    expect(called.out).toContain('There are no test images');
  });

  test('counts a training that diverges as a result', () => {
    expect(called.out).toMatch(/trial \d+ .*diverged: /);
  });

  test('writes a recipe that can be trained, a page and a summary', async () => {
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    expect(report).toContain('<svg');
    expect(report).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
    expect(summary.plain.values).toHaveLength(2);
    expect(summary.candidates.length).toBeGreaterThanOrEqual(2);
    const best = await runFovea(
      'train',
      '--config',
      join(out, 'best.yaml'),
      '--epochs',
      '1',
      '--out',
      join(root, 'best'),
      '--json',
    );
    expect(best.code).toBe(0);
  });

  test('a promoted trial is a run folder with the bits of one training', async () => {
    const trials = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')).candidates.filter(
      (one: { trial: number }) => one.trial > 0,
    );
    const number = String(trials[0].trial).padStart(4, '0');
    const folder = await RunFolder.open(join(out, 'trials', number));
    expect(folder.history).toHaveLength(2);
    const config = yaml('epochs: 2\n');
    const lr = String(trials[0].values.lr);
    const whole = join(root, 'straight');
    expect((await runFovea('train', '--config', config, '--lr', lr, '--seed', '5', '--out', whole)).code).toBe(0);
    expect((await RunFolder.open(whole)).weightsSha256).toBe(folder.weightsSha256);
  });

  test('that is done reports again when it is resumed, and prints JSON', async () => {
    const { code, out: printed } = await runFovea('sweep', '--resume', out, '--json');
    expect(code).toBe(0);
    const [summary] = linesOf(printed);
    expect(summary).toMatchObject({ event: 'summary', metric: 'accuracy', format: 1 });
  });

  test.each<[string, string, RegExp]>([
    ['a reversed range', 'lr: { log: [0.1, 0.01] }\n', /lr.log: expected the least number first/],
    ['an unknown key', 'lrr: { log: [0.01, 0.1] }\n', /unknown key lrr, did you mean lr\?/],
  ])('refuses %s, and makes no folder', async (_, keys, message) => {
    const path = join(root, 'refused');
    const { code, err } = await runFovea('sweep', '--config', yaml(keys), '--out', path);
    expect([code, existsSync(path)]).toEqual([2, false]);
    expect(err).toMatch(message);
  });

  test('refuses data that are not there once, and makes no folder', async () => {
    const [config, path] = [join(root, 'no data.yaml'), join(root, 'refused')];
    writeFileSync(config, `model: lenet\ndata: mnist\ndataDir: ${join(root, 'nowhere')}\nlr: { log: [0.01, 0.1] }\n`);
    const { code, out: printed, err } = await runFovea('sweep', '--config', config, '--out', path);
    expect([code, printed, existsSync(path)]).toEqual([2, '', false]);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toContain('nowhere');
  });

  test('refuses trainings that can all not begin, with the reason', async () => {
    const path = join(root, 'impossible');
    const config = yaml(
      'epochs: 1\noptimizer: adam\nmomentum: { range: [0.1, 0.5] }\nsweep: { trials: 2, seeds: 2 }\n',
    );
    const { code, out: lines, err } = await runFovea('sweep', '--config', config, '--out', path, '--json');
    expect(code).toBe(2);
    expect(err).toContain('the optimizer adam has none');
    const events = linesOf(lines);
    expect(events.at(0)).toMatchObject({ event: 'sweep', folder: path });
    const ends = events.filter(({ event, kind }) => event === 'end' && kind === 'trial');
    expect(ends.map(({ why }) => why)).toEqual(['refused', 'refused']);
    expect(events.at(-1)).toMatchObject({ event: 'summary', trials: { failed: 2, whole: 0 } });
  });

  test.each([[[]], [['--resume', root]], [['--resume', out, '--out', 'x']]])('refuses %j', async (args) => {
    mkdirSync(root, { recursive: true });
    expect((await runFovea('sweep', ...args)).code).toBe(2);
  });
});
