import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { FileError } from '../../src/errors.js';
import { type BarredPath, isClutter, listFiles, listFolder, walkFolder } from '../../src/io/files/listFiles.js';
import { columnIndex, readTable } from '../../src/io/files/table.js';
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

/** A workbook whose sheet has other rows. */
function withSheet(rows: string): Buffer {
  return makeWorkbook([], rows);
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FileError);
  return (error as FileError).message;
}

it('reads a workbook as other programs write it: the first sheet, with the numbers of its rows', async () => {
  const labels = fileURLToPath(new URL('data/labels.xlsx', import.meta.url));
  expect(await readTable(labels)).toMatchObject({
    title: labels,
    columns: ['ID', 'imgName', 'Label', 'Fovea_X'],
    header: { number: 3 },
    notes: [],
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
  ['bars and old Macs', 'name|label\ra.jpg|1\r\r"b,c.jpg"|0'],
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
  ['bytes', Buffer.from([1, 0, 2, 0, 3]), /expected text, got bytes that are no text; save it again as UTF-8/],
  [
    'a quote without end',
    'a,b\n"c,d\n',
    /\.xlsx or \.csv, got double quotes that do not match in row 2; save it again/,
  ],
  ['a quote within a name', 'a,b\nc,d\n12" e,f\n', /got double quotes that do not match in row 3/],
  [
    'a row without an end',
    `a,b\n"${'c'.repeat(2 ** 20 + 9)}`,
    /got a row of more than 1048576 bytes, or a quote without/,
  ],
  ['too many columns', `a,b\n${'1,'.repeat(2 ** 14 + 1)}`, /at most 16384 columns and .*, got 16385 columns in row 2/],
  ['commas alone', ','.repeat(2 ** 21), /got 1048578 columns in row 1/],
  ['too many cells', `a\n${`${'1,'.repeat(2 ** 14)}\n`.repeat(620)}`, /and 10000000 cells, got more cells in row 61\d/],
  ['an old workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /got an old \.xls or a file with a password; save it as/],
  ['another archive', makeZip([{ name: 'a.txt', data: 'b' }]), /expected \.xlsx or \.csv, got another archive; save/],
  [
    'an OpenDocument table',
    makeZip([{ name: 'content.xml', data: '<a/>' }]),
    /got an OpenDocument file \(\.ods\); save/,
  ],
  ['half a workbook', makeWorkbook([['a']]).subarray(0, 700), /expected \.xlsx or \.csv, got a damaged workbook; save/],
  [
    'broken XML',
    withSheet('<row r="1"><c r="A1"><v>1</c>'),
    /expected \.xlsx or \.csv, got a damaged workbook; save it/,
  ],
  [
    'an attribute twice',
    withSheet('<row r="1" r="2"><c r="A1"><v>1</v></c></row>'),
    /expected \.xlsx or \.csv, got a damaged workbook; save it/,
  ],
  ['no sheet', makeZip([{ name: 'xl/workbook.xml', data: '<workbook/>' }]), /got a damaged workbook; save it again/],
  [
    'a cell in the last row and column',
    withSheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
    /sheet1\.xml: expected at most .* got 16384 columns and 1048576 rows \(up to cell XFD1048576\); delete all cells outside/,
  ],
  [
    'rows beyond the last one, however they are written',
    withSheet('<x:row r="&#x39;99999999"><x:c r="A1"><x:v>1</x:v></x:c></x:row>'),
    /got 0 columns and 999999999 rows/,
  ],
  ['columns of strange letters', withSheet('<row><c r="\u9999\u9999\u99991"><v>1</v></c></row>'), /got \d+ columns/],
  [
    'a workbook that unpacks to more than there can be',
    makeZip([{ name: 'xl/workbook.xml', data: new Uint8Array(2 ** 23) }]),
    /xl\/workbook\.xml: expected at most 500 times its packed size/,
  ],
])('refuses %s', async (_, contents, message) => {
  expect(await failure(read(contents))).toMatch(message);
});

it('reads what surrounds the cells of a table for nothing', async () => {
  const border = '<row r="1048576"><c r="XFD1048576" s="0"/></row>';
  const table = await read(
    makeWorkbook(
      [
        ['a', 'b'],
        ['c', true],
      ],
      border,
    ),
  );
  expect(table.rows).toEqual([{ number: 2, cells: ['c', 'TRUE'] }]);
  const commas = await read(`a,b${','.repeat(2 ** 15)}\nc,d${','.repeat(2 ** 19)}\n${','.repeat(2 ** 19)}\n`);
  expect([commas.columns, commas.rows]).toEqual([['a', 'b'], [{ number: 2, cells: ['c', 'd'] }]]);
});

it('reads a first line that names the separator', async () => {
  expect(await read('sep=;\r\nname;label\r\na,b.jpg;1\r\n')).toMatchObject({
    columns: ['name', 'label'],
    header: { number: 2 },
    rows: [{ number: 3, cells: ['a,b.jpg', '1'] }],
  });
  expect((await read('"sep=|"\na|b\n')).columns).toEqual(['a', 'b']);
});

it('reads Windows-1252 and says so, composes characters, reads dates of workbooks without a time', async () => {
  const table = await read(Buffer.from('name;label\na.jpg;B\xe4r\n', 'latin1'));
  expect(table.rows[0].cells).toEqual(['a.jpg', 'Bär']);
  expect(table.notes).toEqual([
    `${path}: read as Windows-1252, since it is no UTF-8; if letters look wrong, save it as UTF-8`,
  ]);
  const split = await read('name\ncafe\u0301\n');
  expect([split.rows[0].cells, split.notes]).toEqual([['caf\u00e9'], []]);
  const dated = await read(makeWorkbook([['day']], '<row r="2"><c r="A2" t="d"><v>2025-03-31</v></c></row>'));
  expect(dated.rows[0].cells).toEqual(['2025-03-31']);
});

it('says what is wrong with a path', async () => {
  expect(await failure(readTable(join(folder, 'none.csv')))).toMatch(/none\.csv: expected a readable file, got ENOENT/);
  expect(await failure(readTable(folder))).toMatch(/expected a readable file, got a folder/);
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
  const tree = await walkFolder(folder);
  expect(tree.folders).toEqual(['a', 'a/c', 'a/other', 'b']);
  expect(tree.clutter).toEqual(['.DS_Store', '._z', '.git', 'Thumbs.db', '__MACOSX', 'desktop.ini']);
  expect(await failure(listFiles(join(folder, 'none')))).toMatch(/none: expected a readable folder, got ENOENT/);
  expect(await failure(listFiles(join(folder, 'z')))).toMatch(/z: expected a readable folder, got ENOTDIR/);
});

it('names what cannot be read, and continues where that is asked for', async () => {
  mkdirSync(join(folder, 'a'));
  mkdirSync(join(folder, 'b/deep'), { recursive: true });
  for (const name of ['a/\ufffd', 'a/x', 'b/y', 'b/deep/z']) writeFileSync(join(folder, name), '');
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/a/B`), Buffer.of(0xe4), Buffer.from('r.jpg')]), '');
  const list = async (path: string) => {
    if (path.endsWith('deep')) throw Object.assign(new Error('EACCES'), { code: 'EACCES', errno: -13 });
    return listFolder(path);
  };
  const barred: string[] = [];
  const onBarred = ({ path, what }: BarredPath) => barred.push(`${what}: ${path}`);
  expect((await walkFolder(folder, { list, onBarred })).files).toEqual(['a/x', 'a/\ufffd', 'b/y']);
  expect(barred).toEqual(['names not in UTF-8: a/B\\xe4r.jpg', 'folders that cannot be read: b/deep']);
  expect(await failure(walkFolder(folder, { list, enter: (name) => name !== 'a' }))).toMatch(
    /b\/deep: expected a readable folder, got EACCES: permission denied$/,
  );
  expect(await failure(listFiles(folder))).toMatch(/a: expected names in UTF-8, got B\\xe4r\.jpg; rename it$/);
});

it('leaves folders of storage boxes and systems out, in any case', () => {
  const names = [
    '@eaDir',
    '#recycle',
    '$RECYCLE.BIN',
    'lost+found',
    'System Volume Information',
    '.Trashes',
    '.Trash-1000',
  ];
  const more = ['__MACOSX', 'THUMBS.DB', '.ipynb_checkpoints', '.thumbnails', '._foo.jpg', '@Recycle', '#snapshot'];
  for (const name of [...names, ...more]) expect([name, isClutter(name)]).toEqual([name, true]);
  for (const name of ['recycled', 'train', 'system', 'lost', 'cat.jpg', '@home']) expect(isClutter(name)).toBe(false);
});

it('walks folders that link to one another without end only once each', async () => {
  const root = join(folder, 'linked');
  const names = Array.from({ length: 7 }, (_, i) => `f${i}`);
  for (const name of names) mkdirSync(join(root, name), { recursive: true });
  for (const name of names) {
    writeFileSync(join(root, name, 'x'), '');
    for (const other of names) if (other !== name) symlinkSync(join('..', other), join(root, name, `to-${other}`));
  }
  const files = await listFiles(root);
  expect(files).toContain('f0/to-f1/x');
  expect(files.filter((file) => file.startsWith('f0/to-f1/'))).toHaveLength(7 - 1);
});
