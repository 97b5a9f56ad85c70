import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { FileError } from '../../src/errors.js';
import { columnIndex, readTable } from '../../src/io/table.js';
import { listFiles, listFolders } from '../../src/io/walk.js';
import { temporaryFolder } from '../temporary.js';
import { makeWorkbook, makeZip } from '../zipWriter.js';

const folder = temporaryFolder();
const path = join(folder, 'table');

afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});

function read(contents: string | Uint8Array) {
  writeFileSync(path, contents);
  return readTable(path);
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FileError);
  return (error as FileError).message;
}

it('reads a workbook as other programs write it: the first sheet, with the numbers of its rows', async () => {
  const labels = fileURLToPath(new URL('data/labels.xlsx', import.meta.url));
  expect(await readTable(labels)).toEqual({
    title: labels,
    columns: ['ID', 'imgName', 'Label', 'Fovea_X'],
    rows: [
      { number: 4, cells: ['1', 'V0001.jpg', '0', '1157.74'] },
      { number: 6, cells: ['2', 'V0002.jpg', '1', ''] },
    ],
  });
});

it.each([
  ['commas', 'name,label\na.jpg,1\n\n"b,c.jpg",0\n'],
  ['semicolons, with commas in numbers', 'name;label;x\na.jpg;1;1,5\n\nb,c.jpg;0;2,5\n'],
  ['tabs and Windows lines', 'name\tlabel\r\na.jpg\t1\r\n\r\nb,c.jpg\t0'],
  ['a mark and white space', '\ufeff name , label\na.jpg, 1\n\n"b,c.jpg" ,0 \n'],
  ['UTF-16', Buffer.from('\ufeffname,label\na.jpg,1\n\n"b,c.jpg",0\n', 'utf16le')],
  ['a workbook', makeWorkbook([['name', 'label'], ['a.jpg', 1], [], ['b,c.jpg', '0']])],
])('reads %s', async (_, contents) => {
  const table = await read(contents);
  expect(table.columns.slice(0, 2)).toEqual(['name', 'label']);
  expect(table.rows.map(({ number, cells }) => [number, ...cells.slice(0, 2)])).toEqual([
    [2, 'a.jpg', '1'],
    [4, 'b,c.jpg', '0'],
  ]);
});

it.each([
  ['nothing', '', /table: expected a row with the names of the columns, got an empty table/],
  ['empty lines', '\n , ,\n', /got an empty table/],
  ['bytes', Buffer.from([1, 0, 2, 0, 3]), /expected \.xlsx or \.csv, got neither text nor a workbook/],
  ['a quote without end', 'a,b\n"c,d\n', /expected \.xlsx or \.csv, got .*[Qq]uot.*; save it anew/],
  ['an old workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /got an old \.xls or a file with a password; save it as/],
  ['another archive', makeZip([{ name: 'a.txt', data: 'b' }]), /expected \.xlsx or \.csv, got .+/],
  ['half a workbook', makeWorkbook([['a']]).subarray(0, 700), /expected an intact zip archive/],
  [
    'a workbook that unpacks to more than there can be',
    makeZip([{ name: 'xl/workbook.xml', data: new Uint8Array(2 ** 23) }]),
    /xl\/workbook\.xml: expected at most 500 times its packed size/,
  ],
])('refuses %s', async (_, contents, message) => {
  expect(await failure(read(contents))).toMatch(message);
});

it('says what is wrong with a path', async () => {
  expect(await failure(readTable(join(folder, 'none.csv')))).toMatch(/none\.csv: expected a readable file, got ENOENT/);
  expect(await failure(readTable(folder))).toMatch(/expected a readable file, got EISDIR/);
});

it('finds a column by its name', async () => {
  const table = await read('a,b,a\n1,2,3\n');
  expect(columnIndex(table, (name) => name === 'b', 'b')).toBe(1);
  const find = (wanted: string) => async () => columnIndex(table, (name) => name === wanted, wanted);
  expect(await failure(find('c')())).toBe(
    `[table] ${path}: expected one column c, got columns a, b, a; name the columns in the first row`,
  );
  expect(await failure(find('a')())).toMatch(/expected one column a, got a and a/);
});

it('lists files and folders, without clutter and without going in circles', async () => {
  for (const name of ['b', 'a/c', '__MACOSX', '.git']) mkdirSync(join(folder, name), { recursive: true });
  const files = [
    'a/2',
    'a/10',
    'a/c/x',
    'b/y',
    'z',
    'Thumbs.db',
    'desktop.ini',
    '.DS_Store',
    '._z',
    '__MACOSX/z',
    '.git/z',
  ];
  for (const name of files) writeFileSync(join(folder, name), '');
  symlinkSync('..', join(folder, 'a/loop'));
  symlinkSync('../b', join(folder, 'a/other'));
  symlinkSync('nowhere', join(folder, 'dangling'));
  expect(await listFiles(folder)).toEqual(['a/10', 'a/2', 'a/c/x', 'a/other/y', 'b/y', 'dangling', 'z']);
  expect(await listFiles(folder, (name) => name !== 'a')).toEqual(['b/y', 'dangling', 'z']);
  expect(await listFolders(folder)).toEqual(['a', 'b']);
  expect(await failure(listFiles(join(folder, 'none')))).toMatch(/none: expected a readable folder, got ENOENT/);
  expect(await failure(listFolders(join(folder, 'z')))).toMatch(/z: expected a readable folder, got ENOTDIR/);
});
