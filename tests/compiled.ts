import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const project = fileURLToPath(new URL('../', import.meta.url));
const sources = join(project, 'src');
const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };

/** The sources as JavaScript, without a check of types. They are compiled once for all test files of a state of `src`. */
function compiled(): string {
  const entries = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const hash = createHash('sha256');
  for (const entry of entries.sort()) {
    const { mtimeMs, size } = statSync(join(sources, entry));
    hash.update(`${entry}\0${mtimeMs}\0${size}\n`);
  }
  const folder = join(project, '.setup', `compiled-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  // Another test file may compile at the same time: the first one to rename its folder wins.
  const own = `${folder}.${process.pid}`;
  for (const entry of entries) {
    const target = join(own, entry.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    const { outputText } = ts.transpileModule(readFileSync(join(sources, entry), 'utf8'), { compilerOptions });
    writeFileSync(target, outputText);
  }
  try {
    renameSync(own, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(own, { recursive: true });
  }
  for (const name of readdirSync(dirname(folder))) {
    const other = join(dirname(folder), name);
    const isOld = () => Date.now() - statSync(other).mtimeMs > 3_600_000;
    if (/^compiled-[0-9a-f]{16}$/.test(name) && other !== folder && isOld())
      rmSync(other, { recursive: true, force: true });
  }
  return folder;
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
  cpSync(compiled(), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports: importsBeside() }));
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
}

/** Makes a package of the compiled sources in a folder; returns the script of the command line. */
export function buildProgram(root: string): string {
  cpSync(compiled(), join(root, 'dist'), { recursive: true });
  writeFileSync(join(root, 'package.json'), readFileSync(join(project, 'package.json')));
  symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'));
  return join(root, 'dist/cli/main.js');
}
