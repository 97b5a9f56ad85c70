import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/program.js';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { RandomGenerator } from '../../src/random.js';
import type { Decision } from '../../src/run/decision.js';
import { openRun } from '../../src/run/evaluate.js';
import { RunFolder } from '../../src/run/folder.js';
import { type PictureInput, predictFiles } from '../../src/run/predict.js';
import { readPredictions } from '../../src/run/predictions/file.js';
import type { ScreeningMetrics } from '../../src/statistics/index.js';
import { sealed } from '../../src/train/checkpoint/sealed.js';
import { decodeImage } from '../../src/vision/images/decode.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, runFovea } from './run.js';

const root = temporaryFolder();
const pictures = join(root, 'pictures');
const folder = join(root, 'run');

/** Noise around red or blue: easy to distinguish, but not by one pixel. */
async function writePictures(into: string, count: number): Promise<void> {
  const generator = new RandomGenerator(count);
  for (const [name, colour] of Object.entries({ blue: [60, 90, 200], red: [200, 90, 60] })) {
    mkdirSync(join(into, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const data = Uint8Array.from({ length: 3 * 50 * 40 }, (_, at) => colour[at % 3] + generator.int(50) - 25);
      const image = sharp(data, { raw: { width: 50, height: 40, channels: 3 } });
      writeFileSync(join(into, name, `${name}${i}.jpg`), await image.jpeg().toBuffer());
    }
  }
}

const chosenIn = (path: string) => JSON.parse(readFileSync(join(path, 'decision.json'), 'utf8')).choices[0];

const trainNetwork = (name: string, ...args: string[]) =>
  runFovea('train', name, '--size', '40', '--no-cache', '--batch-size', '4', '--lr', '0.01', ...args);
const train = (...args: string[]) => trainNetwork('zoo-shufflenet_v2_x0_25', ...args);

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  await writePictures(pictures, 10);
  const args = ['--data', `folder:${pictures}`, '--hold-out', '0.3', '--epochs', '2', '--seed', '3'];
  const { code, out, err } = await trainNetwork('googlenet', ...args, '--out', folder, '--auxiliary-heads');
  expect(err).not.toContain('fovea:');
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`^GoogLeNet on pictures of ${pictures}\n`));
  expect(out).toContain('14 training and 6 validation images');
  expect(out).toContain(
    'Momentum 0.9, learning rate 0.01, weight decay 0.001, batch size 4, shuffled, 2 epochs, binary',
  );
});

