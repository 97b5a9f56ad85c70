import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
import { type walk as Walk, words } from '../../../src/engine/portable/walk.js';
import { webAssembly as WebAssembly } from '../../../src/engine/portable/wasm/webAssembly.js';
import { temporaryFolder } from '../../temporary.js';

it.each([{}, { minify: true }, { keepNames: true }, { minify: true, keepNames: true }])(
  'the program of a thread needs nothing of its bundle: %o',
  async (options) => {
    const entryPoints = ['src/engine/portable/walk.ts'];
    const { outputFiles } = buildSync({ entryPoints, format: 'esm', target: 'es2023', write: false, ...options });
    const file = join(temporaryFolder(), 'walk.mjs');
    writeFileSync(file, outputFiles[0].contents);
    const { walk } = (await import(pathToFileURL(file).href)) as { readonly walk: typeof Walk };
    const program = runInNewContext(`(${walk})`, { WebAssembly }) as typeof Walk;
    // The thread looks at this number once all of its functions are there, and before it waits for work.
    const reached = () => {
      throw new RangeError('started');
    };
    const watched = Object.defineProperty({ ...words }, 'started', { get: reached });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    expect(() => program({ memory, words: watched, looks: 0, index: 1 })).toThrow('started');
  },
);
