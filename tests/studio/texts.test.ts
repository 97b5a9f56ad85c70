import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pangu } from 'pangu';
import { expect, it } from 'vitest';
import { texts } from '../../studio/texts/all.js';
import type { Texts } from '../../studio/texts/table.js';

const entries = Object.entries<Texts[string]>(texts);
// The package's types leave this method out.
const spacing = pangu as unknown as { spacingText(text: string): string };
const values = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

it('every text is there in both languages, with the same values', () => {
  for (const [key, { en, zh }] of entries) {
    expect([key, en.trim(), zh.trim()]).not.toContain('');
    expect([key, values(zh)]).toEqual([key, values(en)]);
    if (key !== 'shell.language') expect([key, /\p{Script=Han}/u.test(en)]).toEqual([key, false]);
  }
});

it('Chinese has spaces beside Latin letters and digits', () => {
  for (const [key, { zh }] of entries) expect([key, zh]).toEqual([key, spacing.spacingText(zh)]);
});

it('every text is used by the page', () => {
  const files = readdirSync('studio', { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  const source = files
    .filter((name) => !name.startsWith('texts'))
    .map((name) => readFileSync(join('studio', name), 'utf8'))
    .join('\n');
  // Some names are made of two parts, such as `runs.${key}`.
  const isUsed = (key: string) => {
    const [page, name] = key.split('.');
    return (
      source.includes(`'${key}'`) ||
      (source.includes(`\`${page}.\${`) && (page === 'error' || source.includes(`'${name}'`)))
    );
  };
  expect(entries.map(([key]) => key).filter((key) => !isUsed(key))).toEqual([]);
});
