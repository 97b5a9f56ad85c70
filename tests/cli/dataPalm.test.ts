import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/program.js';
import { buildProgram } from '../compiled.js';
import { itWith } from '../needs.js';
import { temporaryFolder } from '../temporary.js';
import {
  makeLabelsZip,
  makeTrainingZip,
  makeValidationZip,
  pictureParts,
  type SheetRow,
  sheet,
  tree,
} from '../vision/palm/archives.js';
import { halfJpeg, jpeg } from '../vision/pictures.js';
import { makeZip, type ZipPart } from '../zipWriter.js';
import { runFovea } from './run.js';

const base = temporaryFolder();
const home = process.cwd();
const goldens = fileURLToPath(new URL('../goldens/pictures', import.meta.url));
let training: ZipPart[];
let validation: ZipPart[];
let folder: string;
let data: string;
let out: string;
let number = 0;

beforeAll(async () => {
  training = await pictureParts(['P0001', 'P0002', 'N0001', 'H0001']);
  validation = await pictureParts(['V0001', 'V0002', 'V0003']);
});

beforeEach(() => {
  folder = join(base, `${number++}`);
  data = join(folder, 'data');
  out = join(folder, 'out');
  write('data/training.zip', makeTrainingZip(training));
  write('data/validation.zip', makeValidationZip(validation));
  write('data/valid_gt.zip', makeLabelsZip());
});

afterAll(() => process.chdir(home));

function write(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
  return path;
}

const importInto = (target: string, ...args: string[]) =>
  runFovea('data', 'palm', 'import', data, '--out', target, '--no-cache', ...args);
const importData = (...args: string[]) => importInto(out, ...args);
const show = (...args: string[]) => runFovea('data', 'palm', 'show', ...args);

/** The message of an import that is refused: exit code 2, one line, no source altered, nothing left half done. */
async function refusal(...args: string[]): Promise<string> {
  const before = tree(data);
  const { code, out: text, err } = await importData(...args);
  const lines = err.split('\n').filter((line) => line.startsWith('fovea:'));
  expect([code, text, lines.length]).toEqual([2, '', 1]);
  expect(tree(data)).toEqual(before);
  const left = existsSync(out) ? readdirSync(out, { recursive: true, encoding: 'utf8' }) : [];
  expect(left.filter((name) => name === 'palm.json' || /(^|\/)\./.test(name))).toEqual([]);
  return lines[0];
}

