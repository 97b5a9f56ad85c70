import { basename, relative } from 'node:path';
import type { ProgressStream } from '../text/output.js';
import { type Column, formatTable, type TableOptions, wrapWords } from '../text/table.js';
import { visibleJson, visibleLine, visibleText } from '../text/visible.js';
import { inFlags } from './flags.js';
import { type JsonKind, schemaName } from './json/kinds.js';

/** The streams of a command: results go to `stdout`, progress and errors to `stderr`. */
export interface Terminal {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** The input that is piped into a command; default: none. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Whether output was lost that a reader still wants. Default false. */
  readonly outputFailed?: boolean;
}

interface OutputStream extends ProgressStream {
  /** Whether written text no longer arrives. Default false. */
  readonly lost?: boolean;
}

/** Prints lines. Makes control characters, which names may contain, visible. */
export function print(terminal: Terminal, text: string): void {
  terminal.stdout.write(`${visibleText(text)}\n`);
}

/** Prints one object per line, for machines. Its field `schema` names kind and version. */
export function printJson(terminal: Terminal, kind: JsonKind, value: object): void {
  terminal.stdout.write(`${visibleJson({ schema: schemaName(kind), ...value })}\n`);
}

/** Prints an error or a note on stderr, in one line. */
export function complain(terminal: Terminal, message: string): void {
  terminal.stderr.write(
    `fovea: ${visibleLine(
      inFlags(message)
        .trim()
        .replaceAll(/\s*\n\s*/g, ' '),
    )}\n`,
  );
}

/** Cells of a line of the terminal; undefined where the output is no terminal, whose lines are not broken. */
export function widthOf({ stdout }: Terminal): number | undefined {
  return stdout.isTTY === true && (stdout.columns ?? 0) > 0 ? stdout.columns : undefined;
}

/** Prints a table that fits into the terminal. */
export function printTable(
  terminal: Terminal,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: Omit<TableOptions, 'width'> = {},
): void {
  print(terminal, formatTable(columns, rows, { ...options, width: widthOf(terminal) }));
}

/** Prints sentences. Lines that are too long for the terminal break between words, not inside them. */
export function printSentences(terminal: Terminal, text: string): void {
  const width = widthOf(terminal);
  const lines = visibleText(text).split('\n');
  const broken = lines.flatMap((line) => {
    if (width === undefined) return [line];
    const indent = /^ */.exec(line)?.[0] ?? '';
    return wrapWords(line.trimStart(), Math.max(1, width - indent.length)).map((part) => indent + part);
  });
  print(terminal, broken.join('\n'));
}

/** Prints names and values, one pair per line. A value is wrapped if the terminal is too narrow. */
export function printFacts(terminal: Terminal, facts: readonly (readonly [name: string, value: string])[]): void {
  printTable(terminal, [{ header: '' }, { header: '' }], facts, { indent: 2 });
}

/** Scripts of the package that npm has installed into a project, where only `npx` finds its command. */
const inProject = /[\\/]node_modules[\\/](?:\.bin[\\/]fovea|fovea[\\/]dist[\\/]cli[\\/]main\.js)$/;

/** The way in which this program was called, for commands that the user may copy. */
export function ownCommand(script = process.argv[1] ?? 'fovea'): string {
  if (inProject.test(script)) return 'npx fovea';
  return basename(script) === 'fovea' ? 'fovea' : `node ${quoted(relative('', script))}`;
}

/** Quotes a word, so that a shell takes it literally. Names of files in Windows have no quotation marks. */
export function quoted(word: string): string {
  if (process.platform === 'win32') return /^[\w.\\/:@%+=,-]+$/.test(word) ? word : `"${word}"`;
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