describe('a training on a folder of pictures', () => {
  it('keeps what is needed to repeat it', () => {
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      model: { name: 'googlenet', options: { numClasses: 1, auxiliaryHeads: true }, inputShape: [3, 40, 40] },
      data: {
        name: 'folder',
        location: pictures,
        images: { height: 40, width: 40, order: 'RGB', antialias: false },
        holdOut: { share: 0.3, seed: 3 },
        classNames: ['blue', 'red'],
        train: { images: 14, classCounts: [7, 7], unreadable: [] },
        eval: { images: 6, classCounts: [3, 3] },
      },
      operatingRule: { sensitivity: 0.95 },
    });
    const { operatingPoint, part, images } = chosenIn(folder);
    expect(operatingPoint).toMatchObject({ rule: { sensitivity: 0.95 }, threshold: expect.any(Number) });
    // The validation images chose, which the network was not trained on.
    expect(operatingPoint.chosenOn.sensitivity.total).toBe(3);
    expect([part, images]).toEqual(['validation', 6]);
  });

  it('is evaluated again from the saved files alone, on either part', async () => {
    const [last] = linesOf(readFileSync(join(folder, 'metrics.jsonl'), 'utf8')).slice(-1);
    const evaluated = await runFovea('eval', folder, '--json', '--no-cache');
    expect(evaluated.code).toBe(0);
    const [result] = linesOf(evaluated.out);
    expect(result).toMatchObject({ split: 'validation', images: 6, sameData: true, accuracy: last.evalAccuracy });
    expect(result.loss).toBeCloseTo(last.evalLoss as number, 5);
    expect(result.screening).toMatchObject({ samples: 6, atOperatingPoint: { sensitivity: { total: 3 } } });
    const [training] = linesOf((await runFovea('eval', folder, '--split', 'train', '--json', '--no-cache')).out);
    expect(training).toMatchObject({ split: 'train', images: 14, sameData: true });
  });

  it('writes every prediction of an evaluation to a new table, with the names of the files', async () => {
    const path = join(root, 'predictions.csv');
    const { code, out } = await runFovea('eval', folder, '--no-cache', '--predictions', path);
    expect(code).toBe(0);
    expect(out).toContain(`Every prediction is in ${path}; its record is ${path}.json.`);
    const { files, labels, logits, probabilities, record } = await readPredictions(path);
    expect(files).toHaveLength(6);
    files.forEach((file, i) => {
      expect(file).toMatch(/^(blue|red)\/\w+\.jpg$/);
      expect(file.startsWith(['blue', 'red'][labels[i]])).toBe(true);
      // The network has one output: the logit of the second class.
      expect(logits[2 * i]).toBe(0);
      expect(probabilities[2 * i + 1]).toBeCloseTo(1 / (1 + Math.exp(-logits[2 * i + 1])), 5);
    });
    const { threshold } = chosenIn(folder).operatingPoint;
    expect(record).toMatchObject({ positive: 'red', threshold, samples: 6 });
    const again = await runFovea('eval', folder, '--no-cache', '--predictions', path);
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('choose another --predictions') });
  });

  it('decides by the operating point of the run, in text, JSON and CSV alike', async () => {
    const { threshold } = chosenIn(folder).operatingPoint;
    const json = await runFovea('predict', folder, pictures, '--json');
    const found = linesOf(json.out) as {
      file: string;
      decision: Decision;
      classes: { name: string; probability: number }[];
    }[];
    const rows = (await runFovea('predict', folder, pictures, '--csv')).out.trimEnd().split('\n').slice(1);
    const text = (await runFovea('predict', folder, pictures, '--top', '1')).out;
    found.forEach(({ file, decision, classes }, i) => {
      const red = classes.find(({ name }) => name === 'red')?.probability as number;
      const expected = red >= threshold ? 'red' : 'blue';
      expect(decision).toMatchObject({ class: expected, positiveClass: 'red', threshold, rule: { sensitivity: 0.95 } });
      expect(rows[i].split(',').slice(0, 2)).toEqual([file, expected]);
      expect(text).toMatch(new RegExp(`${basename(file)} +${expected} +\\d.* red [\\d.]+ % (reaches|is below) `));
    });
    expect(text).toContain('the operating point of the run, sensitivity of at least 95 % on the validation images.');
    const [evaluated] = linesOf((await runFovea('eval', folder, '--json', '--no-cache')).out);
    const target = { name: 'sensitivity', wanted: 0.95 };
    expect(evaluated).toMatchObject({ positiveClass: 'red', decision: { threshold, chosenOn: 'validation', target } });
    const shown = (await runFovea('eval', folder, '--no-cache')).out;
    expect(shown).toContain('A picture is taken for red where its probability reaches');
    expect(`${shown}${text}${readFileSync(join(folder, 'report.html'), 'utf8')}`).not.toMatch(/medical|screening/i);
    expect((await runFovea('eval', folder, '--no-cache', '--screening')).out).toContain('no medical device');
  });

  it('takes another positive class, which has no chosen threshold', async () => {
    const [usual] = linesOf((await runFovea('eval', folder, '--json', '--no-cache')).out) as {
      screening: ScreeningMetrics;
    }[];
    const args = ['--positive', 'blue', '--json'];
    const [evaluated] = linesOf((await runFovea('eval', folder, '--no-cache', ...args)).out) as {
      screening: ScreeningMetrics;
    }[];
    expect(evaluated).toMatchObject({
      positiveClass: 'blue',
      decision: { threshold: 0.5, rule: null, chosenOn: null },
    });
    expect(evaluated.screening.atOperatingPoint).toBe(null);
    expect(evaluated.screening.atThreshold.sensitivity.hits).toBe(usual.screening.atThreshold.specificity.hits);
    const [prediction] = linesOf((await runFovea('predict', folder, join(pictures, 'red', 'red0.jpg'), ...args)).out);
    expect(prediction.decision).toMatchObject({ positiveClass: 'blue', threshold: 0.5 });
    const wrong = await runFovea('eval', folder, '--positive', 'reed');
    expect(wrong).toMatchObject({
      code: 2,
      err: expect.stringContaining('expected blue or red, got another name; did'),
    });
  });

  it('of an older version has the threshold of its training pictures in state.json, which eval applies', async () => {
    const old = join(root, 'old');
    cpSync(folder, old, { recursive: true });
    const { operatingPoint } = chosenIn(old);
    rmSync(join(old, 'decision.json'));
    const { sha256: _, ...state } = JSON.parse(readFileSync(join(old, 'state.json'), 'utf8'));
    const point = { ...operatingPoint, threshold: 0.375 };
    writeFileSync(join(old, 'state.json'), sealed({ ...state, operatingPoint: point }));
    const read = await RunFolder.open(old);
    const { total: images } = operatingPoint.chosenOn.accuracy;
    expect(await read.readDecision(read.weightsSha256)).toMatchObject({ part: 'train', images, operatingPoint: point });
    expect(await read.readDecision('0'.repeat(64))).toBe(null);
    const [evaluated] = linesOf((await runFovea('eval', old, '--json', '--no-cache')).out);
    expect(evaluated.decision).toMatchObject({ threshold: 0.375, chosenOn: 'train', positiveClass: 'red' });
    // A newer choice for the same weights counts.
    cpSync(join(folder, 'decision.json'), join(old, 'decision.json'));
    expect(await read.readDecision(read.weightsSha256)).toMatchObject({ part: 'validation', operatingPoint });
  });

  it('is evaluated on other pictures, all of them, by the names of their classes', async () => {
    const other = join(root, 'other');
    await writePictures(other, 4);
    const [result] = linesOf((await runFovea('eval', folder, '--data', `folder:${other}`, '--json', '--no-cache')).out);
    expect(result).toMatchObject({ split: 'all', images: 8, sameData: false });
    const fixes = join(root, 'fixes');
    mkdirSync(fixes);
    writeFileSync(join(fixes, 'exclude.csv'), 'file\nblue/blue0.jpg\n');
    writeFileSync(join(fixes, 'relabel.csv'), 'file,label\nblue/blue1.jpg,red\n');
    const evaluate = (...args: string[]) => runFovea('eval', folder, '--json', '--no-cache', '--fixes', fixes, ...args);
    const [fixed] = linesOf((await evaluate('--data', `folder:${other}`)).out) as { confusion: number[][] }[];
    const truths = fixed.confusion.map(([blue, red]) => blue + red);
    // One of the four blue ones is left out, and one is red.
    expect(truths).toEqual([2, 5]);
    expect(await evaluate()).toMatchObject({ code: 2, err: expect.stringContaining('expected with other data only') });
    writeFileSync(join(fixes, 'relabel.csv'), 'file,label\nblue/blue9.jpg,red\n');
    const unknown = await evaluate('--data', `folder:${other}`);
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('got blue/blue9.jpg') });
    mkdirSync(join(other, 'green'));
    writeFileSync(join(other, 'green', 'a.jpg'), readFileSync(join(other, 'red', 'red0.jpg')));
    const refused = await runFovea('eval', folder, '--data', `folder:${other}`);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('expected blue, red, got green as well') });
  });

  it('classifies files and folders, as a table and as CSV', async () => {
    const shown = await runFovea('predict', folder, join(pictures, 'red', 'red0.jpg'));
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/red0\.jpg +(red|blue) {2}\d/);
    const csv = await runFovea('predict', folder, pictures, '--csv');
    const rows = csv.out.trimEnd().split('\n');
    expect(rows[0]).toBe('file,decision,predicted,probability:blue,probability:red,logit:blue,logit:red,problem');
    expect(rows).toHaveLength(21);
    const broken = join(root, 'broken.jpg');
    writeFileSync(broken, 'no picture');
    const [good, other] = ['red0.jpg', 'red1.jpg'].map((name) => join(pictures, 'red', name));
    const mixed = await runFovea('predict', folder, good, broken, other, '--csv');
    expect(mixed.code).toBe(2);
    const [, first, second, third] = parse(mixed.out) as string[][];
    expect([first, second, third].map(([file]) => file)).toEqual([good, broken, other]);
    expect(second.slice(1, -1).every((cell) => cell === '')).toBe(true);
    expect(second.at(-1)).toMatch(/broken\.jpg: expected/);
    expect([first.at(-1), third.at(-1)]).toEqual(['', '']);
    const out = join(root, 'out.csv');
    expect((await runFovea('predict', folder, pictures, '--csv', '--out', out)).code).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(csv.out);
    const again = await runFovea('predict', folder, pictures, '--csv', '--out', out);
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('expected a new file') });
    expect(readFileSync(out, 'utf8')).toBe(csv.out);
  });
});

