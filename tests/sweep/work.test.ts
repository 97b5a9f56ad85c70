import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileError, InputError } from '../../src/errors.js';
import { progressOf, ranked } from '../../src/sweep/decide.js';
import { SweepFolder } from '../../src/sweep/folder.js';
import { type Job, journalFile, keyOf } from '../../src/sweep/journal.js';
import type { JobOutcome } from '../../src/sweep/trial.js';
import { work } from '../../src/sweep/work.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
const asked = {
  model: 'lenet',
  data: 'mnist',
  epochs: 4,
  lr: { log: [1e-4, 1] },
  momentum: { range: [0.1, 0.9] },
  sweep: { trials: 14, asha: { minEpochs: 1, reduction: 2 }, seeds: 2, best: 2, seed: 3 },
};

/** A metric that follows from the job alone. */
function outcomeOf({ values, epochs, seed }: Job): JobOutcome {
  const lr = Number(values.lr ?? 0.001);
  if (lr > 0.5) return { why: 'diverged', reason: 'the loss is NaN' };
  return { value: 0.9 - 0.1 * Math.abs(Math.log10(lr) + 2) - 0.2 / epochs + 0.001 * seed };
}

const jobsIn = async (folder: SweepFolder) => {
  const events = await folder.journal.read();
  return events.flatMap((event) =>
    event.event === 'claim' ? [] : [`${keyOf(event.job)} ${JSON.stringify(event.job.values)}`],
  );
};

test('one worker repeats a sweep exactly, stopped and resumed at any place or not', async () => {
  const whole = await SweepFolder.create(join(root, 'whole'), asked, 'file');
  expect(await work(whole, { run: async (job) => outcomeOf(job) })).toBe(true);
  const jobs = await jobsIn(whole);
  expect(new Set(jobs).size).toBe(jobs.length);
  const stopped = await SweepFolder.create(join(root, 'stopped'), asked, 'file');
  for (let round = 0; ; round++) {
    let left = 1 + (round % 3);
    const opened = await SweepFolder.open(stopped.path);
    if (await work(opened, { run: async (job) => (left-- > 0 ? outcomeOf(job) : null) })) break;
  }
  expect(await jobsIn(stopped)).toEqual(jobs);
  // Plain recipe first, the best again at the end with the same seeds; promoted trials continued, others did
  // not.
  expect(jobs.slice(0, 2).every((job) => job.startsWith('plain 0 seed'))).toBe(true);
  expect(jobs.filter((job) => job.startsWith('repeat')).length).toBe(4);
  expect(jobs.filter((job) => /^trial \d+ seed 3 to 1 /.test(job)).length).toBe(14);
  const [best] = ranked(progressOf(await whole.journal.read()), whole.definition);
  expect(jobs.filter((job) => job.startsWith(`repeat ${best.id} `)).length).toBe(2);
});

test('two workers share the jobs, and do none twice', async () => {
  const folder = await SweepFolder.create(join(root, 'two'), asked, 'file');
  const done: string[] = [];
  const worker = () =>
    work(folder, {
      run: async (job) => {
        done.push(keyOf(job));
        await new Promise((resolve) => setTimeout(resolve, 3));
        return outcomeOf(job);
      },
    });
  expect(await Promise.all([worker(), worker()])).toEqual([true, true]);
  expect(new Set(done).size).toBe(done.length);
  expect((await jobsIn(folder)).length).toBe(done.length);
});

test('a line that was cut short is passed over; another damaged one is refused with its number', async () => {
  const folder = await SweepFolder.create(join(root, 'cut'), asked, 'file');
  let left = 3;
  await work(folder, { run: async (job) => (left-- > 0 ? outcomeOf(job) : null) });
  const path = join(folder.path, journalFile);
  const before = await jobsIn(folder);
  appendFileSync(path, '{"event":"done","at":"20');
  expect(await jobsIn(folder)).toEqual(before);
  left = 1;
  await work(folder, { run: async (job) => (left-- > 0 ? outcomeOf(job) : null) });
  expect((await jobsIn(folder)).length).toBe(before.length + 1);
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"event":"end"}\n`);
  await expect(folder.journal.read()).rejects.toThrow(/journal.jsonl, line \d+/);
  await expect(folder.journal.read()).rejects.toThrow(FileError);
});

test('a disk without room stops the work, and loses nothing', async () => {
  const folder = await SweepFolder.create(join(root, 'full'), asked, 'file');
  let left = 2;
  await work(folder, { run: async (job) => (left-- > 0 ? outcomeOf(job) : null) });
  const before = await jobsIn(folder);
  const full = Object.assign(new FileError('[file] expected to write it, got ENOSPC'), {});
  await expect(work(folder, { run: async () => Promise.reject(full) })).rejects.toThrow('ENOSPC');
  expect(await jobsIn(folder)).toEqual(before);
  expect(await work(folder, { run: async (job) => outcomeOf(job) })).toBe(true);
});

test('refuses a folder with other files, and one of another sweep', async () => {
  const path = join(root, 'other');
  mkdirSync(path);
  writeFileSync(join(path, 'notes.txt'), 'mine');
  await expect(SweepFolder.create(path, asked, 'file')).rejects.toThrow('expected a new or empty folder');
  expect(existsSync(join(path, 'sweep.json'))).toBe(false);
  await SweepFolder.create(join(root, 'first'), asked, 'file');
  await expect(SweepFolder.create(join(root, 'first'), asked, 'file')).rejects.toThrow(/resume that sweep/);
  await expect(SweepFolder.open(path)).rejects.toThrow('expected the folder of a sweep');
  await expect(SweepFolder.create(join(root, 'wrong'), { ...asked, lr: 3, momentum: 0.5 }, 'file')).rejects.toThrow(
    InputError,
  );
  expect(existsSync(join(root, 'wrong'))).toBe(false);
});

test('two sweeps that begin in one folder at once: one has it, the other one is refused', async () => {
  const path = join(root, 'both');
  const begun = await Promise.allSettled(
    [1, 2].map((seed) => SweepFolder.create(path, { ...asked, sweep: { seed } }, 'file')),
  );
  const refused = begun.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  expect(refused).toHaveLength(1);
  expect(refused[0]).toBeInstanceOf(InputError);
  const [made] = begun.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect((await SweepFolder.open(path)).definition).toEqual(made.definition);
});
