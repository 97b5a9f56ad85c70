/**
 * The tutorial's recipes in PaddlePaddle itself, from its own initial weights, on the very images that Fovea trains on:
 * how far apart the accuracies of different seeds lie there.
 *
 * usage: npm run bench -- fundusPaddle runs/results/palm [networks] [seeds] [epochs]
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { vision } from '../src/index.js';

const [dataDir, networks = 'alexnet,googlenet', seeds = '0,1,2', epochs = '5'] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('expected the folder of an import');
const installer = pathToFileURL(resolve('bench/peers/install.mjs')).href;
const { installPython } = (await import(installer)) as { installPython: (python: string) => string };
const python = installPython('python3');
const folder = mkdtempSync(join(tmpdir(), 'fundus-'));
try {
  for (const mode of ['train', 'validation'] as const) {
    const images = await vision.datasets.PALM.open({ dataDir, mode });
    for (let i = 0; i < images.length; i++) {
      const { image } = await images.get(i);
      appendFileSync(join(folder, `${mode}.images`), new Uint8Array(image.buffer, image.byteOffset, image.byteLength));
    }
    appendFileSync(join(folder, `${mode}.labels`), new Uint8Array(images.labels.buffer));
  }
  for (const seed of seeds.split(',')) {
    for (const network of networks.split(',')) {
      const args = ['bench/fundus_paddle.py', folder, network, seed, epochs];
      const { status } = spawnSync(python, args, { stdio: 'inherit' });
      if (status !== 0) throw new Error(`PaddlePaddle ended with exit code ${status}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
