import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Run } from '../../src/run/run.js';
import { writeRedAndBlue } from '../run/redAndBlue.js';

/** Trains a small network on red and blue pictures in `photos` of a folder, in its folder `runs`. */
export async function smallRun(root: string, name: string, { seed = 1, epochs = 1, lr = 0.02 } = {}): Promise<void> {
  const photos = join(root, 'photos');
  if (!existsSync(photos)) await writeRedAndBlue(photos, 40);
  const run = await Run.create({
    model: 'lenet',
    data: `folder:${photos}`,
    out: join(root, 'runs', name),
    seed,
    holdOut: 0.4,
    // Runs that are compared have the same pictures.
    holdOutSeed: 0,
    imageLoading: { cache: false },
    changes: { epochs, batchSize: 8, learningRate: lr },
  });
  await run.train({ onNote: () => {} });
}
