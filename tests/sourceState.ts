import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const project = fileURLToPath(new URL('../', import.meta.url));
const sources = join(project, 'src');
const setUp = join(project, '.setup');
/** Milliseconds that a process may need to make a folder. */
const longest = 600_000;
/** The environment variable with the state that a whole run of the tests is for. */
const variable = 'TESTED_SOURCES';

/** Paths of all source files, relative to `src`. */
export function sourceFiles(): string[] {
  const names = readdirSync(sources, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts')).sort();
}

/** Keeps the state for all processes of a run, so that sources which change meanwhile are not mixed with those before. */
export function keepState(): void {
  process.env[variable] = readState();
}

function readState(): string {
  const hash = createHash('sha256');
  const recipe = ['tests/compiled.ts', 'package.json'].map((name) => join(project, name));
  for (const name of [...sourceFiles().map((file) => join(sources, file)), ...recipe]) {
    const { mtimeMs, size } = statSync(name);
    hash.update(`${name}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * A folder that is made once for all test files and processes, for the present state of `src`.
 *
 * @param make fills a folder; another process that needs the same one waits for it
 */
export function folderForSources(name: string, make: (folder: string) => void): string {
  mkdirSync(setUp, { recursive: true });
  const folder = join(setUp, `${name}-${process.env[variable] ?? readState()}`);
  while (isInTheMaking(folder)) sleep(50);
  if (existsSync(folder)) {
    const now = new Date();
    utimesSync(folder, now, now);
    return folder;
  }
  const own = `${folder}.${process.pid}`;
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own);
  try {
    make(own);
    renameSync(own, folder);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    // Two processes may begin at the same moment: the first to end wins.
    if (!existsSync(folder)) throw error;
  }
  removeOld(name, folder);
  return folder;
}

/** Whether another process makes the folder. One that ended leaves its own folder behind, and its number may be taken again. */
function isInTheMaking(folder: string): boolean {
  if (existsSync(folder)) return false;
  return readdirSync(setUp).some((name) => {
    const other = join(setUp, name);
    const pid = Number(name.split('.').at(-1));
    if (!other.startsWith(`${folder}.`) || pid === process.pid || !isAlive(pid)) return false;
    return Date.now() - (statSync(other, { throwIfNoEntry: false })?.mtimeMs ?? 0) < longest;
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Folders that no process used for an hour. */
function removeOld(name: string, folder: string): void {
  for (const entry of readdirSync(setUp)) {
    const other = join(setUp, entry);
    const isOld = () => Date.now() - (statSync(other, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 3_600_000;
    if (entry.startsWith(`${name}-`) && other !== folder && isOld()) rmSync(other, { recursive: true, force: true });
  }
}
