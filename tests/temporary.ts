import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach } from 'vitest';

/** A new folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-test-'));
  // Processes that were killed may still write for a moment.
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A new folder before each test of the file; all are removed after the last one. @returns the folder that holds them */
export function folderPerTest(before: (folder: string) => void): string {
  const base = temporaryFolder();
  let number = 0;
  beforeEach(() => {
    const folder = join(base, `${number++}`);
    mkdirSync(folder);
    before(folder);
  });
  return base;
}

/** Writes a file below a folder, with the folders on its way. @returns its path */
export function writeInto(folder: string, name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
  return path;
}
