import { caseTwins, normalName } from '../../text/names.js';

/**
 * Which labels are the same class. One rule holds for tables, and for the classes of a network next to those
 * of data: if all labels are numbers, those of one value are the same (`1`, `1.0`, `007` and `7`); if all are
 * `true` or `false`, case makes no difference; else text is compared as it is, in its normal form.
 */
export class LabelRule {
  readonly #keyOf: (label: string) => string;
  /** Whether labels are compared as numbers. */
  readonly areNumbers: boolean;

  /** @param labels all that are to be compared */
  constructor(labels: Iterable<string>) {
    const all = Array.from(new Set(labels), normalName);
    this.areNumbers = all.length > 0 && all.every((label) => numberKey(label) !== null);
    const areTruths = all.every((label) => /^(true|false)$/i.test(label));
    this.#keyOf = this.areNumbers
      ? (label) => numberKey(label) ?? label
      : (label) => (areTruths ? label.toLowerCase() : label);
  }

  /** The same for labels of one class. */
  keyOf(label: string): string {
    return this.#keyOf(normalName(label));
  }
}

/** The classes in a column of labels. */
export interface LabelClasses {
  /** In the order of their numbers. */
  readonly classNames: readonly string[];
  readonly rule: LabelRule;
  /** Spellings that were taken for one class, for people. */
  readonly notes: readonly string[];
}

/**
 * The classes that labels stand for, by value if all are numbers, else in the order of their characters. A
 * class has the name that all its labels spell; numbers that are spelled in several ways have the shortest.
 */
export function classesOf(labels: Iterable<string>): LabelClasses {
  const spellings = new Set(Array.from(labels, normalName));
  const rule = new LabelRule(spellings);
  const groups = new Map<string, string[]>();
  for (const label of spellings) groups.set(rule.keyOf(label), [...(groups.get(rule.keyOf(label)) ?? []), label]);
  const classes = [...groups].map(([key, names]) => ({ key, names, name: names.length === 1 ? names[0] : key }));
  classes.sort((a, b) => (rule.areNumbers && Number(a.key) - Number(b.key)) || (a.name < b.name ? -1 : 1));
  const several = classes.filter(({ names }) => names.length > 1);
  return {
    classNames: classes.map(({ name }) => name),
    rule,
    notes: [
      ...several.map(({ name, names }) => `labels ${names.join(' and ')} are one class, ${name}`),
      ...caseTwins(classes.map(({ name }) => name)).map(
        (names) => `the classes ${names.join(' and ')} differ in capitals alone`,
      ),
    ],
  };
}

/**
 * Labels by which tables say that a number is missing (`NaN`, `N/A` …), if all others are numbers. Among
 * words they may be classes, such as `none`.
 */
export function missingLabels(labels: Iterable<string>): ReadonlySet<string> {
  const all = [...new Set(labels)];
  const absent = all.filter((label) => /^(nan|na|n\/a|#n\/a|null|none|nil|-+|\?)$/i.test(normalName(label)));
  const others = all.filter((label) => !absent.includes(label));
  return new Set(others.length > 0 && new LabelRule(others).areNumbers ? absent : []);
}

/**
 * The number of each class among those that are known, or −1. Two classes never get one number.
 *
 * @param names of the classes of data
 * @param known the classes of a network, say
 */
export function numbersAmong(names: readonly string[], known: readonly string[]): number[] {
  const rule = new LabelRule([...known, ...names]);
  const keys = known.map((name) => rule.keyOf(name));
  const numbers = names.map((name) => (known.includes(name) ? known.indexOf(name) : keys.indexOf(rule.keyOf(name))));
  numbers.forEach((number, i) => {
    if (numbers.indexOf(number) < i) numbers[i] = -1;
  });
  return numbers;
}

/**
 * One text for all spellings of a decimal number, exact however many digits there are; `null` for other text.
 */
function numberKey(text: string): string | null {
  const [, sign, whole, comma, exponent] = /^([+-]?)(\d*)(?:[.,](\d*))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const fraction = comma ?? '';
  if (whole === undefined || whole + fraction === '') return null;
  if (exponent !== undefined) {
    const value = Number(text.replace(',', '.'));
    return Number.isFinite(value) ? String(value === 0 ? 0 : value) : null;
  }
  const [digits, decimals] = [whole.replace(/^0+/, '') || '0', fraction.replace(/0+$/, '')];
  const size = decimals === '' ? digits : `${digits}.${decimals}`;
  return sign === '-' && size !== '0' ? `-${size}` : size;
}
