/**
 * Trains the tutorial's recipes in PaddlePaddle, from its own initial weights, on the same images as Fovea, to compare the
 * spread of accuracy over seeds.
 *
 * usage: npm run bench -- fundusPaddle runs/results/palm [networks] [seeds] [epochs]
 *
 * Networks are alexnet, vgg16, googlenet and resnet50.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PALM } from '../src/vision/palm/dataset.js';

const known = ['alexnet', 'vgg16', 'googlenet', 'resnet50'];
const [dataDir, networks = 'alexnet,googlenet', seeds = '0,1,2', epochs = '5'] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('expected the folder of an import');
const strange = networks.split(',').find((name) => !known.includes(name));
if (strange !== undefined) throw new Error(`networks: expected some of ${known.join(', ')}, got '${strange}'`);
const installer = pathToFileURL(resolve('bench/peers/install.mjs')).href;
const { installPython } = (await import(installer)) as { installPython: (python: string) => string };
const python = installPython('python3');
// Some hundred MB, which a temporary folder in memory may not have room for.
mkdirSync('runs', { recursive: true });
const folder = mkdtempSync(join('runs', 'fundus-'));
try {
  for (const mode of ['train', 'validation'] as const) {
    const images = await PALM.open({ dataDir, mode });
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
