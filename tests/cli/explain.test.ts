import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { setThreads } from '../../src/engine/select.js';
import { RandomGenerator } from '../../src/random.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, runFovea } from './run.js';

const root = temporaryFolder();
const pictures = join(root, 'pictures');
const [grey, color] = [join(root, 'lenet'), join(root, 'googlenet')];

/** Noise around red or blue. */
async function writePictures(count: number): Promise<void> {
  const generator = new RandomGenerator(count);
  for (const [name, colour] of Object.entries({ blue: [20, 40, 200], red: [200, 40, 20] })) {
    mkdirSync(join(pictures, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const data = Uint8Array.from({ length: 3 * 40 * 40 }, (_, at) => colour[at % 3] + generator.int(20));
      await sharp(data, { raw: { width: 40, height: 40, channels: 3 } })
        .png()
        .toFile(join(pictures, name, `${name}${i}.png`));
    }
  }
}

const train = async (model: string, out: string, ...args: string[]) => {
  const data = ['--data', `folder:${pictures}`, '--hold-out', '0.3', '--epochs', '1', '--seed', '3', '--no-cache'];
  const { code, err } = await runFovea('train', model, ...data, '--batch-size', '4', ...args, '--out', out);
  expect(err).not.toContain('fovea:');
  expect(code).toBe(0);
};

beforeAll(async () => {
  setThreads(1);
  await writePictures(6);
  await train('lenet', grey);
  await train('googlenet', color, '--size', '40', '--order', 'BGR');
});

describe('explain', () => {
  it('writes picture, map and both over one another, and says what it explains', async () => {
    const out = join(root, 'first');
    const { code, out: text } = await runFovea('explain', color, join(pictures, 'red', 'red0.png'), '--out', out);
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['red0-map.png', 'red0-overlay.png', 'red0-picture.png']);
    expect(text).toContain('gradcam of the layer block5_2.');
    expect(text).toContain('--check tests it');
    for (const name of readdirSync(out)) {
      expect(await sharp(join(out, name)).metadata()).toMatchObject({ width: 40, height: 40 });
    }
    // The network reads blue first; people see the picture as it is.
    const { channels } = await sharp(join(out, 'red0-picture.png')).stats();
    expect(channels[0].mean).toBeGreaterThan(150);
    expect(channels[2].mean).toBeLessThan(80);
  });

  it.each(['gradcam', 'hirescam', 'layercam', 'integrated-gradients', 'occlusion'])('knows %s', async (method) => {
    const out = join(root, method);
    const file = join(pictures, 'blue', 'blue1.png');
    const args = [file, '--method', method, ...(method === 'gradcam' ? ['--check'] : [])];
    const { code, out: text } = await runFovea('explain', grey, ...args, '--json', '--out', out);
    expect(code).toBe(0);
    const [line] = linesOf(text);
    expect(line.check === null).toBe(method !== 'gradcam');
    expect(line).toMatchObject({ file, method, layer: method.endsWith('cam') ? 'conv2' : null, width: 28, height: 28 });
    expect(['blue', 'red']).toContain(line.class);
    expect(existsSync((line.files as { overlay: string }).overlay)).toBe(true);
  });

  it('tests a map, and compares it with that of another training', async () => {
    const args = [join(pictures, 'red', 'red0.png'), '--check', '--other', grey, '--out', join(root, 'checked')];
    const { code, out } = await runFovea('explain', grey, ...args, '--method', 'occlusion');
    expect(code).toBe(0);
    expect(out).toMatch(/layers randomized, from the output on: fc2 -?[01]\.\d\d, fc1 /);
    expect(out).toMatch(/covering: probability [\d.]+ % by the map, [\d.]+ % at random, [\d.]+ % from the centre/);
    expect(out).toContain("correlation with the other training's map: 1.00");
    expect(out).toMatch(/The map passes|Do not trust the map/);
  });

  it('explains a class against another, in a table for programs', async () => {
    const args = [join(pictures, 'red'), '--class', 'red', '--against', 'blue', '--csv', '--out', join(root, 'table')];
    const { code, out } = await runFovea('explain', grey, ...args);
    expect(code).toBe(0);
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
    expect(rows).toHaveLength(7);
    expect(rows[0].slice(0, 4)).toEqual(['file', 'class', 'against', 'predicted']);
    for (const row of rows.slice(1)) expect(row.slice(1, 3)).toEqual(['red', 'blue']);
  });

  it('puts maps into the report of the run, in place of earlier ones', async () => {
    const report = join(grey, 'report.html');
    const before = readFileSync(report, 'utf8');
    const explain = (name: string, ...args: string[]) =>
      runFovea('explain', grey, join(pictures, name), ...args, '--report', '--out', join(root, `reported-${name}`));
    expect((await explain('red', '--check', '--method', 'occlusion')).code).toBe(0);
    expect(readFileSync(report, 'utf8')).toMatch(/The map passes|Do not trust the map/);
    const { code, out } = await explain('blue', '--class', 'blue');
    expect([code, out]).toEqual([0, expect.stringContaining('in the report of the run too')]);
    const page = readFileSync(report, 'utf8');
    const section = /<section id="explanations">.*?<\/section>/s.exec(page)?.[0] ?? '';
    expect(section.match(/<img/g)).toHaveLength(3 * 6);
    expect(section).toContain('gradcam of the layer conv2');
    expect(section).not.toContain('red0.png');
    const link = '<li><a href="#explanations">Explanations</a></li>';
    expect(page.replace(section, '').replace(link, '')).toBe(before);
    // A run that is still training has none.
    rmSync(join(color, 'report.html'));
    const refused = await runFovea('explain', color, join(pictures, 'red'), '--report', '--out', join(root, 'none'));
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('expected a run with a report')]);
    expect(existsSync(join(root, 'none'))).toBe(false);
  });

  it.each([
    [['--class', 'rad'], "class: expected blue, red, got 'rad'; did you mean 'red'?"],
    [['--class', 'red', '--against', 'red'], 'against: expected another class than red, got the same'],
    [['--layer', 'fc1'], "choose 'maxPool2' or an earlier layer"],
    [['--layer', 'conv9'], "expected names of layers of the network, got 'conv9'"],
    [['--layer', 'conv2', '--method', 'occlusion'], 'occlusion needs no layer'],
    [['--patch', '3'], 'patches cover pictures with --method occlusion only'],
    [['--steps', '3'], 'steps belong to --method integrated-gradients'],
    [['--other', color], 'only --check compares the maps of two trainings'],
    [['--check', '--other', color], 'give a training that differs in its seed alone'],
    [['--method', 'magic'], 'gradcam'],
    [['--csv', '--json'], 'expected --csv or --json, got both'],
  ])('refuses %j', async (args, message) => {
    const out = join(root, 'refused');
    const { code, err } = await runFovea('explain', grey, join(pictures, 'red', 'red0.png'), ...args, '--out', out);
    expect(err).toContain(message);
    expect(code).toBe(2);
    expect(existsSync(out)).toBe(false);
  });

  it('keeps what is there, and names pictures that cannot be read', async () => {
    const full = join(root, 'full');
    mkdirSync(full);
    const there = await runFovea('explain', grey, join(pictures, 'red', 'red0.png'), '--out', full);
    expect([there.code, there.err]).toEqual([2, expect.stringContaining('expected a new folder')]);
    const broken = join(root, 'broken.png');
    writeFileSync(broken, 'no picture');
    const out = join(root, 'partly');
    const { code, err } = await runFovea('explain', grey, broken, join(pictures, 'red', 'red0.png'), '--out', out);
    expect([code, readdirSync(out).length]).toEqual([2, 3]);
    expect(err).toContain('broken.png');
  });
});

