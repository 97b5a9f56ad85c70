import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** Compiles the sources into a new package below `root`, without checking types; returns the command's script. */
export function buildProgram(root: string): string {
  const sources = join(project, 'src');
  const options = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
  for (const entry of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts')) continue;
    const target = join(root, 'dist', entry.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    const { outputText } = ts.transpileModule(readFileSync(join(sources, entry), 'utf8'), { compilerOptions: options });
    writeFileSync(target, outputText);
  }
  writeFileSync(join(root, 'package.json'), readFileSync(join(project, 'package.json')));
  symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'));
  return join(root, 'dist/cli/main.js');
}
