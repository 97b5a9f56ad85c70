import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { passNames } from '../src/compiler/optimize.js';
import { type Piece, programOf } from './publishedTypes.js';

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

/** Names that the package exports. */
function exportedNames(): string[] {
  const door = readFileSync('src/index.ts', 'utf8');
  return [...door.matchAll(/(?:\bas |type |[{,]\s*)([A-Za-z]\w*)(?=\s*[,}]| from)/g)].map(([, name]) => name);
}

/** A piece as a module, with the imports that it leaves out. They stand on its first line, so that lines keep their numbers. */
function moduleOf({ place, code }: Piece, names: readonly string[]): Piece {
  return { place, code: `${importsFor(code, names)} export {};${code}` };
}

describe('the code of docs and docstrings compiles', () => {
  const ofPages = pages.flatMap((name) => [...piecesOfPage(name)]);
  const ofSources = filesBelow('src', '.ts').flatMap((name) => [...piecesOfSource(name)]);
  const wrong: Piece = { place: 'wrong', code: "import { tensor } from 'fovea';\nconst text: string = tensor([1]);" };
  const pieces = [...ofPages, ...ofSources, wrong];
  const errors = new Map<Piece, readonly string[]>();
  beforeAll(() => {
    const names = exportedNames();
    const found = [...programOf(pieces.map((piece) => moduleOf(piece, names))).errors.values()];
    for (const [i, piece] of pieces.entries()) errors.set(piece, found[i]);
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

const rooms: { readonly imports: object } = createRequire(import.meta.url)('../scripts/rooms.cjs');

describe('docs/architecture.md', () => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const rowsOf = (title: string) => {
    const section = page.slice(page.indexOf(`\n## ${title}`)).split('\n## ')[1];
    const rows = section.split('\n').filter((line) => line.startsWith('| '));
    return rows.slice(2).map((row) => row.split(' | ').map((cell) => cell.replace(/^\|/, '').trim()));
  };

  test('leads from forward to the kernel by names that are in the files', () => {
    const hops = rowsOf('From `net.forward(x)` to the kernel').map(([, name, file]) => [name, file].map(code));
    expect(hops.length).toBeGreaterThan(8);
    const missing = hops.filter(([name, file]) => {
      const parts = name.split('.');
      return !existsSync(file) || !parts.every((part) => new RegExp(`\\b${part}\\b`).test(readFileSync(file, 'utf8')));
    });
    expect(missing).toEqual([]);
  });

  test('lists the passes in their order', () => {
    expect(rowsOf('4. Passes').map(([name]) => code(name))).toEqual(passNames);
  });

  test('explains every room', () => {
    const described = rowsOf('Rooms').map(([name]) => code(name));
    expect(described).toEqual(Object.keys(rooms.imports));
  });
});

/** The text between backticks. */
function code(cell: string): string {
  return /^`(.*)`$/.exec(cell)?.[1] ?? cell;
}
