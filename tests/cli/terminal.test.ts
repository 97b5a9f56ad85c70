import { afterEach, expect, it } from 'vitest';
import { ownCommand, printSentences, quoted } from '../../src/cli/terminal.js';

const { platform } = process;
const fake = (value: string) => Object.defineProperty(process, 'platform', { value });
afterEach(() => fake(platform));

it.each([
  ['/usr/local/bin/fovea', 'fovea'],
  ['/home/me/project/node_modules/.bin/fovea', 'npx fovea'],
  ['/home/me/project/node_modules/fovea/dist/cli/main.js', 'npx fovea'],
  ['C:\\Users\\me\\project\\node_modules\\fovea\\dist\\cli\\main.js', 'npx fovea'],
  ['dist/cli/main.js', 'node dist/cli/main.js'],
])('called as %s, a command to copy begins with %s', (script, command) => {
  expect(ownCommand(script)).toBe(command);
});

it.each([
  ['linux', 'runs/first', 'runs/first'],
  ['linux', "Anna's runs", "'Anna'\\''s runs'"],
  ['win32', 'runs\\first', 'runs\\first'],
  ['win32', 'C:\\my runs\\first', '"C:\\my runs\\first"'],
])('on %s the shell gets %s as %s', (system, word, shown) => {
  fake(system);
  expect(quoted(word)).toBe(shown);
});

it.each([
  [true, ['note: some', '  are short', '', 'a longer', 'sentence']],
  [false, ['note: some', '  are short', '', 'a longer sentence']],
])('sentences on a terminal (%s) break between words', (isTTY, lines) => {
  let text = '';
  const stream = { write: (part: string) => (text += part), isTTY, columns: 12 };
  printSentences({ stdout: stream, stderr: stream }, 'note: some\n  are short\n\na longer sentence');
  expect(text).toBe(`${lines.join('\n')}\n`);
});
