/**
 * Runs the fuzzers for longer than `npm test` does: `npm run fuzz -- 20000 networks` runs 20,000 cases of each fuzzer
 * whose file name contains `networks`. Cases that take long run in a smaller number; each fuzzer prints its count and seed.
 *
 * The cases run in parts, each in a process of its own: an end of a process loses one part, and its seed and its last
 * case are printed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Cases of a process. */
const most = 2000;

const [count = '', ...rest] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(count)) {
  console.error('usage: npm run fuzz -- CASES [PART OF A FILE NAME…]\nFOVEA_FUZZ_SEED=N repeats a run.');
  process.exit(2);
}
// Fuzzers are the files that end with .fuzz.test.ts.
const files = rest.length > 0 ? rest : ['.fuzz.test.ts'];
const first = Number(process.env.FOVEA_FUZZ_SEED || Math.floor(Math.random() * 2 ** 30));
const total = Number(count);
const folder = mkdtempSync(join(tmpdir(), 'fovea-fuzz-'));
let failed = 0;
try {
  for (let part = 0; part * most < total; part++) {
    const cases = Math.min(most, total - part * most);
    const seed = first + part;
    const lastCase = join(folder, String(part));
    const env = { ...process.env, FOVEA_FUZZ: String(cases), FOVEA_FUZZ_SEED: String(seed), FOVEA_FUZZ_LAST: lastCase };
    const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files], {
      stdio: 'inherit',
      env,
    });
    if (status === 0) continue;
    failed++;
    // The file is there if the process ended within a case.
    const last = existsSync(lastCase) ? `\nthe process ended in ${readFileSync(lastCase, 'utf8')}` : '';
    console.error(`fuzz: failed; repeat: FOVEA_FUZZ_SEED=${seed} npm run fuzz -- ${cases} ${rest.join(' ')}${last}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
if (total > most) console.error(`fuzz: ${total} cases from seed ${first} on, ${failed} parts failed`);
process.exitCode = failed > 0 ? 1 : 0;
