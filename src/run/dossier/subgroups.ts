import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FileError, InputError } from '../../errors.js';
import { readTable } from '../../io/files/table.js';
import { eachOf } from '../../vision/eachOf.js';
import { pictureFacts } from '../../vision/images/pictureFacts.js';
import { measure } from '../dataCheck/measure.js';
import type { Predictions } from '../predictions/predictions.js';

/** A property by which pictures are divided into subgroups: the value of each picture. */
export interface Division {
  readonly name: string;
  readonly values: readonly string[];
}

const mostValues = 10;
const atOnce = 4;

/**
 * Divisions by the columns of a table. Its column with the names of most pictures identifies its rows.
 * Columns of numbers are divided into thirds.
 *
 * @param wanted names of columns. Default: all but class and group, with two to ten values, and numbers
 * @throws {InputError} for a table without the pictures, and an unknown column
 */
export async function tableDivisions(
  path: string,
  { files, labels, groups }: Pick<Predictions, 'files' | 'labels' | 'groups'>,
  wanted: readonly string[] | undefined,
): Promise<Division[]> {
  const { header, rows } = await columnsOf(path);
  const names = new Set(files);
  const matches = header.map((_, c) => rows.filter((row) => names.has(row[c] ?? '')).length);
  const key = matches.indexOf(Math.max(...matches));
  if ((matches[key] ?? 0) === 0) {
    throw new InputError(
      `[dossier] ${path}: expected a column with the names of the pictures, such as ${files[0]}, got none`,
    );
  }
  const strange = wanted?.find((name) => !header.includes(name));
  if (strange !== undefined) {
    throw new InputError(`[dossier] ${path}: expected a column '${strange}', got ${header.join(', ')}`);
  }
  const rowOf = new Map(rows.map((row) => [row[key], row]));
  return header.flatMap((name, c): Division[] => {
    if (c === key || (wanted !== undefined && !wanted.includes(name))) return [];
    const values = files.map((file) => rowOf.get(file)?.[c] || 'not given');
    const given = values.filter((value) => value !== 'not given');
    const distinct = new Set(given);
    if (wanted === undefined && (isSame(values, labels) || isSame(values, groups))) return [];
    const isNumber = given.length > 0 && given.every((value) => Number.isFinite(Number(value)));
    if (isNumber && distinct.size > mostValues) return [{ name, values: thirds(values) }];
    return wanted === undefined && (distinct.size < 2 || distinct.size > mostValues) ? [] : [{ name, values }];
  });
}

/** Whether a column divides the pictures as known values do, under any names. */
function isSame(values: readonly string[], known: ArrayLike<string | number | null>): boolean {
  const pairs = new Set(values.map((value, i) => JSON.stringify([value, known[i]])));
  return pairs.size === new Set(values).size && pairs.size === new Set(Array.from(known)).size;
}

async function columnsOf(path: string): Promise<{ header: string[]; rows: string[][] }> {
  const { columns, rows } = await readTable(path);
  return { header: [...columns], rows: rows.map(({ cells }) => columns.map((_, c) => cells[c] ?? '')) };
}

/** `lowest third (at most 41)` and so on; texts stay. */
function thirds(values: readonly (string | number)[]): string[] {
  const numbers = values.map(Number).filter(Number.isFinite);
  const sorted = [...numbers].sort((a, b) => a - b);
  const [low, high] = [1, 2].map((third) => sorted[Math.floor((third * (sorted.length - 1)) / 3)]);
  const short = (value: number) => Number(value.toPrecision(3));
  return values.map((value) => {
    const number = Number(value);
    if (!Number.isFinite(number)) return String(value);
    if (number <= low) return `lowest third, to ${short(low)}`;
    return number <= high ? `middle third, to ${short(high)}` : `highest third, above ${short(high)}`;
  });
}

/**
 * Divisions by facts of the pictures: size, camera, brightness and sharpness.
 *
 * @returns null if the pictures are not there any more
 */
export async function pictureDivisions(root: string, files: readonly string[]): Promise<Division[] | null> {
  if (!files.every((file) => existsSync(join(root, file)))) return null;
  const sizes: string[] = [];
  const cameras: string[] = [];
  const brightness: number[] = [];
  const sharpness: number[] = [];
  try {
    await eachOf(files, atOnce, async (file, i) => {
      const { width, height, camera, small } = await pictureFacts(join(root, file));
      const measured = measure(small);
      sizes[i] = `${width}×${height}`;
      cameras[i] = camera ?? 'not recorded';
      brightness[i] = measured.brightness;
      sharpness[i] = measured.sharpness;
    });
  } catch (error) {
    if (error instanceof FileError) return null;
    throw error;
  }
  const divisions = [
    { name: 'size', values: sizes },
    { name: 'camera', values: cameras },
  ].filter(({ values }) => {
    const distinct = new Set(values).size;
    return distinct > 1 && distinct <= mostValues;
  });
  const byThird = [
    { name: 'brightness', values: thirds(brightness) },
    { name: 'sharpness', values: thirds(sharpness) },
  ];
  return [...divisions, ...byThird];
}
