import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { folderForSources, project, sourceFiles } from './sourceState.js';

const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };

/** The sources as JavaScript, without a check of types. */
function compiled(): string {
  return folderForSources('compiled', (folder) => {
    for (const name of sourceFiles()) {
      const target = join(folder, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(target), { recursive: true });
      const source = readFileSync(join(project, 'src', name), 'utf8');
      writeFileSync(target, ts.transpileModule(source, { compilerOptions }).outputText);
    }
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
