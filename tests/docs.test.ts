import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';

/** A piece of TypeScript in a page or a docstring. */
interface Piece {
  /** File and line. */
  readonly place: string;
  readonly code: string;
}

const root = process.cwd();
const lineOf = (text: string, offset: number) => text.slice(0, offset).split('\n').length;

const pages = [...readdirSync('.').filter((name) => name.endsWith('.md')), ...filesBelow('docs', '.md')];

function filesBelow(folder: string, ending: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  // docs/api is generated from the docstrings.
  return names.filter((name) => name.endsWith(ending) && !name.startsWith('api/')).map((name) => `${folder}/${name}`);
}

function* piecesOfPage(name: string): Generator<Piece> {
  const text = readFileSync(name, 'utf8');
  for (const { 1: code, index } of text.matchAll(/^```ts\n([\s\S]*?)^```/gm))
    yield { place: `${name}:${lineOf(text, index)}`, code };
}

/** The code of `@example`, and fenced code elsewhere in a docstring. */
function* piecesOfSource(name: string): Generator<Piece> {
  const text = readFileSync(name, 'utf8');
  for (const { 0: comment, index } of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const lines = comment.replace(/^\/\*\*|\*\/$/g, '').replace(/^[ \t]*\* ?/gm, '');
    for (const { 1: code, index: offset } of lines.matchAll(/^ *```ts\n([\s\S]*?)^ *```/gm))
      yield { place: `${name}:${lineOf(text, index) + lineOf(lines, offset) - 1}`, code };
    for (const { 1: code, index: offset } of lines.matchAll(/^@example[ \t]*\n(?! *```)([\s\S]*?)(?=^@|$(?![\s\S]))/gm))
      yield { place: `${name}:${lineOf(text, index) + lineOf(lines, offset) - 1}`, code };
  }
}

/** Names of the package that an example of a docstring uses without importing them. */
function importsFor(code: string, names: readonly string[]): string {
  const own = code.match(/import [\s\S]*? from|(?:class|function) \w+|(?:const|let) [^=]*/g)?.join() ?? '';
  const used = names.filter(
    (name) => new RegExp(`(?<![.\\w])${name}\\b`).test(code) && !new RegExp(`\\b${name}\\b`).test(own),
  );
  return used.length === 0 ? '' : `import { ${used.join(', ')} } from 'fovea';`;
}

/** Compiles all pieces in one program; gives the errors of each. */
function errorsOf(pieces: readonly Piece[]): Map<Piece, string[]> {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', ts.sys.readFile).config,
    ts.sys,
    root,
  );
  const door = join(root, 'src/index.ts');
  const files = new Map(pieces.map((piece, i) => [join(root, `docs/piece${i}.mts`), piece]));
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  const names = [...(readFile(door)?.matchAll(/(?:\bas |type |[{,]\s*)([A-Za-z]\w*)(?=\s*[,}]| from)/g) ?? [])].map(
    ([, name]) => name,
  );
  const textOf = (file: string) => {
    const piece = files.get(file);
    // The imports stand on the first line, so that lines keep their numbers.
    return piece && `${importsFor(piece.code, names)} export {};${piece.code}`;
  };
  host.readFile = (file) => textOf(file) ?? readFile(file);
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.getSourceFile = (file, target, ...rest) => {
    const text = textOf(file);
    return text === undefined ? getSourceFile(file, target, ...rest) : ts.createSourceFile(file, text, target, true);
  };
  const program = ts.createProgram({
    rootNames: [...files.keys()],
    host,
    // Inside the repository `fovea` would be looked up among the installed packages.
    options: { ...options, paths: { fovea: [door] }, noUnusedLocals: false, noUnusedParameters: false, noEmit: true },
  });
  return new Map(
    [...files].map(([file, piece]) => {
      const source = program.getSourceFile(file);
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      return [piece, found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))];
    }),
  );
}

describe('the code of docs and docstrings compiles', () => {
  const ofPages = pages.flatMap((name) => [...piecesOfPage(name)]);
  const ofSources = filesBelow('src', '.ts').flatMap((name) => [...piecesOfSource(name)]);
  const wrong: Piece = { place: 'wrong', code: "import { tensor } from 'fovea';\nconst text: string = tensor([1]);" };
  let errors: Map<Piece, string[]>;
  beforeAll(() => {
    errors = errorsOf([...ofPages, ...ofSources, wrong]);
  });

  test('the pages have code', () => expect(ofPages.length).toBeGreaterThan(2));
  test('docstrings have code', () => expect(ofSources.length).toBeGreaterThan(0));
  test('wrong code is found', () => expect(errors.get(wrong)).toHaveLength(1));
  test.each([...ofPages, ...ofSources].map((piece) => [piece.place, piece] as const))('%s', (_, piece) => {
    expect(errors.get(piece)).toEqual([]);
  });
});

test('every environment variable is in docs/environment.md', () => {
  const page = readFileSync('docs/environment.md', 'utf8');
  const files = [...filesBelow('src', '.ts'), ...filesBelow('tests', '.ts'), ...filesBelow('scripts', '.mjs')];
  const used = files.flatMap((name) => readFileSync(name, 'utf8').match(/\bFOVEA_[A-Z_]+/g) ?? []);
  expect([...new Set(used)].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test('links of the pages lead to files', () => {
  const broken = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map(([, target]) => target)
      .filter((target) => !existsSync(join(dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
});
