import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunFolder } from '../../src/model/runFolder.js';
import { fingerprint } from '../../src/model/stateFolder.js';
import type { EpochRecord } from '../../src/model/trainer.js';
import { Generator } from '../../src/random.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { buildProgram } from './build.js';

/** FOVEA_KILLS=100 makes the long test. */
const kills = Number(process.env.FOVEA_KILLS ?? 5);
const root = temporaryFolder();

test(
  `a run that is killed ${kills} times ends with the same bits as one left alone`,
  async () => {
    const script = buildProgram(root);
    const dataDir = await smallMnist(root, { train: 200, test: 50 });
    const epochs = String(Math.max(3, Math.ceil(kills / 2)));
    const generator = new Generator(Number(process.env.FOVEA_KILL_SEED ?? 1));
    const path = (name: string) => join(root, name);

    /** Runs the program; kills it some milliseconds after so many batches. */
    const run = (args: readonly string[], kill?: { readonly batches: number; readonly milliseconds: number }) =>
      new Promise<{ code: number | string; err: string }>((resolve) => {
        const child = spawn(
          process.execPath,
          [script, 'train', ...args, '--json', '--save-steps', '1', '--log-every', '1'],
          {
            env: { ...process.env, OMP_NUM_THREADS: '1', FOVEA_DEBUG: '' },
            stdio: ['ignore', 'pipe', 'pipe'],
          },
        );
        let err = '';
        child.stderr.setEncoding('utf8').on('data', (text) => {
          err += text;
        });
        let batches = 0;
        const look = (text: string) => {
          const before = batches;
          batches += text.split('"event":"batch"').length - 1;
          const due = kill !== undefined && batches >= kill.batches && (before < kill.batches || text === '');
          if (due) setTimeout(() => child.kill('SIGKILL'), kill.milliseconds);
        };
        child.stdout.setEncoding('utf8').on('data', look);
        look('');
        child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 'unknown', err }));
      });

    const begin = (out: string) => ['lenet', '--data-dir', dataDir, '--epochs', epochs, '--out', path(out)];
    expect(await run(begin('whole'))).toEqual({ code: 0, err: '' });

    let killed = 0;
    const steps: number[] = [];
    for (let attempt = 0; killed < kills; attempt++) {
      // Most kills hit a step or the saving after it, a few the opening of data and folder.
      const opening = generator.int(6) === 0;
      const kill = opening
        ? { batches: 0, milliseconds: generator.int(1000) }
        : { batches: 1 + generator.int(8), milliseconds: generator.int(30) };
      const exists = readdirSync(root).includes('killed') && readdirSync(path('killed')).includes('config.json');
      const { code, err } = await run(
        exists ? ['--resume', path('killed'), '--data-dir', dataDir] : begin('killed'),
        kill,
      );
      if (code === 0) break;
      expect([code, err], `attempt ${attempt}`).toEqual(['SIGKILL', '']);
      killed++;
      mkdirSync(path('killed'), { recursive: true });
      if (!readdirSync(path('killed')).includes('config.json')) continue;
      // Whenever it was killed, what was saved can be read.
      if (!readdirSync(path('killed')).includes('state.json')) continue;
      steps.push((await RunFolder.open(path('killed'))).state.training.steps);
    }
    expect(killed).toBe(kills);
    expect(new Set(steps).size).toBeGreaterThan(1);
    expect([...steps].sort((a, b) => a - b)).toEqual(steps);
    expect(await run(['--resume', path('killed'), '--data-dir', dataDir])).toEqual({ code: 0, err: '' });

    const [whole, resumed] = await Promise.all(['whole', 'killed'].map((name) => RunFolder.open(path(name))));
    for (const file of ['weights.safetensors', 'optimizer.safetensors']) {
      expect(await fingerprint(join(resumed.path, file)), file).toEqual(await fingerprint(join(whole.path, file)));
    }
    const untimed = ({ history }: RunFolder) =>
      history.map((record: EpochRecord) => ({ ...record, seconds: 0, imagesPerSecond: 0, dataShare: 0 }));
    expect(untimed(resumed)).toEqual(untimed(whole));
    expect(readdirSync(resumed.path).sort()).toEqual(readdirSync(whole.path).sort());
  },
  20_000 + kills * 5_000,
);