describe('predictions from code', () => {
  const picture = join(pictures, 'red', 'red0.jpg');
  const predicted = async (...inputs: PictureInput[]) => {
    const results = [];
    for await (const result of predictFiles(await openRun(folder), inputs, { top: 2 })) results.push(result);
    return results;
  };

  it('take paths, URLs, bytes and pixels alike', async () => {
    const bytes = readFileSync(picture);
    const { data, height, width } = await decodeImage(picture);
    const pixels = { data, height, width, channels: 3, layout: 'HWC' } as const;
    const floats = { ...pixels, data: Float32Array.from(data, (value) => value / 255) };
    const inputs = [picture, pathToFileURL(picture), bytes, new Uint8Array(bytes), pixels, floats];
    const results = await predicted(...inputs, { name: 'mine', picture: bytes });
    const size = bytes.length.toLocaleString('en');
    expect(results.map(({ file }) => file)).toEqual([
      ...[picture, picture, `picture 3 of 7 (${size} bytes)`, `picture 4 of 7 (${size} bytes)`],
      ...['picture 5 of 7 (50×40 pixels)', 'picture 6 of 7 (50×40 pixels)', 'mine'],
    ]);
    const probability = (result: (typeof results)[number]) =>
      'classes' in result ? result.classes[0].probability : NaN;
    for (const result of results) {
      expect(result).toMatchObject({ note: '50×40 to 40×40', classes: [{ name: expect.any(String) }, {}] });
      expect(probability(result)).toBeCloseTo(probability(results[0]), 6);
    }
  });

  it('name what they were given in their errors', async () => {
    const [bytes, floats] = await predicted(Buffer.from('no picture'), {
      ...{ data: new Float32Array(3).fill(-1), height: 1, width: 1, channels: 3, layout: 'HWC' },
    });
    expect(bytes).toMatchObject({
      error: { message: expect.stringMatching(/^\[image\] picture 1 of 2 \(10 bytes\): expected a picture/) },
    });
    expect(floats).toMatchObject({
      error: { message: expect.stringMatching(/picture 2 of 2 \(1×1 pixels\): expected floats from 0 to 1/) },
    });
    await expect(predicted(new URL('https://example.org/a.jpg'))).rejects.toThrow(
      /expected a path or a file: URL, got another/,
    );
    await expect(predicted({ width: 3 } as never)).rejects.toThrow(/picture 1 of 1: expected an image with bytes/);
  });

  it('and from what is piped into the command', async () => {
    const piped = async (contents: Uint8Array, ...args: string[]) => {
      let [out, err] = ['', ''];
      const code = await run(['predict', folder, '-', '--json', ...args], {
        stdout: {
          write: (text: string) => {
            out += text;
          },
        },
        stderr: {
          write: (text: string) => {
            err += text;
          },
        },
        stdin: (async function* () {
          yield contents;
        })(),
      });
      return { code, out, err };
    };
    const { code, out } = await piped(readFileSync(picture), picture);
    expect(code).toBe(0);
    const [first, second] = linesOf(out);
    expect(first).toEqual({ ...second, file: 'standard input' });
    expect(await piped(Buffer.alloc(0))).toMatchObject({
      code: 2,
      err: expect.stringContaining('standard input: expected a picture'),
    });
  });
});

