import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { FileError } from '../../src/errors.js';
import { evaluateRun, openRun, writeEvaluation } from '../../src/run/evaluate.js';
import { readPredictions, recordPath, writePredictions } from '../../src/run/predictions/file.js';
import type { Predictions } from '../../src/run/predictions/predictions.js';
import { Run } from '../../src/run/run.js';
import { float32Text } from '../../src/text/float32.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
const sha256 = 'a'.repeat(64);
const origin = {
  model: 'lenet',
  started: '2026-01-02T03:04:05.000Z',
  weights: [{ which: 'last', sha256 }],
  parts: [{ split: 'validation', images: 3, sha256 }],
  positive: 'x, "y"',
  threshold: 0.5,
  synthetic: false,
} as const;
const made: Predictions = {
  classNames: ['=1+1', 'x, "y"'],
  files: ['a/b;c.png', '=HYPERLINK("x").png', 'd, e.png'],
  splits: ['validation', 'validation', 'test'],
  groups: ['-1', null, 'eye, left'],
  labels: Int32Array.of(0, 1, 1),
  probabilities: Float32Array.of(1, 0, Math.fround(1e-38), 1, 0.3, 0.7),
  logits: Float32Array.of(-0, -1e38, 1.4e-45, 0.1, Math.fround(1 / 3), Number.POSITIVE_INFINITY),
};

async function table(name: string): Promise<string> {
  const path = join(root, name);
  await writePredictions(path, made, { ...origin, weights: [...origin.weights], parts: [...origin.parts] });
  return path;
}

/** Changes a table together with its record, so that its contents are checked and not its digest. */
function rewrite(path: string, change: (text: string) => string, fields: Record<string, unknown> = {}): void {
  const text = change(readFileSync(path, 'utf8'));
  const digest = createHash('sha256').update(text).digest('hex');
  const record = JSON.parse(readFileSync(recordPath(path), 'utf8'));
  writeFileSync(path, text);
  writeFileSync(
    recordPath(path),
    JSON.stringify({ ...record, bytes: Buffer.byteLength(text), sha256: digest, ...fields }),
  );
}

