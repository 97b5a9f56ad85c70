/** Builds the page of `fovea studio` from studio/. `node scripts/buildStudio.mjs` builds it into the package. */
import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const usual = join(root, 'dist/studio/page');

/** @param {string} folder for the files of the page; its old contents are replaced */
export async function buildStudio(folder = usual) {
  // A studio that starts meanwhile finds the old page or the new one.
  const fresh = `${resolve(folder)}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: ['studio/main.tsx', 'studio/style.css'],
    outdir: fresh,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2023',
    platform: 'browser',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'eof',
    logLevel: 'warning',
  });
  copyFileSync(join(root, 'studio/index.html'), join(fresh, 'index.html'));
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildStudio();
