import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { compiledSources, external } from './tests/compiledSources.js';

// `#platform` of package.json as TypeScript source. Node gets these conditions for `require` too, so `import` is none of them.
const conditions = ['fovea-source', 'node', 'module'];

const testFiles = readdirSync('tests', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('tests', name));
/** Files that put other modules into the place of some: only modules that Vite loads can be replaced. */
const replacing = testFiles.filter((name) => /\bvi\.((doM|m)ock|resetModules)\(/.test(readFileSync(name, 'utf8')));

export default defineConfig({
  test: {
    globalSetup: 'tests/globalSetup.ts',
    // Many tests wait for programs that they start, so more files than processors run at once.
    maxWorkers: Math.min(3 * availableParallelism(), 8),
    projects: [
      {
        plugins: [compiledSources()],
        extends: true,
        test: {
          name: 'compiled',
          include: ['tests/**/*.test.ts'],
          exclude: replacing,
          server: { deps: { external: [external] } },
          execArgv: ['--enable-source-maps'],
        },
      },
      {
        extends: true,
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: { name: 'source', include: replacing },
      },
    ],
    // Bars of progress look otherwise on terminals that cannot go back, as in some CI systems.
    env: { TERM: 'xterm' },
    // The native library lives in the process and starts threads of its own: a fresh process for each file.
    pool: 'forks',
    // Ends tests that hang. A loaded machine takes many times as long as an idle one, and must not fail a test; a long
    // run of the fuzzers takes hours.
    testTimeout: process.env.FOVEA_FUZZ ? 6 * 3_600_000 : 1_800_000,
    hookTimeout: 1_800_000,
  },
});
