import { expect, test } from 'vitest';
import { printConfusion } from '../../src/cli/results.js';
import type { Terminal } from '../../src/cli/terminal.js';

function terminal(columns?: number): { terminal: Terminal; text: () => string } {
  let text = '';
  const stdout = {
    write: (part: string) => {
      text += part;
    },
    ...(columns !== undefined && { isTTY: true, columns }),
  };
  return { terminal: { stdout, stderr: { write: () => undefined } }, text: () => text };
}

const names = (classes: number) => Array.from({ length: classes }, (_, i) => `class ${i}`);
/** All right, but for i images of class i that are taken for the next class. */
const confusion = (classes: number) =>
  names(classes).map((_, t) => names(classes).map((_, p) => (p === t ? 50 : p === (t + 1) % classes ? t : 0)));

test.each([undefined, 80, 60])('no line of a result with 40 classes is wider than a line of %s cells', (columns) => {
  const { terminal: to, text } = terminal(columns);
  printConfusion(to, names(40), confusion(40));
  for (const line of text().split('\n')) expect(line.length).toBeLessThanOrEqual(columns ?? 100);
  expect(text()).toMatch(/^ {2}class 39 +89 +50 +56\.2 %$/m);
  // The pair that is confused most often comes first.
  expect(text()).toMatch(/taken for +images +share\n.*\n {2}class 39 +class 0 +39 +43\.8 %\n {2}class 38 +class 39 /);
  expect(text()).toContain('15 of 39 pairs');
});

test('a matrix that fits is printed whole', () => {
  const { terminal: to, text } = terminal(80);
  printConfusion(
    to,
    ['cat', 'dog'],
    [
      [3, 1],
      [0, 4],
    ],
  );
  expect(text()).toMatch(/cat +3 +1 +75\.0 %\n +dog +· +4 +100\.0 %\n/);
});