it('pictures keep their proportions where it is asked for, in prediction too', async () => {
  const own = temporaryFolder();
  const wide = join(own, 'wide');
  for (const [name, background] of Object.entries({ blue: '#00f', red: '#f00' })) {
    mkdirSync(join(wide, name), { recursive: true });
    for (let i = 0; i < 3; i++) {
      const image = sharp({ create: { width: 80 + i, height: 40, channels: 3, background } });
      writeFileSync(join(wide, name, `${i}.png`), await image.png().toBuffer());
    }
  }
  const args = ['--data', `folder:${wide}`, '--hold-out', '0.4', '--epochs', '1'];
  const squashed = await train(...args, '--out', join(own, 'squashed'));
  expect(squashed.out).toMatch(/note: 6 of 6 pictures are squashed, as from 8\d×40 to 40×40, so that circles become/);
  const cropped = await train(...args, '--fit', 'crop', '--out', join(own, 'cropped'));
  expect(cropped).toMatchObject({ code: 0 });
  expect(cropped.out).not.toContain('squashed');
  expect(JSON.parse(readFileSync(join(own, 'cropped', 'config.json'), 'utf8')).data.images).toMatchObject({
    fit: 'crop',
  });
  const { out } = await runFovea('predict', join(own, 'cropped'), join(wide, 'red', '0.png'), '--json');
  expect(linesOf(out)[0]).toMatchObject({ note: '80×40 to 40×40 (cropped)' });
  const lenet = await runFovea('train', 'lenet', '--data', 'mnist', '--fit', 'pad', '--out', join(own, 'none'));
  expect(lenet).toMatchObject({ code: 2, err: expect.stringContaining('fit') });
});

