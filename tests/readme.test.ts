import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './temporary.js';

/** The TypeScript in the README, as a user would paste it. */
const code = [...readFileSync('README.md', 'utf8').matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]);

test('the code in the README compiles against the public types', () => {
  expect(code.length).toBeGreaterThan(0);
  const folder = temporaryFolder();
  code.forEach((text, i) => {
    // Inside the repository `fovea` would be looked up among the installed packages.
    writeFileSync(join(folder, `readme${i}.mts`), text.replace("'fovea'", `'${join(process.cwd(), 'src/index.ts')}'`));
  });
  const options = { extends: join(process.cwd(), 'tsconfig.json'), include: [folder], compilerOptions: extra };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
  const result = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder], { encoding: 'utf8' });
  expect(result.stdout).toBe('');
  expect(result.status).toBe(0);
});

const extra = {
  rootDir: '/',
  allowImportingTsExtensions: true,
  typeRoots: [join(process.cwd(), 'node_modules/@types')],
};
