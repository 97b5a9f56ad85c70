import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { buildProgram } from './compiled.js';
import { temporaryFolder } from './temporary.js';

/** Packages that are loaded by the work that needs them, and not before. */
const onDemand = ['koffi', 'sharp', 'echarts'];

it('importing the package opens no native library, and none of the packages that only some work needs', () => {
  const folder = temporaryFolder();
  buildProgram(folder);
  const [installed, own] = [resolve('node_modules'), join(folder, 'node_modules')];
  rmSync(own);
  mkdirSync(own);
  for (const name of readdirSync(installed)) {
    if (name.startsWith('.') || onDemand.includes(name)) continue;
    symlinkSync(join(installed, name), join(own, name));
  }
  // Each of these packages says that it was asked for, so that a caught failure shows too.
  for (const name of onDemand) {
    mkdirSync(join(own, name));
    writeFileSync(join(own, name, 'package.json'), '{"main":"./index.js"}');
    writeFileSync(join(own, name, 'index.js'), `process.stdout.write('${name} '); throw new Error('asked for');`);
  }
  const script = `
    const native = () => process.report.getReport().sharedObjects;
    const before = new Set(native());
    const fovea = await import('./dist/index.js');
    const t = fovea.tensor([1, 2]).add(1);
    new fovea.nn.Linear(2, 2);
    console.log(JSON.stringify({ shape: t.shape, opened: native().filter((file) => !before.has(file)) }));
    try { fovea.setEngine('onednn'); } catch {}
  `;
  writeFileSync(join(folder, 'look.js'), script);
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'look.js')], { encoding: 'utf8' });
  // Only the choice of an engine asks for koffi, which shows that asking is seen.
  expect([stdout, stderr]).toEqual(['{"shape":[2],"opened":[]}\nkoffi ', '']);
});