describe('pictures that cannot be decoded', () => {
  const spoilt = join(root, 'spoilt');
  const run = join(root, 'run-of-spoilt');
  const usual = ['--data', `folder:${spoilt}`, '--hold-out', '0.25', '--epochs', '1'];

  it('end the training, which leaves no folder if nothing was saved', async () => {
    await writePictures(spoilt, 4);
    writeFileSync(join(spoilt, 'red', 'bad.jpg'), 'no picture');
    const { code, err } = await train(...usual, '--out', run);
    expect(code).toBe(2);
    expect(err).toMatch(
      /bad\.jpg: .*leave it out with --on-bad-image skip; nothing had been saved, so there is no run folder\n/,
    );
    expect(readdirSync(root)).not.toContain('run-of-spoilt');
  });

  it('are left out by eval and --resume as they were in the training', async () => {
    expect(await train(...usual, '--on-bad-image', 'skip', '--out', run)).toMatchObject({ code: 0 });
    const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
    expect(config.data).toMatchObject({
      onBadImage: 'skip',
      train: { unreadable: [{ path: expect.stringContaining('bad.jpg') }] },
    });
    const evaluated = await runFovea('eval', run, '--json', '--no-cache');
    expect(linesOf(evaluated.out)).toMatchObject([{ images: 2, sameData: true, unreadable: [] }]);
    expect(await runFovea('train', '--resume', run, '--no-cache')).toMatchObject({ code: 0 });
    const strict = await runFovea('eval', run, '--no-cache', '--on-bad-image', 'fail', '--split', 'all');
    expect(strict).toMatchObject({ code: 2, err: expect.stringContaining('bad.jpg') });
  });
});

describe('a training that cannot be', () => {
  it.each([
    [['--data', 'folder'], 'expected folder:DIR, got no folder'],
    [['--data', 'folder:nowhere'], '[folder] nowhere: expected a readable folder'],
    [['--data', 'palm:nowhere'], 'import the data set into nowhere first'],
    [['--data', 'mnist'], '[data] mnist: expected no size, since its images have one size'],
    [['--data', `folder:${pictures}`, '--size', '20', '--auxiliary-heads'], 'imageSize: expected'],
    [['--data', `folder:${pictures}`, '--size', '0'], 'expected 1 positive integers'],
    [
      ['--data', `folder:${pictures}`, '--data-dir', 'nowhere'],
      `expected no data folder (nowhere), since the data are in ${pictures}`,
    ],
    [['--data', `folder:${pictures}`, '--hold-out', '0'], 'expected a number between 0 and 1, got 0'],
    [['--data', `folder:${pictures}`, '--operating-point', 'sensitivity=2'], 'expected sensitivity=0.95'],
  ])('%j leaves no folder behind', async (args, message) => {
    const before = readdirSync(root);
    const { code, err } = await trainNetwork('googlenet', ...args, '--out', join(root, 'never'));
    expect(err).toContain(message);
    expect(code).toBe(2);
    expect(readdirSync(root)).toEqual(before);
  });

  it('a folder too far up is refused before the first step, with the right one', async () => {
    await writePictures(join(root, 'deep', 'photos'), 2);
    const { code, err } = await train('--data', `folder:${join(root, 'deep')}`, '--out', join(root, 'never'));
    expect(err).toContain(
      `got one class, photos, whose pictures are in its folders blue and red; give folder:${join(root, 'deep', 'photos')}\n`,
    );
    expect([code, existsSync(join(root, 'never'))]).toEqual([2, false]);
  });

  it('another network than googlenet has no auxiliary heads', async () => {
    const args = ['--data', `folder:${pictures}`, '--size', '40', '--auxiliary-heads'];
    const { code, err } = await runFovea('train', 'resnet50', ...args, '--out', join(root, 'never'));
    expect(err).toContain('[run] auxiliary heads: expected with googlenet only, got them with resnet50');
    expect(code).toBe(2);
  });
});
