import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { meanColourAccuracy } from '../../../bench/shared/meanColour.js';
import { readTable, type Table } from '../../../src/io/files/table.js';
import { ZipArchive, ZipBudget } from '../../../src/io/files/zip.js';
import { importPalm, type PalmSummary } from '../../../src/vision/palm/import.js';
import { zipOf } from '../../../src/vision/palm/synth/archive.js';
import { type PalmSynthOptions, type SynthSummary, synthesizePalm } from '../../../src/vision/palm/synth.js';
import { compileInto } from '../../compiled.js';
import { temporaryFolder } from '../../temporary.js';

const base = temporaryFolder();
const out = join(base, 'drawn');
const imported = join(base, 'imported');
const archives = ['training.zip', 'valid_gt.zip', 'validation.zip'];
let drawn: SynthSummary;
let summary: PalmSummary;
let sheet: Table;

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const small = { train: 4, validation: 3, size: 64, numWorkers: 0 };

async function entriesOf(path: string): Promise<ZipArchive['entries']> {
  const archive = await ZipArchive.open(path, new ZipBudget(), path);
  archive.close();
  return archive.entries;
}

async function unpack(archive: string, name: string, to: string): Promise<string> {
  const zip = await ZipArchive.open(archive, new ZipBudget(), archive);
  const entry = zip.entries.find((found) => found.name === name);
  const pieces: Uint8Array[] = [];
  for await (const piece of entry?.read() ?? []) pieces.push(piece);
  zip.close();
  writeFileSync(to, Buffer.concat(pieces));
  return to;
}

beforeAll(async () => {
  drawn = await synthesizePalm({ out, train: 60, validation: 60, size: 64, numWorkers: 0 });
  summary = await importPalm(
    archives.map((name) => join(out, name)),
    imported,
    { cache: false },
  );
  const file = 'PALM-Validation-GT/PM_Label_and_Fovea_Location.xlsx';
  sheet = await readTable(await unpack(join(out, 'valid_gt.zip'), file, join(base, 'sheet.xlsx')));
});

describe('the drawn data set', () => {
  it('has the arrangement of the released one, and a mark in each archive', async () => {
    expect(readdirSync(out).sort()).toEqual(['SYNTHETIC.txt', ...archives]);
    expect(readFileSync(join(out, 'SYNTHETIC.txt'), 'utf8')).toMatch(
      /^SYNTHETIC: .*drawn[\s\S]*60 training and 60 validation pictures, 64 pixels wide, seed 0/,
    );
    const names = async (path: string) => (await entriesOf(path)).map(({ name }) => name);
    expect(await names(join(out, 'training.zip'))).toEqual([
      'PALM-Training400/SYNTHETIC.txt',
      'PALM-Training400/PALM-Training400.zip',
    ]);
    const inner = join(base, 'inner.zip');
    await unpack(join(out, 'training.zip'), 'PALM-Training400/PALM-Training400.zip', inner);
    const pictures = await names(inner);
    expect(pictures).toHaveLength(61);
    for (const name of ['SYNTHETIC.txt', 'P0032.jpg', 'H0004.jpg', 'N0024.jpg']) {
      expect(pictures).toContain(`PALM-Training400/${name}`);
    }
    const validation = await names(join(out, 'validation.zip'));
    expect(validation).toHaveLength(61);
    expect(validation.at(-1)).toBe('PALM-Validation400/V0060.jpg');
  });

  it('is imported as a synthetic one, in the shares of classes and cameras of the real one', () => {
    expect(drawn).toMatchObject({ train: { P: 32, H: 4, N: 24 }, cameras: { Zeiss: 104, Canon: 16 } });
    expect(drawn.validation.P).toBe(32);
    expect(summary).toMatchObject({
      synthetic: true,
      train: { images: 60, pathologic: 32, byPrefix: { P: 32, H: 4, N: 24 } },
      validation: { images: 60, pathologic: 32 },
      quarantine: [],
    });
    expect(summary.sizes.map(({ width, height, images }) => [width, height, images])).toEqual([
      [64, 62, 104],
      [64, 64, 16],
    ]);
  });

  it('gives the place of the fovea, which is the darkest part of healthy eyes', async () => {
    expect(sheet.columns).toEqual(['ID', 'imgName', 'Label', 'Fovea_X', 'Fovea_Y']);
    expect(sheet.rows).toHaveLength(60);
    let darker = 0;
    let healthy = 0;
    for (const { cells } of sheet.rows) {
      const [, name, label, ...place] = cells;
      const [x, y] = place.map(Number);
      expect(Math.hypot(x - 32, y - 31)).toBeLessThan(20);
      if (label === '1') continue;
      const green = await sharp(join(imported, 'PALM-Validation400', name))
        .extractChannel(1)
        .raw()
        .toBuffer();
      const at = (dx: number, dy: number) => green[Math.round(y + dy) * 64 + Math.round(x + dx)];
      const around = (at(-9, 0) + at(0, -9) + at(0, 9)) / 3;
      healthy++;
      if (at(0, 0) < around) darker++;
    }
    expect(healthy).toBe(28);
    expect(darker / healthy).toBeGreaterThan(0.85);
  });

  it('says in each picture that it is drawn', async () => {
    const { exif } = await sharp(join(imported, 'PALM-Training400', 'P0001.jpg')).metadata();
    expect(exif?.toString('latin1')).toContain('SYNTHETIC: drawn by Fovea');
  });

  it('cannot be distinguished by the mean colour', async () => {
    expect(await meanColourAccuracy(imported)).toBeLessThan(0.75);
  });
});

