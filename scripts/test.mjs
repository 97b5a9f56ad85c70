/** Everything that must hold: types, style, import rules, unused code, words, docs, unit tests, examples. Ends with the count. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';

const report = '.setup/vitest.json';
let passed = 0;
let failed = 0;
/** Names of skipped tests by the feature of the machine that they need. */
const skipped = new Map();

/** Runs Node and returns its exit code, and its output where `stdio` pipes it. */
async function node(args, stdio) {
  const child = spawn(process.execPath, args, { stdio });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const status = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  return { status, output };
}

/** Runs one check quietly; its output is shown if it fails. */
async function check(title, ...args) {
  const start = performance.now();
  const { status, output } = await node(args, ['ignore', 'pipe', 'pipe']);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'}  ${title}  (${seconds} s)`);
  if (status === 0) {
    passed++;
  } else {
    failed++;
    console.log(output.trimEnd());
  }
}

/** Checks that read the sources only, two at once. */
async function checkSources() {
  const checks = [
    ['types', 'node_modules/typescript7/bin/tsc', '--noEmit'],
    ['style', 'node_modules/@biomejs/biome/bin/biome', 'check', '--colors=off'],
    ['API reference', 'node_modules/typedoc/bin/typedoc', '--emit', 'none'],
    ['imports', 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'src'],
    ['unused code', 'node_modules/knip/bin/knip.js'],
    ['words', 'scripts/checkWords.mjs'],
    ['spacing of Chinese', 'scripts/checkChinese.mjs'],
    ['generated docs', 'scripts/generateDocs.mjs', '--check'],
  ];
  const worker = async () => {
    for (let next = checks.shift(); next !== undefined; next = checks.shift()) await check(...next);
  };
  await Promise.all([worker(), worker()]);
}

/** Tests that need something of the machine end with `(needs …)`; see tests/needs.ts. */
function countSkipped(testResults) {
  for (const { assertionResults } of testResults) {
    for (const { status, fullName } of assertionResults) {
      if (status !== 'skipped' && status !== 'pending') continue;
      const feature = /\(needs (\w+)\)/.exec(fullName)?.[1] ?? 'nothing known';
      skipped.set(feature, [...(skipped.get(feature) ?? []), fullName]);
    }
  }
}

function printSkipped() {
  for (const [feature, names] of skipped) {
    console.log(`\nskipped, since this machine lacks ${feature} (FOVEA_EXPECT=${feature} makes it a failure):`);
    for (const name of names) console.log(`  ${name}`);
  }
}

/** Adds vitest's own counts; a file that could not even be loaded counts as one failure. */
async function unitTests() {
  rmSync(report, { force: true });
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status } = await node(['node_modules/vitest/vitest.mjs', ...args], 'inherit');
  let failures = 0;
  if (existsSync(report)) {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    const unloaded = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
    passed += numPassedTests;
    countSkipped(testResults);
    failures = numFailedTests + unloaded.length;
  }
  failed += failures === 0 && status !== 0 ? 1 : failures;
}

mkdirSync('.setup', { recursive: true });
await checkSources();
await unitTests();
await check('examples', 'scripts/example.mjs');

printSkipped();
const notRun = [...skipped.values()].flat().length;
console.log(`\n${passed} passed, ${failed} failed${notRun === 0 ? '' : `, ${notRun} skipped`}`);
process.exitCode = failed === 0 ? 0 : 1;
