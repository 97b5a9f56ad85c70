import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importPalm } from '../../../src/vision/palm/import.js';
import { makeWorkbook, makeZip } from '../../zipWriter.js';
import { makeLabelsZip, sheet, tree } from './archives.js';
import { failure, folder, importBound, out, released, run, training, trainingZip, validation, write } from './setUp.js';

describe('refuses', () => {
  it.each<[string, (string | number | null)[][], RegExp]>([
    [
      'a missing label',
      sheet.slice(0, 3),
      /expected one for each validation picture, got none for data\/validation\.zip\/.*V0003/,
    ],
    ['an empty label', [...sheet.slice(0, 3), [3, 'V0003.jpg', null]], /got row 4 \(V0003\.jpg\): no label; correct/],
    ['a row without a name', [...sheet, [4, null, 1]], /got row 5: no name of a picture/],
    ['a doubled label', [...sheet, [4, 'V0002.jpg', 1]], /got row 5 \(V0002\.jpg\): as in row 3 already/],
    [
      'an unknown label',
      [...sheet.slice(0, 3), [3, 'V0003.jpg', 2]],
      /row 4 \(V0003\.jpg\): label '2' instead of 0 or 1/,
    ],
    [
      'a label without a picture',
      [...sheet, [4, 'V0004.jpg', 1]],
      /expected one for each label, got none for V0004 \(.*xlsx, row 5\)/,
    ],
    ['a label against the name', [...sheet, [4, 'N0001.jpg', 1]], /got 1 for N0001 \(.*row 5\); correct the table/],
    [
      'no column of labels',
      sheet.map((row) => row.slice(0, 2)),
      /expected one column with the labels \(Label\), got columns ID, imgName/,
    ],
    ['two columns of labels', sheet.map((row) => [...row.slice(0, 3), row[2]]), /got Label and Label/],
  ])('%s', async (_, rows, message) => {
    const data = released();
    write('data/valid_gt.zip', makeLabelsZip(rows));
    const text = await failure(run(data));
    expect(text).toMatch(message);
    expect(existsSync(join(out, 'palm.json'))).toBe(false);
    expect(readdirSync(out)).toEqual([]);
    write('data/valid_gt.zip', makeLabelsZip());
    expect((await run(data)).copied).toBe(7);
  });

  it.each<[string, (data: string) => void, RegExp]>([
    [
      'no labels at all',
      (data) => rmSync(join(data, 'valid_gt.zip')),
      /give valid_gt\.zip, PM_Label_and_Fovea_Location/,
    ],
    [
      'two tables that differ',
      () => write('data/labels.csv', 'imgName,Label\nV0001,1'),
      /expected the labels of .*, got/,
    ],
    [
      'an unknown letter',
      () => write('data/more/X0001.jpg', training[0].data),
      /names that begin with P, H, N .* got data\/more\/X0001\.jpg/,
    ],
    [
      'two pictures of one name',
      () => write('data/more/P0001.jpg', training[1].data),
      /expected the same picture as data\/more\/P0001/,
    ],
    [
      'a class without pictures',
      () => write('data/training.zip', trainingZip(training.slice(2))),
      /expected train pictures with and without pathologic myopia, got none with it among 2; give the other class/,
    ],
    [
      'half an archive',
      () => write('data/training.zip', trainingZip().subarray(0, 900)),
      /training\.zip: expected an intact zip/,
    ],
    [
      'half an archive in an archive',
      () =>
        write(
          'data/training.zip',
          makeZip([{ name: 'PALM-Training400.zip', data: makeZip(training).subarray(0, 900) }]),
        ),
      /data\/training\.zip\/PALM-Training400\.zip: expected an intact zip archive, got .*/,
    ],
    [
      'half a table',
      () => write('data/valid_gt.zip', makeZip([{ name: 'labels.xlsx', data: makeWorkbook(sheet).subarray(0, 600) }])),
      /\[table\] data\/valid_gt\.zip\/labels\.xlsx: expected \.xlsx or \.csv, got a damaged workbook/,
    ],
    [
      'a picture with a wrong checksum',
      () => write('data/training.zip', trainingZip([{ ...training[0], crc32: 1 }])),
      /P0001\.jpg: expected checksum 00000001, got/,
    ],
    [
      'a password',
      () => write('data/training.zip', trainingZip([{ ...training[0], encrypted: true, stored: false }])),
      /without a password/,
    ],
    [
      'names that lead out',
      () => write('data/validation.zip', makeZip([{ ...validation[0], name: '../../V0001.jpg' }])),
      /invalid relative path/,
    ],
    [
      'absolute names',
      () => write('data/validation.zip', makeZip([{ ...validation[0], name: '/V0001.jpg' }])),
      /absolute path/,
    ],
    [
      'links',
      () => write('data/training.zip', trainingZip([{ name: 'P0001.jpg', data: '/etc/passwd', mode: 0o120777 }])),
      /P0001\.jpg: expected a file, got a symbolic link/,
    ],
    [
      'a bomb',
      () => write('data/training.zip', trainingZip([{ name: 'P0001.jpg', data: new Uint8Array(2 ** 22) }])),
      /at most 100 times its packed size|unpack to/,
    ],
    [
      'archives without end',
      () => {
        let nested = makeZip(training);
        for (let i = 0; i < 4; i++) nested = makeZip([{ name: 'PALM.zip', data: nested }]);
        write('data/training.zip', nested);
      },
      /expected at most 3 archives in each other, got more/,
    ],
  ])('%s', async (_, spoil, message) => {
    const data = released();
    spoil(data);
    const before = tree(data);
    expect(await failure(run(data))).toMatch(message);
    expect(tree(data)).toEqual(before);
    expect(existsSync(join(out, 'palm.json'))).toBe(false);
    expect(readdirSync(out).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('more than the limits allow', async () => {
    const data = released();
    expect(await failure(run(data, { limits: { maxBytes: 3000 } }))).toMatch(
      /expected at most 3000 bytes unpacked in all/,
    );
    expect(await failure(run(data, { limits: { maxEntries: 3 } }))).toMatch(/expected at most 3 files in all/);
  });

  it('invalid sources', async () => {
    expect(await failure(run([]))).toMatch(/sources: expected a folder or archives, got none/);
    expect(await failure(run(join(folder, 'none')))).toMatch(/none: expected a folder or a zip archive, got ENOENT/);
    expect(await failure(run(write('a.txt', 'text')))).toMatch(
      /a\.txt: expected a folder or a zip archive, got another file/,
    );
    expect(await failure(run(write('a.zip', 'text')))).toMatch(/a\.zip: expected an intact zip archive/);
    mkdirSync(join(folder, 'empty'));
    expect(await failure(run(join(folder, 'empty')))).toMatch(/expected files such as P0001\.jpg/);
    expect(await failure(importPalm(folder, write('file', ''), {}))).toMatch(
      /file: expected a folder to write to, got EEXIST/,
    );
  });

  it('to replace a file of another content', async () => {
    const data = released();
    const mine = write('out/PALM-Training400/P0001.jpg', 'mine');
    expect(await failure(run(data))).toMatch(
      /P0001\.jpg: expected no such file or data\/training\.zip.*got other contents/,
    );
    expect(readFileSync(mine, 'utf8')).toBe('mine');
    const same = Buffer.from(training[0].data as Uint8Array);
    same[same.length - 3] ^= 1;
    writeFileSync(mine, same);
    expect(await failure(run(data))).toMatch(/got other contents; import into another folder, or move this file away/);
    expect(readFileSync(mine).equals(same)).toBe(true);
  });

  it('folders that may not be read or written to', () => {
    released();
    mkdirSync(out);
    chmodSync(out, 0o555);
    chmodSync(join(folder, 'data'), 0);
    // The way out is looked at before the sources.
    expect(importBound({})).toMatch(/^FileError \[palm\] out: expected to write it, got EACCES/);
    chmodSync(out, 0o777);
    expect(importBound({})).toMatch(/^FileError .*EACCES/);
    chmodSync(join(folder, 'data'), 0o755);
  });
});
