import { stringify } from 'csv-stringify/sync';
import { visibleLine } from './visible.js';

/** A number as programs write it. Even with a sign it is not a formula. */
const number = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
/** The beginning of a formula. Spreadsheets accept the wide forms of East Asian scripts too. */
const formula = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/u;

/**
 * Text for a cell of a table that a spreadsheet may open. Text that a spreadsheet would run as a formula gets
 * an apostrophe in front; numbers stay numbers. Control characters become visible escapes.
 */
export function safeCell(text: string): string {
  const isFormula = /^[\t\r\n]/.test(text) || formula.test(text);
  return `${isFormula && !number.test(text) ? "'" : ''}${visibleLine(text)}`;
}

/** The inverse of {@link safeCell} for formulas. */
export function unsafeCell(text: string): string {
  return text.startsWith("'") && formula.test(text.slice(1)) ? text.slice(1) : text;
}

/**
 * Rows as comma-separated values (RFC 4180, lines end in `\n`). Each text is made safe by {@link safeCell}.
 */
export function csvText(rows: readonly (readonly (string | number | null | undefined)[])[], delimiter = ','): string {
  const safe = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? safeCell(cell) : cell)));
  // Some spreadsheets expect semicolons or tabs as delimiters: quoted ones do not split cells.
  return stringify(safe, { delimiter, quoted_match: /[,;\t]/ });
}
