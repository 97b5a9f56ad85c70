import { chmod, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrivateApt } from './privateApt.js';
import { type CacheWay, isFailure, publish, WayFailed, type Work } from './work.js';

/** Packages of the system with the libraries that oneDNN needs. */
export interface Dependencies {
  readonly apt: PrivateApt;
  readonly packages: readonly string[];
}

interface Addition {
  /** The staging folder. */
  readonly folder: string;
  /** A folder in it with the library, and soon everything that it needs. */
  readonly contents: string;
  /** Name of the library. */
  readonly library: string;
  readonly way: CacheWay;
  /** Package and version, for the name of the folder in the cache. */
  readonly id: string;
  /** Called if the system lacks a library, such as the OpenMP runtime. */
  readonly dependencies: () => Promise<Dependencies>;
}

/**
 * Tries a library, with those beside it that it needs and the system lacks, and adds all to the cache.
 *
 * @throws {WayFailed} if it cannot be used
 */
export async function add(work: Work, addition: Addition): Promise<void> {
  const { folder, contents, library, way, id } = addition;
  await seal(contents);
  let problem = work.libraries.examine(join(contents, library), way).problem;
  for (let missing = missingIn(problem); missing !== null; missing = missingIn(problem)) {
    await addMissing(missing, addition);
    await seal(contents);
    const before = problem;
    problem = work.libraries.examine(join(contents, library), way).problem;
    if (problem === before) break;
  }
  if (problem !== null) throw new WayFailed(`${library}: ${problem}`);
  // Machines of several kinds may share a home folder.
  await publish(contents, join(work.libraries.cache, `${way}-${id}-${process.arch}`), join(folder, 'old'));
}

/** The name of the library that is missing; `null` if another problem was found. */
function missingIn(problem: string | null): string | null {
  return /^cannot be loaded: ([^\s/:]+): cannot open/.exec(problem ?? '')?.[1] ?? null;
}

async function addMissing(file: string, { contents, dependencies }: Addition): Promise<void> {
  let reason: string;
  try {
    const { apt, packages } = await dependencies();
    for (const name of packages) {
      if ((await apt.copyLibrary(name, file, contents)) !== null) return;
    }
    reason = `none of the packages ${packages.join(', ')} has it`;
  } catch (error) {
    if (!isFailure(error)) throw error;
    reason = `by apt: ${error.message}`;
  }
  throw new WayFailed(`this system has no ${file}; ${reason}`);
}

/** Flushes files to the disk, and sets the usual rights, since those of new files are up to the user. */
async function seal(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const name of await readdir(folder)) {
    const file = await open(join(folder, name));
    try {
      await file.chmod(0o644);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
