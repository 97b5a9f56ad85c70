/**
 * Runs the fuzzers for longer than `npm test` does: `npm run fuzz -- 20000 networks` runs 20,000 cases of each fuzzer
 * whose file name contains `networks`. Cases that take long run in a smaller number; each fuzzer prints its count and seed.
 */
import { spawnSync } from 'node:child_process';

const [count = '', ...rest] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(count)) {
  console.error('usage: npm run fuzz -- CASES [PART OF A FILE NAME…]\nFOVEA_FUZZ_SEED=N repeats a run.');
  process.exit(2);
}
// Fuzzers are the files that end with .fuzz.test.ts.
const files = rest.length > 0 ? rest : ['.fuzz.test.ts'];
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files], {
  stdio: 'inherit',
  env: { ...process.env, FOVEA_FUZZ: count },
});
process.exitCode = status ?? 1;
