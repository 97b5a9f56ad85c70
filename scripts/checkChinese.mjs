/** Checks the Chinese pages for a space between Chinese and Latin letters or digits. */
import { readdirSync, readFileSync } from 'node:fs';
import { pangu } from 'pangu';

const pages = [...readdirSync('.'), ...readdirSync('docs').map((name) => `docs/${name}`)];
/** The text of a line as readers see it: without emphasis and addresses of links. */
const plain = (line) => line.replaceAll('**', '').replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1');

let failed = 0;
for (const page of pages.filter((name) => name.endsWith('.zh.md'))) {
  const text = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, (code) => code.replace(/.*/g, ''));
  for (const [i, line] of text.split('\n').entries()) {
    const expected = pangu.spacingText(plain(line));
    if (plain(line) === expected) continue;
    failed++;
    console.log(`${page}:${i + 1}: expected '${expected}'`);
  }
}
if (failed > 0) process.exitCode = 1;
