/** A row of a table, as text. */
export interface TableRow {
  /** Number as a spreadsheet or an editor shows it, from 1 on. */
  readonly number: number;
  /** By column, without white space around. Missing cells at the end may be left out. */
  readonly cells: readonly string[];
}
