import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { compiledSources, external } from './tests/compiledSources.js';

// `#platform` of package.json as TypeScript source. Node gets these conditions for `require` too, so `import` is none of them.
const conditions = ['fovea-source', 'node', 'module'];

const testFiles = readdirSync('tests', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('tests', name));
const filesWith = (pattern: RegExp) => testFiles.filter((name) => pattern.test(readFileSync(name, 'utf8')));

/** Files that put other modules into the place of some: only modules that Vite loads can be replaced. */
const replacing = filesWith(/\bvi\.((doM|m)ock|resetModules)\(/);
/**
 * Files that count what others share, or change what `tests/sharedProcess.ts` does not undo. They get processes of
 * their own.
 */
const alone = filesWith(
  new RegExp(
    [
      String.raw`\bprocess\.(on|off|emit|nextTick|kill|umask|env\.\w+ =)\b`,
      'setUp|\\barena\\b|(ToyEngine|openEngine)\\(|live[A-Z]\\w*\\(|memoryUsage|resourceUsage|cpuUsage|gc\\(|setFlags|Workers',
    ].join('|'),
  ),
).filter((name) => !replacing.includes(name));

/**
 * Tests run most code a few times: V8 spends less on garbage and on optimizing, a quarter of the time altogether.
 * From Node 22 on it optimizes in more steps, and has no such budget.
 */
const optimizesLate = Number.parseInt(process.versions.node, 10) < 22 ? ['--interrupt-budget=600000'] : [];
/** Flags by which `scripts/matrix.mjs` restricts WebAssembly. */
const restricting = process.execArgv.filter((flag) => /^--(no-enable|wasm)-/.test(flag));
const forShortRuns = ['--initial-old-space-size=1024', ...optimizesLate, ...restricting];

/** Files that take longest, though they are short: they begin before the others of their project. */
const long = /goldens|systems|examples\.test|engine\/(bf16|processors)|ops\/engines/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project, moduleId }: TestSpecification) => `${project.name} ${long.test(moduleId) ? 0 : 1}`;
    return (await super.sort(files)).sort((a, b) => rank(a).localeCompare(rank(b)));
  }
}

const compiled = {
  plugins: [compiledSources()],
  extends: true,
  test: { server: { deps: { external: [external] } }, execArgv: ['--enable-source-maps', ...forShortRuns] },
} as const;

export default defineConfig({
  test: {
    globalSetup: 'tests/globalSetup.ts',
    sequence: { sequencer: LongFirst },
    // Many tests wait for programs that they start, so more files than processors run at once.
    maxWorkers: Math.min(3 * availableParallelism(), 8),
    projects: [
      { ...compiled, test: { ...compiled.test, name: 'alone', include: alone } },
      {
        ...compiled,
        test: {
          ...compiled.test,
          name: 'together',
          include: testFiles.filter((name) => !alone.includes(name) && !replacing.includes(name)),
          isolate: false,
          setupFiles: ['tests/sharedProcess.ts'],
        },
      },
      {
        extends: true,
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: { name: 'source', include: replacing, execArgv: forShortRuns },
      },
    ],
    // Bars of progress look otherwise on terminals that cannot go back, as in some CI systems. Threads of many files at
    // once must not wait for work by computing.
    env: { TERM: 'xterm', OMP_WAIT_POLICY: 'passive' },
    pool: 'forks',
    // Ends tests that hang. A loaded machine takes many times as long as an idle one, and must not fail a test; a long
    // run of the fuzzers takes hours.
    testTimeout: process.env.FOVEA_FUZZ ? 6 * 3_600_000 : 1_800_000,
    hookTimeout: 1_800_000,
  },
});
