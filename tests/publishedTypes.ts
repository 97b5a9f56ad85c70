import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { folderForSources, project } from './sourceState.js';

/** A piece of a user's program. */
export interface Piece {
  /** For messages: its file and line. */
  readonly place: string;
  readonly code: string;
}

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  noEmit: true,
};

/** The folder of the published declarations, as `npm run build` writes them. */
export function publishedTypes(): string {
  // Inside the project, so that the types of Node and of the packages are found.
  return folderForSources('declarations', (folder) => {
    const { imports } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    const inFolder = JSON.stringify({ type: 'module', imports }).replaceAll('./dist/', './');
    writeFileSync(join(folder, 'package.json'), inFolder);
    const compiler = join(project, 'node_modules/typescript7/bin/tsc');
    const options = ['--outDir', folder, '--emitDeclarationOnly', '--sourceMap', 'false', '--noCheck'];
    execFileSync(process.execPath, [compiler, '-p', join(project, 'tsconfig.build.json'), ...options]);
  });
}

/** One program of pieces that import the published declarations as `fovea`. */
export function programOf(pieces: readonly Piece[]): { program: ts.Program; errors: Map<Piece, string[]> } {
  const folder = publishedTypes();
  const entry = join(folder, 'index.d.ts');
  const files = new Map(pieces.map((piece, i) => [join(folder, `piece${i}.mts`), piece]));
  const own = { ...options, paths: { fovea: [entry] } };
  const host = ts.createCompilerHost(own);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (file) => files.get(file)?.code ?? readFile(file);
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.getSourceFile = (file, target, ...rest) => {
    const piece = files.get(file);
    return piece === undefined
      ? getSourceFile(file, target, ...rest)
      : ts.createSourceFile(file, piece.code, target, true);
  };
  const program = ts.createProgram({ rootNames: [entry, ...files.keys()], host, options: own });
  const errors = [...files].map(([file, piece]) => [piece, errorsIn(program, file)] as const);
  return { program, errors: new Map(errors) };
}

/** Errors in a file of a program. */
export function errorsIn(program: ts.Program, file: string): string[] {
  const source = program.getSourceFile(file);
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