describe('import', () => {
  it('says what it found, and what to do next', async () => {
    const { code, out: text, err } = await importData();
    expect(code).toBe(0);
    expect(err).toMatch(/^import {2}2\/7 pictures .*\nimport {2}7 pictures {2}\d+\.\d s {2}.*\/s\n$/);
    expect(text).toContain(`iChallenge-PM in ${out}\n  pictures           7 copied, 0 there already\n`);
    expect(text).toMatch(/\n {2}training sha256 {4}[0-9a-f]{64}\n {2}validation sha256 {2}[0-9a-f]{64}\n/);
    expect(text).toMatch(/\n {2}training +4 {3}2 {7}2 {2}H \(highly myopic\) 1, N \(normal\) 1, P \(pathologic\) 2\n/);
    expect(text).toMatch(/\n {2}validation +3 {3}2 {7}1 {2}V \(validation\) 3\n/);
    expect(text).toMatch(/\n {2}8×6 +unknown +7 {2}57\.1 % {2}25\.0 % to 84\.2 %\n/);
    expect(text).toContain('\n  Note: expected 400 train pictures, got 4\n');
    expect(text.endsWith(` train resnet50 --data palm:${out}\n`)).toBe(true);
    expect(text).not.toContain('SYNTHETIC');
    const again = await importData();
    expect(again.out).toContain('0 copied, 7 there already');
  });

  it('says what is missing in place of a training, and what was left out', async () => {
    rmSync(join(data, 'training.zip'));
    write('data/training (1).zip', makeTrainingZip(training));
    write('data/mine.zip', makeTrainingZip(training));
    write(
      'data/P0005.png',
      await sharp(training[0].data as Uint8Array)
        .png()
        .toBuffer(),
    );
    rmSync(join(data, 'validation.zip'));
    rmSync(join(data, 'valid_gt.zip'));
    const { code, out: text } = await importData();
    expect(code).toBe(0);
    expect(text).toMatch(/\n {2}training +4 /);
    expect(text).toContain('Note: left out pictures that are named otherwise: data/P0005.png\n');
    expect(text).toContain('Note: left out archives that are named otherwise: data/mine.zip; name them in the call');
    expect(text).toMatch(/Continue with:\n {2}.* data palm import validation\.zip valid_gt\.zip --out /);
    rmSync(join(data, 'training (1).zip'));
    expect((await importInto(join(folder, 'other'))).err).toMatch(
      /got none among 1 files; not opened: data\/mine\.zip; give/,
    );
  });

  it('reports drawn pictures, and sizes that give the label away', async () => {
    write('data/SYNTHETIC.txt', 'drawn');
    for (let i = 10; i < 40; i++) {
      const [name, edge] = i < 25 ? [`P00${i}`, 8] : [`N00${i}`, 12];
      write(`data/${name}.jpg`, await jpeg(name, edge, 8));
    }
    const { out: text } = await importData();
    expect(text).toContain('\nSYNTHETIC: drawn by a program');
    expect(text).toMatch(/\n {2}Note: 100\.0 % of the pictures of 8×8 pixels are PM, .* the camera instead of the dis/);
    expect(text).toMatch(/\n {2}Note: 0\.0 % of the pictures of 12×8 pixels are PM/);
  });

  it('prints one object with --json, and nothing else', async () => {
    const { code, out: text, err } = await importData('--json', '--max-bytes', '1.5 GB', '--workers', '0');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(text)).toMatchObject({
      folder: out,
      synthetic: false,
      train: { images: 4, pathologic: 2, byPrefix: { H: 1, N: 1, P: 2 } },
      quarantine: [],
      copied: 7,
      next: expect.stringMatching(/ train resnet50 --data palm:/),
    });
  });

  it('stops at Ctrl-C with 130, and continues from there', async () => {
    let err = '';
    const stderr = {
      write: (text: string) => {
        err += text;
        if (text.startsWith('import  2/7')) process.emit('SIGINT', 'SIGINT');
      },
    };
    const stdout = { write: (text: string) => expect(text).toBe('') };
    const args = ['data', 'palm', 'import', data, '--out', out, '--no-cache'];
    expect(await run(args, { stdout, stderr })).toBe(130);
    expect(err).toContain('fovea: Ctrl-C: finishing the pictures at hand; once more ends at once\n');
    expect(err.endsWith('fovea: stopped; the same command continues the import\n')).toBe(true);
    expect(existsSync(join(out, 'palm.json'))).toBe(false);
    const { code, out: text } = await importData();
    expect(code).toBe(0);
    expect(text).toMatch(/ [1-5] copied, [2-6] there already\n/);
  });

  it('refuses options without sense', async () => {
    for (const size of ['0', 'much', '-1', '8XiB', '1e400', '99999999999999TB']) {
      const { code, err } = await importData(`--max-bytes=${size}`);
      expect([code, err]).toEqual([2, expect.stringMatching(/--max-bytes <size>' .* such as 500MB or 8GiB\n$/)]);
    }
    for (const args of [
      ['--max-ratio', '0'],
      ['--max-entries', 'x'],
      ['--workers', '-1'],
      ['--on-bad-image', 'x'],
    ]) {
      expect((await importData(...args)).code).toBe(2);
    }
    expect(await refusal('--workers', '65')).toMatch(/numWorkers: expected an integer from 0 to 64, got 65/);
    expect((await runFovea('data', 'palm', 'import', '--out', out)).err).toMatch(/missing required argument 'source'/);
    expect((await runFovea('data', 'palm', 'import', data)).err).toMatch(/'--out <dir>' not specified/);
  });
});

describe('archives and labels that are refused', () => {
  const rows = (change: (row: SheetRow) => SheetRow) => () =>
    write('data/valid_gt.zip', makeLabelsZip(sheet.map(change)));
  const trainingOf = (...parts: ZipPart[]) => write('data/training.zip', makeTrainingZip(parts));

  it.each<[string, () => unknown, RegExp, ...string[]]>([
    [
      'a file that is no archive',
      () => write('data/training.zip', 'no zip'),
      /data\/training\.zip: expected an intact/,
    ],
    [
      'half an archive',
      () => write('data/training.zip', makeTrainingZip(training).subarray(0, 700)),
      /data\/training\.zip: expected an intact zip archive/,
    ],
    [
      'an archive with a damaged piece',
      () => trainingOf({ ...training[0], crc32: 1 }),
      /P0001\.jpg: expected checksum 00000001.*get the archive again/,
    ],
    [
      'a password',
      () => trainingOf({ ...training[0], encrypted: true, stored: false }),
      /P0001\.jpg: expected contents without a password.*unpack it yourself/,
    ],
    [
      'a bomb by its ratio',
      () => trainingOf({ name: 'P0001.jpg', data: new Uint8Array(2 ** 22) }),
      /training\.zip.*: expected at most 7 times its packed size/,
      '--max-ratio',
      '7',
    ],
    ['a bomb by its bytes', () => {}, /: expected at most 2048 bytes unpacked in all/, '--max-bytes', '2KiB'],
    ['a bomb by its files', () => {}, /\.zip: expected at most 3 files/, '--max-entries', '3'],
    [
      'a name that leads out',
      () => write('data/validation.zip', makeZip([{ ...validation[0], name: '../../V0001.jpg' }])),
      /data\/validation\.zip: .*invalid relative path: \.\.\/\.\.\/V0001\.jpg/,
    ],
    [
      'an absolute name',
      () => write('data/validation.zip', makeZip([{ ...validation[0], name: '/tmp/V0001.jpg' }])),
      /data\/validation\.zip: .*absolute path: \/tmp\/V0001\.jpg/,
    ],
    [
      'a drive in a name',
      () => write('data/validation.zip', makeZip([{ ...validation[0], name: 'C:\\V0001.jpg' }])),
      /data\/validation\.zip: .*absolute path/,
    ],
    [
      'a symbolic link',
      () => trainingOf({ name: 'P0001.jpg', data: '/etc/passwd', mode: 0o120777 }),
      /P0001\.jpg: expected a file, got a symbolic link/,
    ],
    ['no labels', () => rmSync(join(data, 'valid_gt.zip')), /got none for .*V0001\.jpg.*; give valid_gt\.zip/],
    [
      'a missing label',
      () => write('data/valid_gt.zip', makeLabelsZip(sheet.slice(0, 3))),
      /got none for .*validation\.zip.*V0003\.jpg/,
    ],
    [
      'a doubled label',
      () => write('data/valid_gt.zip', makeLabelsZip([...sheet, [4, 'V0002.jpg', 1]])),
      /xlsx: .*got row 5 \(V0002\.jpg\): as in row 3 already/,
    ],
    [
      'columns of other names',
      rows((row) => row.map((cell) => (cell === 'Label' ? 'Grade' : cell))),
      /xlsx: expected one column with the labels \(Label\), got columns ID, imgName, Grade/,
    ],
    [
      'labels of another kind',
      rows((row) => row.map((cell) => (cell === 1 ? 'yes' : cell))),
      /label 'yes' instead of 0/,
    ],
    [
      'an unknown letter',
      () => trainingOf(...training, { ...training[0], name: 'X0001.jpg' }),
      /names that begin with P, H, N .*got .*X0001\.jpg; leave out/,
    ],
    [
      'a class without pictures',
      () => trainingOf(...training.slice(2)),
      /expected train pictures with and without pathologic myopia, got none with it among 2/,
    ],
  ])('%s', async (_, spoil, message, ...args) => {
    spoil();
    expect(await refusal(...args)).toMatch(message);
    // Whole archives and tables are no single pictures.
    expect(await refusal(...args, '--on-bad-image', 'skip')).toMatch(message);
    expect(existsSync(join(folder, 'V0001.jpg'))).toBe(false);
  });

  it('but not columns in another order', async () => {
    rows(([id, name, label, x, y]) => [y, label, x, name, id])();
    const { code, out: text } = await importData('--json');
    expect([code, JSON.parse(text).validation]).toEqual([0, { images: 3, pathologic: 2, byPrefix: { V: 3 } }]);
  });
});

/** A JPEG whose header says that it has so many pixels in each direction. */
async function claiming(edge: number): Promise<Buffer> {
  const bytes = Buffer.from(await jpeg('P0003'));
  const at = bytes.indexOf(Buffer.from([0xff, 0xc0])) + 5;
  bytes.writeUInt16BE(edge, at);
  bytes.writeUInt16BE(edge, at + 2);
  return bytes;
}

describe('single pictures', () => {
  it.each<[string, () => Promise<Uint8Array> | Uint8Array, RegExp]>([
    ['no picture at all', () => Buffer.from('no picture'), /expected a picture .*begins with 6e 6f/],
    ['an empty file', () => new Uint8Array(0), /expected a picture .*an empty file/],
    ['a truncated JPEG', halfJpeg, /expected an intact picture/],
    [
      'a corrupt JPEG',
      async () => (await jpeg('P0003', 1600, 1600)).fill(0xff, 2000, 6000),
      /expected an intact (JPEG )?picture/,
    ],
    ['60,000 × 60,000 pixels', () => claiming(60_000), /expected at most 400 million pixels, got 60000×60000/],
    ['20,000 × 20,000 pixels that are not there', () => claiming(20_000), /expected an intact picture/],
  ])('that cannot be used are named, or left out: %s', async (_, make, reason) => {
    const bytes = await make();
    write('data/training.zip', makeTrainingZip([...training, { name: 'P0003.jpg', data: bytes, stored: true }]));
    const message = await refusal();
    expect(message).toContain(`${out}/PALM-Training400/P0003.jpg (`);
    expect(message).toMatch(reason);
    expect(message).toMatch(/replace them, or leave them out/);
    const { code, out: text } = await importData('--on-bad-image', 'skip');
    expect(code).toBe(0);
    expect(text).toContain('Left out, since they cannot be read (1; no file is lost):');
    expect(text).toMatch(new RegExp(`\\n  ${out}/PALM-Training400/P0003\\.jpg  ${reason.source}`));
    expect(readFileSync(join(out, 'PALM-Training400/P0003.jpg')).equals(bytes)).toBe(true);
    expect(
      (await show(out, '--set', 'train', '--out', join(folder, 'a.png'), '--sheet', join(folder, 'b.png'))).out,
    ).toMatch(/pictures {2}4, 2 of them PM\n {2}left out {2}1\n/);
  });

  it('of unusual kinds are taken', async () => {
    const golden = (name: string) => readFileSync(join(goldens, name));
    const unusual: Record<string, Uint8Array> = {
      'a PNG named .jpg': golden('png-named.jpg'),
      CMYK: golden('cmyk.jpg'),
      '16 bits': golden('deep.png'),
      'turned by EXIF': golden('exif6.jpg'),
      'one pixel': await jpeg('one', 1, 1),
      '20,000 pixels wide': await jpeg('wide', 20_000, 30),
    };
    const parts = Object.values(unusual).map((bytes, i) => ({ name: `P001${i}.jpg`, data: bytes, stored: true }));
    write('data/training.zip', makeTrainingZip([...training, ...parts]));
    const { code, out: text } = await importData('--json');
    const { quarantine, train, sizes } = JSON.parse(text);
    expect([code, quarantine, train.images]).toEqual([0, [], 10]);
    const { width = 0, height = 0 } = await sharp(golden('exif6.jpg')).metadata();
    for (const size of [
      { width: 1, height: 1 },
      { width: 20_000, height: 30 },
      { width: height, height: width },
    ]) {
      expect(sizes).toContainEqual(expect.objectContaining(size));
    }
    const files = { eyes: join(folder, 'eyes.png'), sheet: join(folder, 'sheet.png') };
    expect((await show(out, '--out', files.eyes, '--sheet', files.sheet)).code).toBe(0);
  });
});

describe('folders that cannot be used', () => {
  itWith('linux', 'no permission, even for root', async () => {
    const { code, err } = await importInto('/proc/palm');
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/^fovea: \[palm\] \/proc\/palm: expected a folder to write/),
    ]);
  });

  it('a file in the place of the folder, or of the source', async () => {
    const file = write('file', 'mine');
    expect((await importInto(file)).err).toMatch(/file: expected a folder to write to, got EEXIST/);
    expect((await importInto(join(file, 'below'))).err).toMatch(/below: expected a folder to write to, got ENOTDIR/);
    for (const source of [file, join(folder, 'nothing')]) {
      const { code, err } = await runFovea('data', 'palm', 'import', source, '--out', out);
      expect([code, err]).toEqual([2, expect.stringContaining(`[palm] ${source}: expected a folder or a zip archive`)]);
    }
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it("a folder with a user's own picture of that name", async () => {
    const mine = write('out/PALM-Training400/P0001.jpg', 'mine');
    expect(await refusal()).toContain(`${mine}: expected no such file or data/training.zip`);
    expect(readFileSync(mine, 'utf8')).toBe('mine');
  });

  itWith('posix', 'a disk that is full: what is there stays, and the import continues', async () => {
    // The limit on file sizes stands for the full disk. The archives are below it, the picture is not.
    const large = Buffer.concat([await jpeg('P0009', 1600, 1600), Buffer.alloc(100_000, 'x')]);
    write('data/P0009.jpg', large);
    const script = buildProgram(folder);
    const command = `ulimit -f 64 && exec '${process.execPath}' '${script}' data palm import data --out out --no-cache`;
    const full = spawnSync('bash', ['-c', command], { cwd: folder, encoding: 'utf8' });
    expect([full.status, full.stdout]).toEqual([1, '']);
    expect(full.stderr).toContain(
      'fovea: [file] out/PALM-Training400/P0009.jpg: expected to write it, got EFBIG: file too large;',
    );
    const kept = tree(out);
    expect(Object.keys(kept).filter((name) => !/^PALM-\w+400\/[HNPV]000\d\.jpg$/.test(name))).toEqual([]);
    const args = [script, 'data', 'palm', 'import', 'data', '--out', 'out', '--no-cache', '--json'];
    const text = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    expect(JSON.parse(text)).toMatchObject({ present: Object.keys(kept).length, train: { images: 5 } });
    expect(tree(out)).toMatchObject(kept);
  });
});

describe('show', () => {
  beforeEach(async () => {
    expect((await importData()).code).toBe(0);
    process.chdir(folder);
  });

  it('makes two PNG files, and replaces no file but its own', async () => {
    const { code, out: text, err } = await show('out');
    expect([code, err]).toEqual([0, '']);
    expect(text).toBe(
      'iChallenge-PM, training set\n  pictures  4, 2 of them PM\n  two eyes  palm-eyes.png\n  sheet     palm-sheet.png\n',
    );
    const first = await sharp('palm-sheet.png').metadata();
    expect([first.format, (await sharp('palm-eyes.png').metadata()).width]).toEqual(['png', 1080]);
    expect((await show('out', '--set', 'validation', '--images', '2')).code).toBe(0);
    expect((await sharp('palm-sheet.png').metadata()).height).toBeLessThan(first.height);
    for (const foreign of ['mine', await sharp('palm-sheet.png').png().toBuffer()]) {
      writeFileSync('palm-sheet.png', foreign);
      const refused = await show('out');
      expect([refused.code, refused.err]).toEqual([
        2,
        'fovea: [data] palm-sheet.png: expected no such file, or one made by this command; name another with --sheet\n',
      ]);
      expect(readFileSync('palm-sheet.png').equals(Buffer.from(foreign as Buffer))).toBe(true);
    }
    expect((await show('out', '--sheet', 'palm-sheet.png')).code).toBe(0);
    expect((await sharp('palm-sheet.png').metadata()).format).toBe('png');
    expect(readdirSync('.').sort()).toEqual(['data', 'out', 'palm-eyes.png', 'palm-sheet.png']);
  });

  it('prints an object with --json; the seed decides', async () => {
    const pictures: string[] = [];
    for (const seed of ['1', '1', '2', '3', '4', '5']) {
      const { out: text } = await show('out', '--seed', seed, '--json');
      expect(JSON.parse(text)).toMatchObject({
        folder: 'out',
        set: 'train',
        images: 4,
        pathologic: 2,
        synthetic: false,
      });
      pictures.push(readFileSync('palm-eyes.png', 'base64'));
    }
    expect(pictures[1]).toBe(pictures[0]);
    expect(new Set(pictures).size).toBe(2);
  });

  it.each<[string, string[], RegExp]>([
    ['a folder without an import', ['data'], /data\/palm\.json: expected the list that an import writes/],
    ['a name that is no PNG', ['out', '--out', 'out/palm.json'], /--out: expected the name of a PNG file/],
    ['one name for both', ['out', '--out', 'a.png', '--sheet', './a.png'], /expected two files, got a\.png twice/],
    ['a folder that is not there', ['out', '--out', 'none/a.png'], /none\/a\.png: expected to write it, got ENOENT/],
    ['too many pictures', ['out', '--images', '9999'], /images: expected an integer from 1 to 2000, got 9999/],
  ])('refuses %s', async (_, args, message) => {
    const before = tree(folder);
    const { code, out: text, err } = await show(...args);
    expect([code, text, err]).toEqual([2, '', expect.stringMatching(message)]);
    expect(tree('out')).toEqual(
      Object.fromEntries(
        Object.entries(before).flatMap(([name, bytes]) => (name.startsWith('out/') ? [[name.slice(4), bytes]] : [])),
      ),
    );
  });
});

describe('synth', () => {
  const synth = (...args: string[]) =>
    runFovea('data', 'palm', 'synth', '--train', '5', '--validation', '4', '--size', '64', '--workers', '0', ...args);

  it('draws what import takes, and both say that it is drawn', async () => {
    data = join(folder, 'drawn');
    const { code, out: text, err } = await synth('--out', data);
    expect([code, err]).toEqual([0, expect.stringMatching(/\ndrawing {2}9 pictures .*\n$/)]);
    expect(text).toContain('SYNTHETIC: drawn by a program, no photographs of eyes.');
    expect(text).toMatch(/\n {2}training {4}5: 3 pathologic, \d highly myopic, \d normal\n/);
    expect(text.endsWith(` data palm import ${data} --out ${data}-imported\n`)).toBe(true);
    const imported = await importData('--json');
    expect(JSON.parse(imported.out)).toMatchObject({ synthetic: true, train: { images: 5, pathologic: 3 } });
    process.chdir(folder);
    expect((await show('out')).out).toContain('SYNTHETIC');
  });

  it('stops at Ctrl-C with 130, leaves nothing half done, and continues', async () => {
    let err = '';
    const stderr = {
      write: (text: string) => {
        err += text;
        if (text.startsWith('drawing  1/9')) process.emit('SIGINT', 'SIGINT');
      },
    };
    const args = ['--train', '5', '--validation', '4', '--size', '64', '--workers', '0'];
    expect(await run(['data', 'palm', 'synth', '--out', out, ...args], { stdout: stderr, stderr })).toBe(130);
    expect(err.endsWith('fovea: stopped; the same command continues the drawing\n')).toBe(true);
    expect(readdirSync(out)).toEqual(['SYNTHETIC.txt']);
    expect((await synth('--out', out)).code).toBe(0);
  });

  it('prints an object with --json, and refuses a folder with other files', async () => {
    const { code, out: text, err } = await synth('--out', out, '--json', '--seed', '3');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(text)).toMatchObject({ synthetic: true, seed: 3, size: 64, folder: out });
    const refused = await synth('--out', data);
    expect([refused.code, refused.out]).toEqual([2, '']);
    expect(refused.err).toMatch(/data: expected an empty folder.*got training\.zip/);
    if (process.platform === 'linux') {
      expect((await synth('--out', '/proc/drawn')).err).toMatch(
        /\/proc\/drawn: expected a folder to write to, got ENOENT/,
      );
    }
  });
});
