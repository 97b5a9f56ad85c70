import { csvText, safeCell, unsafeCell } from '../../text/csv.js';
import { float32Text } from '../../text/float32.js';
import type { Predictions } from './predictions.js';

/** The columns of a table of predictions. All tables of predictions have them in this order. */

const sampleColumns = ['file', 'split', 'group', 'label'] as const;
const probabilityColumn = (name: string) => `probability:${name}`;
const logitColumn = (name: string) => `logit:${name}`;

/** The columns of the classes: the most probable one, then probabilities and logits. */
export function classColumns(classNames: readonly string[]): string[] {
  return ['predicted', ...classNames.map(probabilityColumn), ...classNames.map(logitColumn)];
}

/** Cells of the columns of the classes. Numbers read back as the same float32. */
export function classCells(
  classNames: readonly string[],
  probabilities: ArrayLike<number>,
  logits: ArrayLike<number>,
): string[] {
  return [
    classNames[mostProbable(probabilities)],
    ...Array.from(probabilities, float32Text),
    ...Array.from(logits, float32Text),
  ];
}

/** The header. */
export function headerOf(classNames: readonly string[]): string {
  return csvText([[...sampleColumns, ...classColumns(classNames)]]);
}

/** Rows of a table, as text in pieces. */
export function* rowsOf(predictions: Predictions): Generator<string> {
  const { classNames, files, splits, groups, labels, probabilities, logits } = predictions;
  const classes = classNames.length;
  for (let i = 0; i < labels.length; i++) {
    const own = (values: Float32Array) => values.subarray(i * classes, (i + 1) * classes);
    const [predicted, ...numbers] = classCells(classNames, own(probabilities), own(logits));
    const texts = csvText([[files[i], splits[i], groups[i], classNames[labels[i]], predicted]]);
    yield `${texts.slice(0, -1)},${numbers.join(',')}\n`;
  }
}

/** A row after parsing. */
export interface PredictionRow {
  readonly file: string;
  readonly split: string;
  readonly group: string | null;
  readonly label: number;
  readonly probabilities: readonly number[];
  readonly logits: readonly number[];
}

/** Parses the rows of a table with these classes. */
export class RowParser {
  readonly #classNames: readonly string[];
  readonly #labels: ReadonlyMap<string, number>;

  constructor(classNames: readonly string[]) {
    this.#classNames = classNames;
    this.#labels = new Map(classNames.map((name, label) => [safeCell(name), label]));
  }

  /** @returns the row, or what is expected and found in its place */
  parse(cells: readonly string[]): PredictionRow | { readonly expected: string; readonly got: string } {
    const classes = this.#classNames.length;
    const width = sampleColumns.length + 1 + 2 * classes;
    if (cells.length !== width) return { expected: `${width} cells`, got: String(cells.length) };
    const [file, split, group, labelName, predicted, ...texts] = cells;
    const label = this.#labels.get(labelName);
    const classesText = this.#classNames.join(', ');
    if (label === undefined) return { expected: `a label among ${classesText}`, got: `'${labelName}'` };
    const numbers = texts.map(numberOf);
    const probabilities = numbers.slice(0, classes);
    const wrong = probabilities.findIndex((p) => !(p >= 0 && p <= 1));
    if (wrong >= 0) return { expected: 'probabilities from 0 to 1', got: `'${texts[wrong]}'` };
    const logits = numbers.slice(classes);
    const strange = logits.findIndex((x) => Number.isNaN(x));
    if (strange >= 0) return { expected: 'logits', got: `'${texts[classes + strange]}'` };
    const own = safeCell(this.#classNames[mostProbable(probabilities)]);
    if (predicted !== own) return { expected: `the most probable class, ${own}`, got: `'${predicted}'` };
    return {
      file: unsafeCell(file),
      split,
      group: group === '' ? null : unsafeCell(group),
      label,
      probabilities,
      logits,
    };
  }
}

function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function mostProbable(probabilities: ArrayLike<number>): number {
  let found = 0;
  for (let c = 1; c < probabilities.length; c++) if (probabilities[c] > probabilities[found]) found = c;
  return found;
}
