import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

interface Entry {
  readonly network: string;
  readonly mode: 'train' | 'infer';
  readonly precision: string;
  readonly batch: number;
}
interface Contender {
  readonly peer: string;
  readonly variant: string;
}
interface Result extends Entry, Contender {
  readonly round: number;
  readonly version?: string;
  readonly stepMiB?: number;
  readonly processMiB?: number;
  readonly times?: readonly number[];
  readonly error?: string;
  readonly time?: string;
  readonly cpu?: string;
}
interface Plan {
  readonly networks: readonly string[];
  readonly titles: Readonly<Record<string, string>>;
  entriesOf(networks: readonly string[], modes: readonly string[]): Entry[];
  contendersOf(entry: Entry, peers: readonly string[]): Contender[];
  finalistsOf(contenders: readonly Contender[], screened: readonly Result[]): Contender[];
  turnOf(round: number, ms: number | undefined, quick: boolean): { readonly warmup: { readonly count: number } };
  inTurn<T>(contenders: readonly T[], round: number): T[];
}
interface Report {
  bestOf(results: readonly Result[], peer: string): { readonly variant: string; readonly ms: number } | undefined;
  smallestOf(results: readonly Result[], peer: string): { readonly variant: string } | undefined;
  report(results: readonly Result[], settings: object): string;
}
const load = (name: string): Promise<unknown> => import(new URL(`../../bench/peers/${name}.mjs`, import.meta.url).href);
const plan = (await load('plan')) as Plan;
const { bestOf, smallestOf, report } = (await load('report')) as Report;
const { revisionOf } = (await load('revision')) as { revisionOf(root: string, paths: readonly string[]): string };

const entry: Entry = { network: 'vgg16', mode: 'train', precision: 'float32', batch: 10 };
const run = (peer: string, variant: string, round: number, times: readonly number[], more: object = {}): Result => ({
  ...entry,
  ...{ peer, variant, round, times, version: '1.0', stepMiB: 100, processMiB: 150, ...more },
});

describe('the plan of the peers', () => {
  test('begins with the training of the large networks', () => {
    const entries = plan.entriesOf(plan.networks, ['train', 'infer']);
    expect(entries).toHaveLength(29);
    expect(entries.slice(0, 4).map(({ network, mode, precision }) => `${network} ${mode} ${precision}`)).toEqual([
      'resnet50 train float32',
      'resnet50 train bf16',
      'vgg16 train float32',
      'vgg16 train bf16',
    ]);
    expect(entries.at(-1)).toEqual({ network: 'resnet50-cifar', mode: 'train', precision: 'bf16', batch: 64 });
    expect(plan.entriesOf(['lenet'], ['infer']).map(({ batch }) => batch)).toEqual([1, 10]);
  });

  test('gives PyTorch short parameters where it predicts in bf16', () => {
    const variants = (mode: 'train' | 'infer') =>
      plan.contendersOf({ ...entry, mode, precision: 'bf16' }, ['torch']).map(({ variant }) => variant);
    expect(variants('train')).toEqual(['eager', 'channels_last', 'compile_channels_last']);
    expect(variants('infer').filter((variant) => variant.includes('bfloat16'))).toHaveLength(3);
  });

  test('keeps two modes of a peer within a quarter of its best one, and whoever has no other', () => {
    const contenders = ['a', 'b', 'c', 'd'].map((variant) => ({ peer: 'torch', variant }));
    const fovea = { peer: 'fovea', variant: 'default' };
    const kept = (times: Readonly<Record<string, number>>) =>
      plan
        .finalistsOf(
          [fovea, ...contenders],
          Object.entries(times).map(([variant, ms]) => run('torch', variant, 0, [2 * ms, ms])),
        )
        .map(({ variant }) => variant);
    expect(kept({ a: 120, b: 100, c: 110, d: 500 })).toEqual(['default', 'b', 'c']);
    expect(kept({ a: 126, b: 100 })).toEqual(['default', 'b']);
    expect(kept({})).toEqual(['default']);
  });

  test('warms up whoever has just been started, and again where that is cheap', () => {
    const warmups = [undefined, 10, 2000].map((ms) => plan.turnOf(1, ms, false).warmup.count);
    expect(warmups).toEqual([3, 1, 0]);
  });

  test('lets each round begin with another contender', () => {
    expect([1, 2, 3, 4].map((round) => plan.inTurn(['a', 'b', 'c'], round).join(''))).toEqual([
      'abc',
      'bca',
      'cab',
      'abc',
    ]);
    expect(plan.inTurn([], 2)).toEqual([]);
  });
});

