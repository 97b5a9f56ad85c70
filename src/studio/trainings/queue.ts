import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { makeFolder, writeFileAtomic } from '../../io/files/atomic.js';
import { readText } from '../../io/files/input.js';
import { ownerOf } from '../../io/files/lock.js';
import { childProcess, hasEnded, type Owner } from '../../io/files/owner.js';
import { parseRecord } from '../../text/record.js';
import type { Job } from '../api.js';
import { studioFolder } from '../claim.js';
import { Refusal } from '../refusal.js';

const job = z.object({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  run: z.string(),
  words: z.array(z.string()).readonly(),
  state: z.enum(['waiting', 'running', 'stopped', 'failed', 'finished']),
  message: z.string().nullable(),
});
const owner = z.object({
  host: z.string(),
  pid: z.number().int().positive(),
  began: z.string().nullable(),
  boot: z.string().nullable().default(null),
  space: z.string().nullable().default(null),
});
/** The process of a training that was running. */
const stored = job.extend({ process: owner.optional() });
const record = z.object({ format: z.literal(1), jobs: z.array(stored) });

/** Trainings that the list keeps. */
const mostJobs = 50;
const lookMs = 100;

/** Arguments that every training of a studio has, for its curves. Later ones would win. */
const forCurves = ['--json', '--log-every=10'];

/**
 * The trainings of a studio: one runs at a time, the others wait. Each is a process of the command line that
 * writes its events to a file, so that it outlives tabs, and the studio itself.
 */
export class TrainingQueue {
  readonly #root: string;
  readonly #folder: string;
  readonly #program: readonly string[];
  #jobs: Job[] = [];
  #child: ChildProcess | null = null;
  /** The process of the running training. A training prepares for a while before it locks its folder. */
  #process: Owner | null = null;
  #starting: Promise<void> = Promise.resolve();
  #ending: Promise<void> = Promise.resolve();
  /** Waiting trainings start only after a person said so: a studio that was ended may be opened to look. */
  #held = false;
  #closed = false;
  #stored: Promise<void> = Promise.resolve();

  constructor(root: string, program: readonly string[]) {
    this.#root = root;
    this.#folder = join(root, studioFolder, 'trainings');
    this.#program = program;
  }

