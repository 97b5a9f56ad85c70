import { join } from 'node:path';
import { expect } from 'vitest';
import { runFovea } from '../cli/run.js';
import { smallMnist } from '../smallMnist.js';

/** Trains LeNet on 200 digits in a folder below `root`, with 60 for validation. */
export async function trainDigits(root: string, name: string): Promise<void> {
  const data = await smallMnist(root, { train: 200, test: 60, name: '.digits' });
  const recipe = ['--epochs', '1', '--lr', '0.1', '--seed', '1'];
  const { code, err } = await runFovea('train', 'lenet', '--data-dir', data, ...recipe, '--out', join(root, name));
  expect([code, err]).toEqual([0, expect.not.stringContaining('fovea:')]);
}
