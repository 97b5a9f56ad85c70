import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configurationKeys } from '../../src/cli/config.js';

it('the guide has every key of a configuration, and no other', () => {
  const rows = readFileSync('docs/training.md', 'utf8').match(/^\| `\w+`/gm) ?? [];
  expect(rows.map((row) => row.slice(3, -1)).sort()).toEqual([...configurationKeys].sort());
});
