import { execFile } from 'node:child_process';
import { InputError } from '../../errors.js';
import type { TrainingEstimate } from '../api.js';

interface Benchmark {
  readonly medianMs: number;
  readonly peakRssMiB: number;
}

/**
 * Time and memory of a training, from some of its steps on random images, which `fovea bench` measures in a
 * process of its own. Reading of images and evaluation come on top.
 *
 * @throws {InputError} with the words of the command, if it fails
 */
export async function estimateTraining(
  program: readonly string[],
  asked: {
    readonly model: string;
    readonly batchSize: number;
    readonly images: number | null;
    readonly epochs: number;
  },
  signal: AbortSignal,
): Promise<TrainingEstimate> {
  const { model, batchSize, images, epochs } = asked;
  const words = ['bench', model, `--batch=${batchSize}`, '--steps=3', '--warmup=2'];
  const { medianMs, peakRssMiB } = await new Promise<Benchmark>((resolve, reject) => {
    const [file, ...first] = program;
    execFile(file, [...first, ...words, '--json'], { signal }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Benchmark);
      else reject(new InputError(stderr.trim().replace(/^fovea: /, '') || error.message, { cause: error }));
    });
  });
  const secondsPerEpoch = images === null ? null : ((images / batchSize) * medianMs) / 1000;
  return {
    words,
    stepMs: medianMs,
    imagesPerSecond: (1000 * batchSize) / medianMs,
    memoryBytes: peakRssMiB * 2 ** 20,
    secondsPerEpoch,
    seconds: secondsPerEpoch === null ? null : epochs * secondsPerEpoch,
  };
}
