import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildProgram } from '../compiled.js';
import { tinyLibrary } from '../engine/elf.js';

/**
 * How a package fares on a machine: it works, is not there, has no binary (as after `npm install --omit=optional`) or one
 * for another processor (as in a folder that was copied), or is an `index.js` with this text.
 */
export type Fate = 'works' | 'missing' | 'without binary' | 'for another processor' | { readonly script: string };

/** The packages with native code, and those with their binaries. */
const binaries = { koffi: '@koromix', sharp: '@img' } as const;

/** Makes a package of the compiled sources in a folder, on a machine where `fates` befall its packages. */
export function buildPackageWith(root: string, fates: Readonly<Record<keyof typeof binaries, Fate>>): string {
  const script = buildProgram(root);
  const [installed, own] = [resolve('node_modules'), join(root, 'node_modules')];
  rmSync(own);
  mkdirSync(own);
  const special = new Map<string, Fate>(
    (['koffi', 'sharp'] as const).flatMap((name) => {
      const fate = fates[name];
      const hasFolder = fate === 'works' || fate === 'for another processor';
      return [
        [name, fate],
        [binaries[name], hasFolder ? fate : 'missing'],
      ];
    }),
  );
  for (const name of readdirSync(installed)) {
    const fate = special.get(name) ?? 'works';
    if (name.startsWith('.') || fate === 'missing') continue;
    if (fate === 'works') symlinkSync(join(installed, name), join(own, name));
    // Behind a link it would find its binary.
    else if (typeof fate === 'string') {
      cpSync(join(installed, name), join(own, name), { recursive: true });
      if (fate === 'for another processor') replaceBinaries(join(own, name));
    } else {
      mkdirSync(join(own, name));
      writeFileSync(join(own, name, 'package.json'), '{"main":"./index.js"}');
      writeFileSync(join(own, name, 'index.js'), fate.script);
    }
  }
  return script;
}

/** Replaces each binary in a folder by one for another processor. */
function replaceBinaries(folder: string): void {
  const binary = tinyLibrary({ arch: process.arch === 'arm64' ? 'x64' : 'arm64' });
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.node')) writeFileSync(join(folder, name), binary);
  }
}

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs the command line in a process of its own.
 *
 * @param preload code that runs before anything else
 */
export function runProgram(
  script: string,
  args: readonly string[],
  {
    preload,
    env = {},
    cwd,
  }: { readonly preload?: string; readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Outcome {
  const before = preload === undefined ? [] : ['--import', pathToFileURL(preload).href];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...before, script, ...args], {
    env: { ...process.env, OMP_NUM_THREADS: '1', FOVEA_DEBUG: '', ...env },
    encoding: 'utf8',
    cwd,
  });
  return { code: status, out: stdout, err: stderr };
}

/**
 * Runs commands one after another in one process, which loads the program once: that takes longer than a small command.
 *
 * @returns the outcome of each command
 */
export function runCommands(
  script: string,
  commands: readonly (readonly string[])[],
  options?: Parameters<typeof runProgram>[2],
): Outcome[] {
  const all = join(dirname(script), 'all.js');
  writeFileSync(
    all,
    `import { run } from './program.js';
     import { StandardStreams } from './standardStreams.js';
     const terminal = new StandardStreams(process);
     for (const args of JSON.parse(process.argv[2])) {
       const code = await run(args, terminal);
       process.stdout.write('\\0' + code + '\\0');
       process.stderr.write('\\0');
     }`,
  );
  const { out, err } = runProgram(all, [JSON.stringify(commands)], options);
  const [outs, errs] = [out.split('\0'), err.split('\0')];
  return commands.map((_, i) => ({
    code: outs[2 * i + 1] === undefined ? null : Number(outs[2 * i + 1]),
    out: outs[2 * i] ?? '',
    err: errs[i] ?? '',
  }));
}
