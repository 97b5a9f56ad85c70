import { copyFileSync, cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { folderForSources, project, sourceFiles } from './sourceState.js';

/** A package of the sources as JavaScript, without a check of types: the modules are in its folder `dist`. */
export function compiledPackage(): string {
  return folderForSources('compiled', (folder) => {
    buildSync({
      absWorkingDir: join(project, 'src'),
      entryPoints: sourceFiles(),
      outdir: join(folder, 'dist'),
      format: 'esm',
      target: 'es2023',
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
    });
    copyFileSync(join(project, 'package.json'), join(folder, 'package.json'));
  });
}

/** The `imports` of package.json for Node, where the compiled sources are beside it and not in `dist`. */
function importsBeside(): Record<string, string> {
  const { imports } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    readonly imports: Readonly<Record<string, { readonly node: string }>>;
  };
  return Object.fromEntries(Object.entries(imports).map(([name, { node }]) => [name, node.replace('/dist/', '/')]));
}

/**
 * Copies the compiled sources into a folder, for tests that need processes or threads of their own: those start from
 * JavaScript. A script in the folder imports `./vision/…`, `./io/…`.
 */
export function compileInto(folder: string): void {
  cpSync(join(compiledPackage(), 'dist'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports: importsBeside() }));
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
}

/** Modules of a bundled program that are loaded by themselves: by users, by tests, as threads. */
const entries: Readonly<Record<string, string>> = {
  index: 'index.ts',
  'cli/main': 'cli/main.ts',
  'cli/program': 'cli/program.ts',
  'cli/standardStreams': 'cli/standardStreams.ts',
  'cli/painter': 'vision/palm/synth/painter.ts',
  'cli/imageWorker': 'vision/datasets/reading/imageWorker.ts',
};

/** Packages of many modules that every command loads. */
const bundled = ['zod', 'csv-stringify', 'string-width'];

/** A package whose modules are bundled into a few files: tests start programs by the hundred, and these start in half the time. */
function bundledPackage(): string {
  const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return folderForSources('bundled', (folder) => {
    buildSync({
      absWorkingDir: join(project, 'src'),
      entryPoints: { ...entries },
      outdir: join(folder, 'dist'),
      // Beside the threads, which are named relative to the file that starts them.
      chunkNames: 'cli/[name]-[hash]',
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      target: 'es2023',
      conditions: ['fovea-source'],
      external: Object.keys(dependencies).filter((name) => !bundled.includes(name)),
      sourcemap: true,
      sourcesContent: false,
      logLevel: 'silent',
    });
    copyFileSync(join(project, 'package.json'), join(folder, 'package.json'));
  });
}

function installInto(root: string, compiled: string): string {
  cpSync(compiled, root, { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'));
  return join(root, 'dist/cli/main.js');
}

/** Makes a package in a folder, with the files that `npm run build` makes; returns the script of the command line. */
export const buildPackage = (root: string): string => installInto(root, compiledPackage());

/** Makes a package of bundled sources in a folder; returns the script of the command line. */
export const buildProgram = (root: string): string => installInto(root, bundledPackage());