describe('a table of predictions', () => {
  it('reads back equal, bit by bit', async () => {
    const path = await table('equal.csv');
    const { record, ...read } = await readPredictions(path);
    expect(read).toEqual(made);
    expect(Object.is(read.logits[0], -0)).toBe(true);
    expect(record).toMatchObject({ format: 1, samples: 3, classNames: made.classNames, ...origin });
    const [header] = readFileSync(path, 'utf8').split('\n');
    expect(header).toBe(
      'file,split,group,label,predicted,probability:=1+1,"probability:x, ""y""",logit:=1+1,"logit:x, ""y"""',
    );
  });

  it('has no cell that a spreadsheet would run', async () => {
    const text = readFileSync(await table('formula.csv'), 'utf8');
    expect(text).not.toMatch(/(^|,)"?=/m);
  });

  it('is refused if it is missing, cut, edited, without its record, or made by other weights', async () => {
    const path = await table('bad.csv');
    const text = readFileSync(path, 'utf8');
    const refused = (message: string, options = {}) =>
      expect(readPredictions(path, options)).rejects.toThrow(
        expect.objectContaining({ name: 'FileError', message: expect.stringContaining(message) }),
      );
    await refused('expected the predictions of these weights (sha256 bbbb', { weightsSha256: 'b'.repeat(64) });
    writeFileSync(path, text.slice(0, -20));
    await refused('the file was cut or edited');
    writeFileSync(path, text.replace('0.7', '0.8'));
    await refused('it was edited, or saved by a program that rounds');
    writeFileSync(path, text);
    rmSync(recordPath(path));
    await refused(`${recordPath(path)}: expected the record that belongs to`);
    rmSync(path);
    await refused('expected a table of predictions, got ENOENT');
  });

  it.each([
    ['a probability that is no number', (text: string) => text.replace('0.3,0.7', 'NaN,NaN'), "in row 4, got 'NaN'"],
    [
      'a probability beyond 1',
      (text: string) => text.replace('0.3,0.7', '0.3,1.7'),
      'expected probabilities from 0 to 1',
    ],
    ['another class', (text: string) => text.replace("validation,-1,'=1+1", 'validation,-1,z'), 'a label among'],
    [
      'a class that is not the most probable',
      (text: string) => text.replace('0.3,0.7', '0.7,0.3'),
      'the most probable',
    ],
    ['a missing cell', (text: string) => text.replace('0.3,0.7,', '0.7,'), 'expected 9 cells in row 4, got 8'],
    ['a missing row', (text: string) => text.split('\n').slice(0, -2).join('\n'), 'expected 3 rows, got 2'],
    ['other columns', (text: string) => text.replace('file,', 'path,'), 'expected the columns file,split'],
  ])('is refused for %s', async (_, change, message) => {
    const path = await table('row.csv');
    rewrite(path, change);
    await expect(readPredictions(path)).rejects.toThrow(FileError);
    await expect(readPredictions(path)).rejects.toThrow(message);
  });

  it('of a later version is refused by its record', async () => {
    const path = await table('later.csv');
    rewrite(path, (text) => text, { format: 2 });
    await expect(readPredictions(path)).rejects.toThrow('belongs to another version of Fovea');
  });
});

it('the text of a float32 reads back as the same number and has no digits too many', () => {
  const words = new Uint32Array(1);
  const floats = new Float32Array(words.buffer);
  for (let i = 0; i < 20_000; i++) {
    words[0] = Math.imul(i + 1, 0x9e3779b1);
    const text = float32Text(floats[0]);
    expect(Math.fround(Number(text))).toBe(floats[0]);
  }
  expect([0.1, 1 / 3, -2.5].map((x) => float32Text(Math.fround(x)))).toEqual(['0.1', '0.33333334', '-2.5']);
});

describe('a run', () => {
  let folder = '';
  let dataDir = '';
  beforeAll(async () => {
    setEngine('onednn');
    setThreads(1);
    dataDir = await smallMnist(root, { train: 100, test: 50 });
    const changes = { epochs: 1, batchSize: 10 };
    const run = await Run.create({ model: 'lenet', data: 'mnist', out: join(root, 'run'), dataDir, changes });
    await run.train();
    folder = run.folder.path;
  });

  it('keeps every prediction of its validation images, equal to those of an evaluation', async () => {
    const run = await openRun(folder);
    const { weightsSha256 } = run;
    const { record, ...kept } = await readPredictions(join(folder, 'predictions.csv'), { weightsSha256 });
    const result = await evaluateRun(run, { dataDir, batchSize: 100 });
    expect(kept.labels).toEqual(result.labels);
    expect(kept.files[17]).toBe('test image 17');
    expect(new Set(kept.splits)).toEqual(new Set(['validation']));
    const { data } = run.folder.config;
    expect(record).toMatchObject({
      model: 'lenet',
      weights: [{ which: 'last', sha256: weightsSha256 }],
      parts: [{ split: 'validation', images: 50, sha256: data.eval.sha256 }],
    });
    const path = join(root, 'evaluated.csv');
    await writeEvaluation(path, run, result);
    const { record: _, ...again } = await readPredictions(path);
    expect(again).toEqual(result.predictions);
    kept.probabilities.forEach((p, i) => {
      expect(again.probabilities[i]).toBeCloseTo(p, 5);
    });
    expect(result.outputs).toHaveLength(500);
    const softmax = (i: number) => {
      const own = Array.from(kept.logits.subarray(10 * i, 10 * i + 10), Math.exp);
      return own.map((x) => x / own.reduce((sum, y) => sum + y));
    };
    softmax(3).forEach((p, c) => {
      expect(kept.probabilities[30 + c]).toBeCloseTo(p, 5);
    });
  });

  it('whose predictions are gone writes them again when it is resumed', async () => {
    const path = join(folder, 'predictions.csv');
    const before = readFileSync(path, 'utf8');
    rmSync(path);
    await (await Run.resume(folder, { dataDir })).train();
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(existsSync(recordPath(path))).toBe(true);
  });
});
