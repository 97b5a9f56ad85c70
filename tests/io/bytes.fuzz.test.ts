import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FoveaError, InternalError } from '../../src/errors.js';
import { RandomGenerator } from '../../src/random.js';
import { fuzzing } from '../fuzzing.js';
import { temporaryFolder } from '../temporary.js';
import { changedBytes } from './changedBytes.js';
import { contentsOf, type FileKind, intactFiles, writeFiles } from './intactFiles.js';

/**
 * Files of all kinds with changed bytes are read, or refused with an error of Fovea's: nothing else is thrown, nothing
 * hangs or takes absurd memory, nothing is written, and the files stay as they are.
 */

/** Limit for the growth of the process's peak memory. A picture may have 100 million pixels of several bytes. */
const mostGrowth = 2 ** 31;
/** A case takes milliseconds, and a loaded machine is slow. */
const patienceMs = 180_000;

const folder = temporaryFolder();
const kinds = await intactFiles(folder);
const fuzz = fuzzing('changed bytes', 8);
const watchdog = makeWatchdog();

beforeAll(() => mkdirSync(join(folder, 'case')));
afterAll(() => watchdog.end());

it.each(kinds)(
  '$name',
  async (kind) => {
    const random = new RandomGenerator(fuzz.seed).fork(kind.name);
    const intact = await resultOf(kind, kind.intact);
    expect(intact.error, 'the intact file is read').toBeUndefined();
    for (let i = 0; i < fuzz.numRuns; i++) {
      const other = kinds[random.int(kinds.length)].intact;
      const { bytes, changes } = changedBytes(kind.intact, other, random, kind.isText ?? false);
      const described = `${kind.name}, FOVEA_FUZZ_SEED=${fuzz.seed}, case ${i + 1}: ${changes.join('; ')}`;
      watchdog.watch(described);
      const before = process.resourceUsage().maxRSS * 1024;
      const result = await resultOf(kind, bytes);
      watchdog.rest();
      const problem = problemOf(result, intact, kind);
      expect(problem && `${problem}\n${described}`).toBeNull();
      const growth = process.resourceUsage().maxRSS * 1024 - before;
      expect(growth, described).toBeLessThan(mostGrowth);
    }
  },
  fuzz.timeout,
);

interface Result {
  readonly value?: unknown;
  readonly error?: unknown;
  /** Whether the folder is as it was. */
  readonly left: 'all' | 'nothing' | 'other';
}

async function resultOf(kind: FileKind, bytes: Buffer): Promise<Result> {
  const where = freshFolder();
  writeFiles(where, kind.lay(bytes));
  const before = contentsOf(where);
  const outcome = await kind.read(where).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const after = contentsOf(where);
  const isSame = JSON.stringify(after) === JSON.stringify(before);
  return { ...outcome, left: isSame ? 'all' : Object.keys(after).length === 0 ? 'nothing' : 'other' };
}

function problemOf(result: Result, intact: Result, { isSealed, mayRemove }: FileKind): string | null {
  const { error, value, left } = result;
  if (left !== 'all' && !(mayRemove && left === 'nothing')) return 'expected the folder as it was, got another one';
  if ('error' in result) {
    const errors = error instanceof AggregateError ? error.errors : [error];
    const strange = errors.find((each) => !(each instanceof FoveaError) || each instanceof InternalError);
    if (strange === undefined) return null;
    return `expected an error of Fovea's, got ${strange instanceof Error ? strange.stack : String(strange)}`;
  }
  if (!isSealed) return null;
  return JSON.stringify(value) === JSON.stringify(intact.value) ? null : 'expected what was saved, got something else';
}

function freshFolder(): string {
  const where = join(folder, 'case');
  rmSync(where, { recursive: true, force: true });
  mkdirSync(where);
  return where;
}

/** Ends the process, and says why, if a case takes too long: a loop that never ends keeps vitest from doing so. */
function makeWatchdog() {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     let timer;
     parentPort.on('message', (described) => {
       clearTimeout(timer);
       if (described === null) return;
       timer = setTimeout(() => {
         require('node:fs').writeSync(2, 'hangs: ' + described + '\\n');
         process.kill(process.pid, 'SIGKILL');
       }, workerData);
     });`,
    { eval: true, workerData: patienceMs },
  );
  worker.unref();
  return {
    watch: (described: string) => worker.postMessage(described),
    rest: () => worker.postMessage(null),
    end: () => worker.terminate(),
  };
}
