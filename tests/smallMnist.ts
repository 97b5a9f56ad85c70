import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MNIST } from '../src/vision/datasets/mnist.js';
import { idx } from './vision/datasets/idx.js';

/** Writes the first images of MNIST as IDX files into a new folder `name` of `root`; returns its path. */
export async function smallMnist(
  root: string,
  { train = 500, test = 230, name = 'mnist' }: { train?: number; test?: number; name?: string } = {},
): Promise<string> {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  for (const [mode, prefix, count] of [
    ['train', 'train', train],
    ['test', 't10k', test],
  ] as const) {
    const { source } = await MNIST.open({ mode, download: false });
    const pixels = readFileSync(source.images).subarray(16, 16 + count * 784);
    const labels = readFileSync(source.labels).subarray(8, 8 + count);
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), idx(0x803, [count, 28, 28], pixels));
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte`), idx(0x801, [count], labels));
  }
  return folder;
}
