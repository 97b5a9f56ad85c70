import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileError } from '../../src/errors.js';
import { outputFile, outputFolder } from '../../src/io/files/outputs.js';
import { itWith } from '../needs.js';
import { temporaryFolder } from '../temporary.js';

const folder = mkdtempSync(join(temporaryFolder(), 'out-'));
const path = (name: string) => join(folder, name);
mkdirSync(path('sub'));
writeFileSync(path('file'), 'x');

it('takes files and folders that can be written, and leaves nothing', async () => {
  for (const name of ['new', 'file', 'n'.repeat(255), 'ä'.repeat(127)]) await outputFile(path(name), 'test');
  for (const name of ['new', 'sub', 'a/b/c', 'n'.repeat(255)]) await outputFolder(path(name), 'test');
  expect(readdirSync(folder).sort()).toEqual(['file', 'sub']);
});

it.each([
  [outputFile, 'sub', /sub: expected the name of a file, got that of a folder; choose another name/],
  [outputFile, 'missing/file', /expected to write it, got ENOENT: .*; create the folder first/],
  [outputFile, 'file/x', /got a file where a folder is needed; choose another folder/],
  [outputFile, 'n'.repeat(256), /got a name that is too long; choose a shorter name/],
  [outputFile, 'ä'.repeat(128), /got a name that is too long; choose a shorter name/],
  [outputFolder, 'file', /got a file where a folder is needed; choose another folder/],
  [outputFolder, 'file/a/b', /got a file where a folder is needed; choose another folder/],
  [outputFolder, `a/${'n'.repeat(256)}/b`, /got a name that is too long; choose a shorter name/],
])('%o refuses %s', async (check, name, message) => {
  const error = await check(path(name), 'test').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FileError);
  expect((error as Error).message).toMatch(message);
  expect(readdirSync(folder).sort()).toEqual(['file', 'sub']);
});

it.each([outputFile, outputFolder])('%o refuses an empty name', async (check) => {
  await expect(check('', 'test')).rejects.toThrow('[test] output: expected a name, got an empty one');
});

itWith('linux', 'refuses devices, and folders in which nothing can be made', async () => {
  await expect(outputFile('/dev/null', 'test')).rejects.toThrow('expected the name of a file, got that of a device');
  await expect(outputFile('/proc/fovea', 'test')).rejects.toThrow(FileError);
  await expect(outputFolder('/proc/fovea/x', 'test')).rejects.toThrow(FileError);
});