describe('synthesizePalm', () => {
  it('draws the same pictures again, with threads too', async () => {
    const [one, other] = [join(base, 'one'), join(base, 'other')];
    await synthesizePalm({ ...small, out: one, seed: 3 });
    await synthesizePalm({ ...small, out: other, seed: 4 });
    const threads = join(base, 'threads');
    compileInto(threads);
    writeFileSync(
      join(threads, 'script.js'),
      `import { synthesizePalm } from './vision/palm/synth.js';
      await synthesizePalm({ ...${JSON.stringify(small)}, out: 'out', seed: 3, numWorkers: 2 });`,
    );
    execFileSync(process.execPath, ['script.js'], { cwd: threads });
    for (const name of ['training.zip', 'validation.zip']) {
      expect(sha256(join(threads, 'out', name))).toBe(sha256(join(one, name)));
      expect(sha256(join(other, name))).not.toBe(sha256(join(one, name)));
    }
  });

  it('stops between two pictures when asked to, leaves no half file, and continues when called again', async () => {
    const folder = join(base, 'stopped');
    const controller = new AbortController();
    const files: string[] = [];
    const options: PalmSynthOptions = {
      ...small,
      out: folder,
      onProgress: ({ done, total, file }) => {
        files.push(file);
        expect([done, total]).toEqual([files.length, 7]);
        if (done === 5) controller.abort();
      },
    };
    const stopped = synthesizePalm({ ...options, signal: controller.signal });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect(files.at(-1)).toBe('PALM-Validation400/V0001.jpg');
    expect(readdirSync(folder).sort()).toEqual(['SYNTHETIC.txt', 'training.zip']);
    const { mtimeMs } = statSync(join(folder, 'training.zip'));
    files.splice(4);
    await synthesizePalm({ ...options });
    expect(readdirSync(folder).sort()).toEqual(['SYNTHETIC.txt', ...archives]);
    expect(statSync(join(folder, 'training.zip')).mtimeMs).toBe(mtimeMs);
    await expect(synthesizePalm({ ...small, out: folder, seed: 1 })).rejects.toThrow(
      `[palm synth] ${folder}: expected an empty folder, or one with the same pictures, got `,
    );
  });

  it('an archive that fails before anybody reads it gives its error to the reader', async () => {
    const archive = zipOf(
      (async function* () {
        yield { name: 'a.txt', data: Buffer.from('a') };
        throw new Error('stopped');
      })(),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(archive.destroyed).toBe(true);
    await expect(archive.toArray()).rejects.toThrow('stopped');
  });

  it('refuses a folder with other files, and wrong numbers', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'training.zip'), 'the real one');
    await expect(synthesizePalm({ ...small, out: folder })).rejects.toThrow(
      `[palm synth] ${folder}: expected an empty folder, or one with the same pictures, got training.zip`,
    );
    expect(readdirSync(folder)).toEqual(['training.zip']);
    const wrong: Partial<PalmSynthOptions>[] = [{ train: 0 }, { validation: 1e4 }, { size: 31 }, { numWorkers: -1 }];
    for (const change of wrong) {
      const [[name, value]] = Object.entries(change);
      const refused = synthesizePalm({ ...small, out: join(base, 'wrong'), ...change });
      await expect(refused).rejects.toThrow(new RegExp(`${name}: expected an integer from .*, got ${value}$`));
    }
    await expect(synthesizePalm({ ...small, out: join(base, 'wrong'), seed: -1 })).rejects.toThrow('[random] seed');
    expect(readdirSync(base)).not.toContain('wrong');
  });
});
