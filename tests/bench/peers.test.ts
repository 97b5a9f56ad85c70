import { describe, expect, test } from 'vitest';

interface Result {
  readonly network: string;
  readonly mode: 'train' | 'infer';
  readonly precision: string;
  readonly batch: number;
  readonly peer: string;
  readonly variant: string;
  readonly round: number;
  readonly version?: string;
  readonly peakRssMiB?: number | null;
  readonly times?: readonly number[];
  readonly error?: string;
}
interface Best {
  readonly variant: string;
  readonly ms: number;
}
const { bestOf, report } = (await import(new URL('../../bench/peers/report.mjs', import.meta.url).href)) as {
  bestOf(results: readonly Result[], peer: string): Best | undefined;
  report(results: readonly Result[], settings: object): string;
};

const entry = { network: 'vgg16', mode: 'train', precision: 'float32', batch: 10, peakRssMiB: 100 } as const;
const run = (peer: string, variant: string, round: number, times: readonly number[]): Result => ({
  ...entry,
  ...{ peer, variant, round, times, version: '1.0' },
});

const results: readonly Result[] = [
  { ...run('floor', 'kernels', 1, [1000]), peakRssMiB: null },
  run('fovea', 'default', 1, [1300, 1200, 1100]),
  run('fovea', 'default', 2, [1600]),
  run('torch', 'eager', 1, [5000]),
  run('torch', 'channels_last', 1, [4000]),
  run('torch', 'channels_last', 2, [4800]),
  run('torch', 'compile', 1, [4200]),
  run('torch', 'compile', 2, [4300]),
  { ...entry, peer: 'paddle', variant: 'static', round: 1, error: 'ValueError: a | b' },
];

describe('the table of peers', () => {
  test('takes the fastest of the variants that stayed to the end, by the median over rounds', () => {
    expect(bestOf(results, 'torch')).toMatchObject({ variant: 'compile', ms: 4250 });
    expect(bestOf(results, 'fovea')).toMatchObject({ ms: 1400 });
    expect(bestOf(results, 'paddle')).toBeUndefined();
  });

  test('relates times to Fovea and Fovea to the floor, and shows what failed', () => {
    const peers = ['floor', 'fovea', 'torch', 'paddle'];
    const text = report(results, { threads: 2, rounds: 2, revision: 'abc', quick: false, peers });
    const row = '| vgg16, batch 10, float32 | 1000 | 1400 | 4250 (compile) | – | 1.40 | 3.04 | – |';
    expect(text.split('\n')).toContain(row);
    expect(text).toContain('PaddlePaddle static | ValueError: a / b | – | 0 |');
  });

  test('gives images a second for inference', () => {
    const [inference] = [run('fovea', 'default', 1, [50])].map((result) => ({ ...result, mode: 'infer' as const }));
    const text = report([inference], { threads: 2, rounds: 1, revision: 'abc', quick: true, peers: ['fovea'] });
    expect(text).toContain('| vgg16, batch 10, float32 | 200 |');
    expect(text).not.toContain('Training step');
  });
});
