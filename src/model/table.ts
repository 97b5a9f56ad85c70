import { visibleLine } from '../text/visible.js';

/** One column of a {@link formatTable}. */
export interface Column {
  /** Empty headers in all columns leave the header line out. */
  readonly header: string;
  /** Numbers read best flush right. Default: left. */
  readonly align?: 'left' | 'right';
}

/** What {@link formatTable} takes besides columns and rows. */
export interface TableOptions {
  /** Rows below a second rule, for totals. */
  readonly totals?: readonly (readonly string[])[];
  /** Spaces before every line. Default 0. */
  readonly indent?: number;
}

// Wide characters of East Asian scripts and emoji take two cells of a terminal, combining marks none.
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const marks = /\p{Mn}|\u200d|\ufe0f/u;

/** Cells of a terminal that a text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += marks.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
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
  const { totals = [], indent = 0 } = options;
  const body = rows.map((row) => row.map(visibleLine));
  const foot = totals.map((row) => row.map(visibleLine));
  const headers = columns.map(({ header }) => visibleLine(header));
  const widths = headers.map((header, i) =>
    [...body, ...foot].reduce((width, row) => Math.max(width, displayWidth(row[i] ?? '')), displayWidth(header)),
  );
  const line = (cells: readonly string[]) => {
    const padded = columns.map(({ align }, i) => {
      const cell = cells[i] ?? '';
      const space = ' '.repeat(widths[i] - displayWidth(cell));
      return align === 'right' ? space + cell : cell + space;
    });
    return `${' '.repeat(indent)}${padded.join('  ')}`.trimEnd();
  };
  const rule = line(widths.map((width) => '─'.repeat(width)));
  const lines = body.map(line);
  if (headers.some((header) => header !== '')) lines.unshift(line(headers), rule);
  if (foot.length > 0) lines.push(rule, ...foot.map(line));
  return lines.join('\n');
}
