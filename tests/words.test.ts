import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from './temporary.js';

const script = resolve('scripts/checkWords.mjs');
let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
  spawnSync('git', ['init', '-q'], { cwd: folder });
  copyFileSync('CONTRIBUTING.md', join(folder, 'CONTRIBUTING.md'));
  for (const name of ['scripts', 'src']) mkdirSync(join(folder, name));
});

const write = (text: string) => writeFileSync(join(folder, 'src/a.ts'), text);

function check(args: readonly string[] = [], env: NodeJS.ProcessEnv = process.env) {
  const { status, stdout } = spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8', env });
  // Line and word of each finding in the source.
  return {
    status,
    found: [...stdout.matchAll(/^src\/a\.ts:(\d+): ("[^"]*"|comment)/gm)].map((match) => match.slice(1)),
  };
}

const old = `/** What is judged. */
export const a = 1;
// Whoever reads it draws a number;
// then it goes on.
export const b = 'the file lies there';
/** Of the training. ${'A long line. '.repeat(10)}*/
export const c = \`\${a} was told\`;
`;

test('finds the words of the glossary and the three habits, with their lines', () => {
  write(old);
  const { status, found } = check();
  expect(status).toBe(1);
  expect(found).toEqual(
    expect.arrayContaining([
      ['1', '"What is judged."'],
      ['1', '"judged"'],
      ['3', '"Whoever"'],
      ['3', '"draws"'],
      ['4', '"goes on"'],
      ['5', '"lies"'],
      ['6', '"Of the training."'],
      ['6', 'comment'],
      ['7', '"told"'],
    ]),
  );
});

test('leaves code, questions, people and pictures alone', () => {
  write(`/** \`What\` is it? What is it? For users who draw a line. See Figure 3. */
export const judge = { lies: 'told' };
`);
  expect(check()).toEqual({ status: 0, found: [] });
});

test('looks at the files and folders of its arguments alone', () => {
  write(old);
  expect(check(['src']).status).toBe(1);
  expect(check(['src/a.ts']).status).toBe(1);
  expect(check(['scripts']).status).toBe(0);
});

test('does without git, and leaves ignored folders out', () => {
  write(old);
  writeFileSync(join(folder, '.gitignore'), 'ignored/\n');
  mkdirSync(join(folder, 'src/ignored'));
  writeFileSync(join(folder, 'src/ignored/a.ts'), old);
  const found = check();
  expect(check([], { PATH: '' })).toEqual(found);
  writeFileSync(join(folder, 'src/a.ts'), '');
  expect(check([], { PATH: '' })).toEqual({ status: 0, found: [] });
});
