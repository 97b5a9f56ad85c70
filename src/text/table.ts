import stringWidth from 'string-width';
import { visibleLine } from './visible.js';

/** One column of a {@link formatTable}. */
export interface Column {
  /** If the headers of all columns are empty, the table has no header line. */
  readonly header: string;
  /** Default: left. Numbers are easiest to read aligned right. */
  readonly align?: 'left' | 'right';
}

/** Options of {@link formatTable}. */
export interface TableOptions {
  /** Rows below a second rule, for totals. */
  readonly totals?: readonly (readonly string[])[];
  /** Spaces before every line. Default 0. */
  readonly indent?: number;
  /**
   * Maximum width of a line, in cells of the terminal. In a wider table, texts of the left-aligned columns
   * continue in further lines. Default: no maximum.
   */
  readonly width?: number | undefined;
}

const printableAscii = /^[\x20-\x7e]*$/;

/**
 * Width of a text in cells of a terminal: two for wide characters of East Asian scripts and for emoji, none
 * for combining marks.
 */
export function displayWidth(text: string): number {
  // The package takes 0.1 ms for a line, too long for a progress bar that is shown after every batch.
  return printableAscii.test(text) ? text.length : stringWidth(text);
}

/**
 * Breaks a text into lines of at most `width` cells: at spaces, else behind punctuation, else anywhere.
 *
 * @param width at least 1
 */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const piece of text.split(/(?<= )|(?<=[,;/\\_-])(?=[^ ])/)) {
    let rest = piece;
    if (line !== '' && displayWidth((line + piece).trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    while (displayWidth(rest.trimEnd()) > width) {
      const head = headOf(rest, width);
      lines.push(head);
      rest = rest.slice(head.length);
    }
    line += rest;
  }
  return [...lines, line.trimEnd()];
}

/** The longest beginning that fits, of one character at least. */
function headOf(text: string, width: number): string {
  let head = '';
  for (const character of text) {
    if (head !== '' && displayWidth(head + character) > width) break;
    head += character;
  }
  return head;
}

/** Wrapping makes no column narrower than the first of these, unless the table does not fit with it. */
const minWrapped = [8, 4, 1];

/** Widths with which the columns fit together: the widest column that may wrap is narrowed first. */
function fittedWidths(widths: readonly number[], mayWrap: readonly boolean[], room: number): number[] {
  const fitted = [...widths];
  const total = () => fitted.reduce((sum, width) => sum + width, 0) + 2 * (fitted.length - 1);
  for (const least of minWrapped) {
    while (total() > room) {
      const open = fitted.map((width, i) => (mayWrap[i] && width > least ? width : 0));
      const widest = Math.max(...open);
      if (widest === 0) break;
      fitted[open.indexOf(widest)]--;
    }
  }
  return fitted;
}

/**
 * A plain-text table: columns as wide as their widest cell, two spaces between them, a rule under the header.
 *
 * @param rows one text for each column; rows may be shorter than the columns
 * @returns lines without trailing spaces, without a line break at the end
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const { totals = [], indent = 0, width: most = Number.POSITIVE_INFINITY } = options;
  const body = rows.map((row) => row.map(visibleLine));
  const foot = totals.map((row) => row.map(visibleLine));
  const headers = columns.map(({ header }) => visibleLine(header));
  const natural = headers.map((header, i) =>
    [...body, ...foot].reduce((width, row) => Math.max(width, displayWidth(row[i] ?? '')), displayWidth(header)),
  );
  const mayWrap = columns.map(({ align }) => align !== 'right');
  const widths = fittedWidths(natural, mayWrap, most - indent);
  const oneLine = (cells: readonly string[]) => {
    const padded = columns.map(({ align }, i) => {
      const cell = cells[i] ?? '';
      const space = ' '.repeat(widths[i] - displayWidth(cell));
      return align === 'right' ? space + cell : cell + space;
    });
    return `${' '.repeat(indent)}${padded.join('  ')}`.trimEnd();
  };
  const line = (cells: readonly string[]): string => {
    const wrapped = columns.map((_, i) => (mayWrap[i] ? wrapWords(cells[i] ?? '', widths[i]) : [cells[i] ?? '']));
    const height = Math.max(...wrapped.map((parts) => parts.length));
    return Array.from({ length: height }, (_, y) => oneLine(wrapped.map((parts) => parts[y] ?? ''))).join('\n');
  };
  const rule = oneLine(widths.map((width) => '─'.repeat(width)));
  const lines = body.map(line);
  if (headers.some((header) => header !== '')) lines.unshift(line(headers), rule);
  if (foot.length > 0) lines.push(rule, ...foot.map(line));
  return lines.join('\n');
}