describe('features', () => {
  it('writes filters, channels, a map, and pictures layer by layer with their neighbours', async () => {
    const out = join(root, 'features');
    const file = join(pictures, 'red', 'red0.png');
    const { code, out: text } = await runFovea('features', color, file, '--layers', 'conv1,fc', '--out', out);
    expect([code, text]).toEqual([2, '']);
    const args = ['--layers', 'block5_2,conv1', '--neighbours', '3', '--split', 'train', '--out', out];
    const done = await runFovea('features', color, file, ...args);
    expect(done.err).toBe('');
    expect(done.code).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      ...['channels.csv', 'filters.png', 'map.csv', 'map.png', 'neighbours.csv'],
      ...['red0-block5_2.png', 'red0-conv1.png', 'red0-neighbours.png', 'red0-picture.png'],
    ]);
    expect(done.out).toContain('64 filters of 7×7 in the layer conv1');
    expect(done.out).toMatch(/PCA of the last features of 8 images, \d+ % of the variance/);
    expect(done.out).toMatch(/red0\.png: (red|blue), [\d.]+ %; nearest training images: /);
    const [head, ...rows] = parse(readFileSync(join(out, 'neighbours.csv')));
    expect(head).toEqual(['picture', 'rank', 'image', 'class', 'distance']);
    expect(rows).toHaveLength(3);
    // Noise around one colour: red pictures are nearest to red ones.
    expect(rows.map(([, , , named]) => named)).toEqual(['red', 'red', 'red']);
    expect(
      parse(readFileSync(join(out, 'channels.csv')))
        .slice(1)
        .filter(([layer]) => layer === 'conv1'),
    ).toHaveLength(64);
    // Eight filters in a row, of 7×7 pixels that are 14 wide, and nine gaps of 2.
    expect(await sharp(join(out, 'filters.png')).metadata()).toMatchObject({ width: 8 * 98 + 9 * 2, channels: 3 });
  });

  it('prints lines for programs, names unreadable pictures, and refuses what has no effect', async () => {
    const bad = join(root, 'bad.png');
    writeFileSync(bad, 'no picture');
    const good = join(pictures, 'blue', 'blue1.png');
    const args = ['--json', '--neighbours', '0', '--map', 'umap', '--split', 'train'];
    const { code, out, err } = await runFovea('features', grey, good, bad, ...args, '--out', join(root, 'lines'));
    expect(code).toBe(2);
    expect(err).toContain('bad.png');
    const lines = linesOf(out);
    expect(lines.map(({ kind }) => kind)).toEqual([
      ...['filters', 'layer', 'layer', 'layer', 'layer', 'map'],
      ...[undefined, 'picture'],
    ]);
    expect(lines.at(-1)).toMatchObject({ file: good, maps: { conv1: expect.any(String), conv2: expect.any(String) } });
    expect(existsSync(join(root, 'lines', 'neighbours.csv'))).toBe(false);
    const near = await runFovea('features', grey, good, '--json', '--neighbours', '1', '--out', join(root, 'near'));
    expect(linesOf(near.out).at(-1)).toMatchObject({ neighbours: [{ name: expect.any(String) }] });
    for (const [wrong, message] of [
      [['--neighbours', '2'], 'neighbours are those of pictures, and none is given'],
      [['--layers', 'conv9'], "got 'conv9'; did you mean"],
      [['--out', join(root, 'lines')], 'expected a new folder'],
    ] as const) {
      const refused = await runFovea('features', grey, '--out', join(root, 'never'), ...wrong);
      expect([refused.code, refused.err]).toEqual([2, expect.stringContaining(message)]);
      expect(existsSync(join(root, 'never'))).toBe(false);
    }
  });
});
