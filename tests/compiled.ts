import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../', import.meta.url));
const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext };

/**
 * Compiles some sources, and what they import, into a folder, for tests that need processes or threads of their own:
 * those start from JavaScript. A script in the folder imports `./vision/…`, `./io/…`.
 *
 * @param modules below `src`, without ending
 */
export function compileInto(folder: string, modules: readonly string[]): void {
  const done = new Set<string>();
  const compile = (module: string) => {
    if (done.has(module)) return;
    done.add(module);
    const { outputText } = ts.transpileModule(readFileSync(join(root, 'src', `${module}.ts`), 'utf8'), {
      compilerOptions,
    });
    mkdirSync(dirname(join(folder, module)), { recursive: true });
    writeFileSync(join(folder, `${module}.js`), outputText);
    for (const [, path] of outputText.matchAll(/(?:from |new URL\(|import\()'(\.[^']+)\.js'/g)) {
      compile(join(dirname(module), path));
    }
  };
  for (const module of modules) compile(module);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}
