/** Limits of a table, so that a small file cannot fill the memory. Columns and rows are those of Excel. */
export const maxColumns = 2 ** 14;
export const maxRows = 2 ** 20;
export const maxCells = 10_000_000;