  /** Reads the trainings of earlier studios on this folder. */
  async open(): Promise<void> {
    await makeFolder(this.#folder);
    const path = join(this.#folder, 'queue.json');
    const text = await readText(path).catch(() => null);
    const read = text === null ? [] : parseRecord(record, 'studio', text, path).jobs;
    this.#jobs = read.map(({ process: _, ...own }) => own);
    this.#held = this.#jobs.some(({ state }) => state === 'waiting');
    for (const { id, run, state, process } of read) {
      if (state !== 'running') continue;
      this.#process = process ?? (await ownerOf(join(this.#root, run)));
      if (await this.#lives()) this.#await(id);
      else await this.#end(id, null);
    }
  }

  get jobs(): readonly Job[] {
    return this.#jobs;
  }

  get held(): boolean {
    return this.#held;
  }

  /** A training of the list. @throws {Refusal} for an unknown one */
  job(id: string): Job {
    return this.#find(id);
  }

  /** The file with the events of a training. @throws {Refusal} for an unknown one */
  eventsOf(id: string): string {
    this.#find(id);
    return this.#file(id, 'jsonl');
  }

  /**
   * @param words arguments of the command line
   * @throws {Refusal} for a run that is in the queue already: two tabs may ask at the same time
   */
  async add(run: string, words: readonly string[]): Promise<Job> {
    if (this.has(run)) {
      throw new Refusal('busy', `${run}: expected a run that is not in the queue, got one that is`);
    }
    const added: Job = { id: randomBytes(6).toString('hex'), run, words, state: 'waiting', message: null };
    const ended = this.#jobs.filter(({ state }) => state !== 'waiting' && state !== 'running');
    const old = ended.slice(0, Math.max(0, this.#jobs.length + 1 - mostJobs));
    this.#jobs = [...this.#jobs.filter((one) => !old.includes(one)), added];
    await this.#store();
    this.#next();
    return added;
  }

  /** Whether a run trains or waits. */
  has(run: string): boolean {
    return this.#jobs.some((one) => one.run === run && (one.state === 'running' || one.state === 'waiting'));
  }

  /** Starts what waits. */
  release(): void {
    this.#held = false;
    this.#next();
  }

  /** Ends a training after it has saved its state, or takes it out of the queue. */
  async stop(id: string): Promise<void> {
    const { state } = this.#find(id);
    if (state === 'waiting') {
      this.#jobs = this.#jobs.filter((one) => one.id !== id);
      await this.#store();
    } else if (state === 'running') await this.#ask();
  }

  /** Ends the running training, which saves its state. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#starting;
    const child = this.#child;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    await this.#ending;
    const running = this.#jobs.find(({ state }) => state === 'running');
    // It belongs to an earlier studio.
    if (running !== undefined) {
      await this.#ask();
      while (await this.#lives()) await sleep(lookMs);
      await this.#end(running.id, null);
    }
    await this.#stored;
  }

  /** Asks the running training to end. */
  async #ask(): Promise<void> {
    await this.#starting;
    if (this.#child !== null) this.#child.kill('SIGTERM');
    else if (this.#process !== null && (await this.#lives())) process.kill(this.#process.pid, 'SIGTERM');
  }

  async #lives(): Promise<boolean> {
    return this.#process !== null && !(await hasEnded(this.#process));
  }

  #find(id: string): Job {
    const found = this.#jobs.find((one) => one.id === id);
    if (found === undefined) throw new Refusal('unknown', `training: expected one of the queue, got '${id}'`);
    return found;
  }

  #file(id: string, ending: 'jsonl' | 'txt'): string {
    return join(this.#folder, `${id}.${ending}`);
  }

  #next(): void {
    if (this.#closed || this.#held || this.#jobs.some(({ state }) => state === 'running')) return;
    const waiting = this.#jobs.find(({ state }) => state === 'waiting');
    if (waiting === undefined) return;
    this.#change(waiting.id, { state: 'running' });
    this.#starting = this.#start(waiting).catch((error: unknown) => this.#end(waiting.id, 1, String(error)));
  }

  async #start({ id, words }: Job): Promise<void> {
    // A studio that is killed after this leaves a training that the next one looks for.
    await this.#store();
    if (this.#closed) return this.#set(id, { state: 'waiting' });
    const [program, ...first] = this.#program;
    const [out, problems] = await Promise.all([open(this.#file(id, 'jsonl'), 'w'), open(this.#file(id, 'txt'), 'w')]);
    try {
      const child = spawn(program, [...first, words[0], ...forCurves, ...words.slice(1)], {
        cwd: this.#root,
        stdio: ['ignore', out.fd, problems.fd],
        // Ctrl-C in the terminal of the studio is for the studio, which then asks the training to end.
        detached: true,
      });
      this.#child = child;
      child.on('error', (error) => {
        this.#ending = this.#end(id, 1, error.message);
      });
      child.on('close', (code) => {
        this.#ending = this.#end(id, code);
      });
      const started = child.pid === undefined ? null : await childProcess(child.pid);
      // It may have ended meanwhile.
      if (this.#child !== child) return;
      this.#process = started;
      await this.#store();
    } finally {
      await Promise.all([out.close(), problems.close()]);
    }
  }

  /** Waits for a training that another studio has started. */
  async #await(id: string): Promise<void> {
    while (!this.#closed && (await this.#lives())) await sleep(lookMs, null, { ref: false });
    if (!this.#closed) await this.#end(id, null);
  }

  /** @param code null if it is unknown */
  async #end(id: string, code: number | null, problem?: string): Promise<void> {
    this.#child = null;
    this.#process = null;
    const events = await readText(this.#file(id, 'jsonl')).catch(() => '');
    const completed = /"event":"end".*"completed":true/.test(events);
    const lines = (await readText(this.#file(id, 'txt')).catch(() => '')).trim().split('\n');
    const message = problem ?? lines.at(-1)?.replace(/^fovea: /, '') ?? '';
    // 128 and more are signals: the state was saved. Without a code, an error in the last line shows it.
    const failed = code === null ? !completed && /^fovea: \[/.test(lines.at(-1) ?? '') : code !== 0 && code < 128;
    this.#set(id, {
      state: failed ? 'failed' : completed ? 'finished' : 'stopped',
      message: failed ? message : null,
    });
    this.#next();
  }

  #set(id: string, change: Partial<Job>): void {
    this.#change(id, change);
    this.#store().catch(() => {});
  }

  #change(id: string, change: Partial<Job>): void {
    this.#jobs = this.#jobs.map((one) => (one.id === id ? { ...one, ...change } : one));
  }

  #store(): Promise<void> {
    this.#stored = this.#stored
      .catch(() => {})
      .then(() =>
        writeFileAtomic(
          join(this.#folder, 'queue.json'),
          `${JSON.stringify({ format: 1, jobs: this.#jobs.map((one) => this.#withProcess(one)) }, null, 2)}\n`,
        ),
      );
    return this.#stored;
  }

  #withProcess(one: Job): z.input<typeof stored> {
    return one.state === 'running' && this.#process !== null ? { ...one, process: this.#process } : one;
  }
}
