import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// `#platform` of package.json as TypeScript source. Node gets these conditions for `require` too, so `import` is none of them.
const conditions = ['fovea-source', 'node', 'module'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: 'tests/globalSetup.ts',
    // Bars of progress look otherwise on terminals that cannot go back, as in some CI systems.
    env: { TERM: 'xterm' },
    // The native library lives in the process and starts threads of its own: a fresh process for each file. Many tests
    // wait for programs that they start, so more files than processors run at once.
    pool: 'forks',
    maxWorkers: Math.min(3 * availableParallelism(), 8),
    // Ends tests that hang. A loaded machine takes many times as long as an idle one, and must not fail a test; a long
    // run of the fuzzers takes hours.
    testTimeout: process.env.FOVEA_FUZZ ? 6 * 3_600_000 : 1_800_000,
    hookTimeout: 1_800_000,
  },
});
