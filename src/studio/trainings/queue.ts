import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { makeFolder, writeFileAtomic } from '../../io/files/atomic.js';
import { readText } from '../../io/files/input.js';
import { ownerOf } from '../../io/files/lock.js';
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
const record = z.object({ format: z.literal(1), jobs: z.array(job) });

/** Trainings that the list keeps. */
const mostJobs = 50;
const lookMs = 500;

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
    if (text !== null) this.#jobs = parseRecord(record, 'studio', text, path).jobs;
    this.#held = this.#jobs.some(({ state }) => state === 'waiting');
    for (const { id, run, state } of this.#jobs) {
      if (state !== 'running') continue;
      if ((await this.#owner(run)) === null) await this.#end(id, null);
      else this.#await(id, run);
    }
  }

  get jobs(): readonly Job[] {
    return this.#jobs;
  }

  get held(): boolean {
    return this.#held;
  }

  /** The file with the events of a training. @throws {Refusal} for an unknown one */
  eventsOf(id: string): string {
    this.#find(id);
    return this.#file(id, 'jsonl');
  }

  /** @param words arguments of the command line */
  async add(run: string, words: readonly string[]): Promise<Job> {
    const added: Job = { id: randomBytes(6).toString('hex'), run, words, state: 'waiting', message: null };
    const ended = this.#jobs.filter(({ state }) => state !== 'waiting' && state !== 'running');
    const old = ended.slice(0, Math.max(0, this.#jobs.length + 1 - mostJobs));
    this.#jobs = [...this.#jobs.filter((one) => !old.includes(one)), added];
    await this.#store();
    this.#next();
    return added;
  }

  /** Starts what waits. */
  release(): void {
    this.#held = false;
    this.#next();
  }

  /** Ends a training after it has saved its state, or takes it out of the queue. */
  async stop(id: string): Promise<void> {
    const { state, run } = this.#find(id);
    if (state === 'waiting') {
      this.#jobs = this.#jobs.filter((one) => one.id !== id);
      await this.#store();
    } else if (state === 'running') {
      if (this.#child !== null) this.#child.kill('SIGTERM');
      else {
        const owner = await this.#owner(run);
        if (owner !== null) process.kill(owner.pid, 'SIGTERM');
      }
    }
  }

  /** Ends the running training, which saves its state. */
  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    await this.#stored;
  }

  #find(id: string): Job {
    const found = this.#jobs.find((one) => one.id === id);
    if (found === undefined) throw new Refusal('unknown', `training: expected one of the queue, got '${id}'`);
    return found;
  }

  #file(id: string, ending: 'jsonl' | 'txt'): string {
    return join(this.#folder, `${id}.${ending}`);
  }

  #owner(run: string) {
    return ownerOf(join(this.#root, run));
  }

  #next(): void {
    if (this.#closed || this.#held || this.#jobs.some(({ state }) => state === 'running')) return;
    const waiting = this.#jobs.find(({ state }) => state === 'waiting');
    if (waiting === undefined) return;
    this.#set(waiting.id, { state: 'running' });
    this.#start(waiting).catch((error: unknown) => this.#end(waiting.id, 1, String(error)));
  }

  async #start({ id, words }: Job): Promise<void> {
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
      child.on('error', (error) => this.#end(id, 1, error.message));
      child.on('close', (code) => this.#end(id, code));
    } finally {
      await Promise.all([out.close(), problems.close()]);
    }
  }

  /** Waits for a training that another studio has started. */
  async #await(id: string, run: string): Promise<void> {
    while (!this.#closed && (await this.#owner(run)) !== null) await sleep(lookMs, null, { ref: false });
    if (!this.#closed) await this.#end(id, null);
  }

  /** @param code null if it is unknown */
  async #end(id: string, code: number | null, problem?: string): Promise<void> {
    this.#child = null;
    const events = await readText(this.#file(id, 'jsonl')).catch(() => '');
    const completed = /"event":"end".*"completed":true/.test(events);
    const lines = (await readText(this.#file(id, 'txt')).catch(() => '')).trim().split('\n');
    const message = problem ?? lines.at(-1)?.replace(/^fovea: /, '') ?? '';
    // 128 and more are signals: the state was saved.
    const failed = code !== null && code !== 0 && code < 128;
    this.#set(id, {
      state: failed ? 'failed' : completed ? 'finished' : 'stopped',
      message: failed ? message : null,
    });
    this.#next();
  }

  #set(id: string, change: Partial<Job>): void {
    this.#jobs = this.#jobs.map((one) => (one.id === id ? { ...one, ...change } : one));
    this.#store().catch(() => {});
  }

  #store(): Promise<void> {
    this.#stored = this.#stored
      .catch(() => {})
      .then(() =>
        writeFileAtomic(
          join(this.#folder, 'queue.json'),
          `${JSON.stringify({ format: 1, jobs: this.#jobs }, null, 2)}\n`,
        ),
      );
    return this.#stored;
  }
}
