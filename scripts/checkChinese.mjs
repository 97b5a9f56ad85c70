/** Checks the Chinese pages for a space between Chinese and Latin letters or digits. `--write` adds missing ones. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pangu } from 'pangu';

const pages = [...readdirSync('.'), ...readdirSync('docs').map((name) => `docs/${name}`)];
let failed = 0;
for (const page of pages.filter((name) => name.endsWith('.zh.md'))) {
  let inCode = false;
  const lines = readFileSync(page, 'utf8').split('\n');
  const spaced = lines.map((line) => {
    if (line.startsWith('```')) inCode = !inCode;
    return inCode || line.startsWith('```') ? line : pangu.spacingText(line);
  });
  if (process.argv.includes('--write')) writeFileSync(page, spaced.join('\n'));
  else
    for (const [i, line] of lines.entries()) {
      if (line === spaced[i]) continue;
      failed++;
      console.log(`${page}:${i + 1}: expected '${spaced[i]}'`);
    }
}
if (failed > 0) {
  console.error('chinese: node scripts/checkChinese.mjs --write adds the spaces');
  process.exitCode = 1;
}