test('the revision tells states of the measured files apart, committed or not', () => {
  const root = mkdtempSync(join(tmpdir(), 'fovea-revision-'));
  try {
    const git = (...args: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: root });
    const write = (name: string, text: string) => writeFileSync(join(root, name), text);
    const revision = () => revisionOf(root, ['a.txt', 'b.txt']);
    git('init', '-q');
    write('a.txt', '1');
    git('add', '.');
    git('commit', '-q', '-m', 'one');
    const clean = revision();
    expect(clean).toMatch(/^[0-9a-f]{7,}$/);
    write('other.txt', 'x');
    expect(revision()).toBe(clean);
    const seen = [clean];
    for (const [name, text] of [
      ['a.txt', '2'],
      ['a.txt', '3'],
      ['b.txt', 'x'],
      ['b.txt', 'y'],
    ]) {
      write(name, text);
      seen.push(revision());
    }
    expect(new Set(seen).size).toBe(5);
  } finally {
    rmSync(root, { recursive: true });
  }
});

const results: readonly Result[] = [
  { ...entry, peer: 'floor', variant: 'kernels', round: 1, times: [1000] },
  run('fovea', 'default', 1, [1300, 1200, 1100], { time: '2030-01-02T03:04:05.000Z', cpu: 'A processor' }),
  run('fovea', 'default', 2, [1600], { time: '2030-01-02T03:54:05.000Z' }),
  run('torch', 'eager', 0, [5100, 5000], { stepMiB: 250, processMiB: 350 }),
  run('torch', 'channels_last', 0, [4000]),
  run('torch', 'channels_last', 1, [4000], { stepMiB: 300, processMiB: 400 }),
  run('torch', 'channels_last', 2, [4800]),
  run('torch', 'compile_channels_last', 0, [3000]),
  run('torch', 'compile_channels_last', 1, [4200], { stepMiB: 310, processMiB: 400 }),
  run('torch', 'compile_channels_last', 2, [4300]),
  { ...entry, peer: 'paddle', variant: 'static', round: 1, error: 'ValueError: a | b' },
];
const peers = ['floor', 'fovea', 'torch', 'paddle'];
const settings = { threads: 2, rounds: 2, revision: 'abc', quick: false, peers, load: 0.1 };

describe('the table of peers', () => {
  test('takes the fastest of the modes that stayed to the end, by the median over rounds', () => {
    expect(bestOf(results, 'torch')).toMatchObject({ variant: 'compile_channels_last', ms: 4250 });
    expect(bestOf(results, 'fovea')).toMatchObject({ ms: 1400 });
    expect(bestOf(results, 'paddle')).toBeUndefined();
    expect(smallestOf(results, 'torch')).toMatchObject({ variant: 'eager' });
  });

  test('relates times to Fovea and Fovea to the floor, and shows what was screened and what failed', () => {
    const text = report(results, settings);
    const lines = text.split('\n');
    expect(lines).toContain(
      '| vgg16, batch 10, float32 | 1000 | 1400 | 4250 (compile_channels_last) | – | 1.40 | 3.04 | – |',
    );
    expect(lines).toContain(
      '| vgg16, batch 10, float32 | 100 of 150 | 310 of 400 (compile_channels_last) | 250 of 350 (eager) | – | 3.10 | 2.50 | – |',
    );
    expect(text).toContain('PyTorch eager | 5000 | 250 | 350 | screened |');
    expect(text).toContain('PaddlePaddle static | ValueError: a / b | – | – | 0 |');
  });

  test('says when and where it was measured, and what speaks against it', () => {
    const text = report(results, settings);
    expect(text).toContain('from 2030-01-02 03:04 to 2030-01-02 03:54 UTC, revision abc: A processor, ');
    expect(text).not.toContain('busy');
    expect(text).not.toContain('torch.compile failed');
    const failed = { ...entry, peer: 'torch', variant: 'compile_channels_last', round: 0, error: 'Error: no g++' };
    const doubtful = report([...results.slice(0, 7), failed], { ...settings, load: 2 });
    expect(doubtful).toContain('**The machine was busy at the start (load 2.00)');
    expect(doubtful).toContain('**torch.compile failed in 1 of 1 measurements (Error: no g++)');
  });

  test('says what bf16 is on a processor whose instructions for it are slow', () => {
    const note = 'Asked for bf16, Fovea computes in float32 here';
    expect(report(results, settings)).not.toContain(note);
    const slow = results.map((result) => ({ ...result, version: 'oneDNN, slow bf16' }));
    expect(report(slow, settings)).toContain(note);
  });

  test('gives images a second for inference, and relates bf16 to onnxruntime in float32', () => {
    const inference = (peer: string, precision: string, ms: number) => ({
      ...run(peer, 'default', 1, [ms]),
      ...{ mode: 'infer' as const, precision },
    });
    const text = report(
      [inference('fovea', 'float32', 50), inference('onnxruntime', 'float32', 60), inference('fovea', 'bf16', 30)],
      { ...settings, peers: ['fovea', 'onnxruntime'] },
    );
    expect(text).toContain('| vgg16, batch 10, float32 | 200 | 167 | 1.20 | – |');
    expect(text).toContain('| vgg16, batch 10, bf16 | 333 | – | – | 2.00 |');
    expect(text).not.toContain('Training step');
  });
});
