import type { TypedArray } from '../graph/dtype.js';
import { numel, type Shape } from '../graph/shape.js';

/** Tensors with more values are printed with the first and last values of each axis only. */
const mostValues = 1000;
/** Number of values at each end of a shortened axis. */
const atEnds = 3;
/** Longer rows are broken. */
const width = 80;

/** Values in nested brackets, as NumPy and PyTorch print them; long axes are shortened. */
export function formatValues(data: ArrayLike<number>, shape: Shape): string {
  const shortened = data.length > mostValues;
  const shown = (size: number): (number | null)[] =>
    shortened && size > 2 * atEnds + 1
      ? [...ends(0), null, ...ends(size - atEnds)]
      : Array.from({ length: size }, (_, i) => i);
  const rows: string[][] = [];
  const collect = (axis: number, offset: number, step: number) => {
    if (axis === shape.length - 1) {
      rows.push(shown(shape[axis]).map((i) => (i === null ? '…' : formatNumber(data[offset + i]))));
      return;
    }
    const inner = step / shape[axis];
    for (const i of shown(shape[axis])) if (i !== null) collect(axis + 1, offset + i * inner, inner);
  };
  if (shape.length === 0) return formatNumber(data[0]);
  collect(0, 0, data.length);
  const columns = Math.max(...rows.flatMap((row) => row.filter((text) => text !== '…').map((text) => text.length)));
  let next = 0;
  const print = (axis: number): string => {
    const indent = ' '.repeat(axis + 1);
    if (axis === shape.length - 1) return `[${wrap(rows[next++], columns, indent)}]`;
    const gap = `,\n${'\n'.repeat(shape.length - 2 - axis)}${indent}`;
    return `[${shown(shape[axis])
      .map((i) => (i === null ? '…' : print(axis + 1)))
      .join(gap)}]`;
  };
  return print(0);
}

/** Values as nested arrays. */
export function nest(data: TypedArray, shape: Shape): unknown {
  const [size, ...inner] = shape;
  if (size === undefined) return data[0];
  if (inner.length === 0) return Array.from(data);
  const step = numel(inner);
  return Array.from({ length: size }, (_, i) => nest(data.subarray(i * step, (i + 1) * step), inner));
}

function ends(from: number): number[] {
  return Array.from({ length: atEnds }, (_, i) => from + i);
}

/** Six digits, of which float32 has little more. */
function formatNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e9 ? String(value) : String(Number(value.toPrecision(6)));
}

function wrap(texts: readonly string[], columns: number, indent: string): string {
  const perLine = Math.max(1, Math.floor(width / (columns + 2)));
  const padded = texts.map((text) => text.padStart(text === '…' ? 1 : columns));
  const lines: string[] = [];
  for (let i = 0; i < padded.length; i += perLine) lines.push(padded.slice(i, i + perLine).join(', '));
  return lines.join(`,\n${indent}`);
}
