import { caseTwins, classNameOf } from '../../text/names.js';

/**
 * Decides which labels are the same class. One rule holds for tables, and for comparing the classes of a
 * network with those of data. If all labels are numbers, they are compared by value (`1` and `1.0`, `007` and
 * `7`). If all are `true` or `false`, case makes no difference. Else text is compared in its normal form.
 */
export class LabelRule {
  readonly #keyOf: (label: string) => string;
  /** Whether labels are compared as numbers. */
  readonly areNumbers: boolean;

  /** @param labels all labels that are to be compared */
  constructor(labels: Iterable<string>) {
    const all = Array.from(new Set(labels), classNameOf);
    this.areNumbers = all.length > 0 && all.every((label) => numberKey(label) !== null);
    const areTruths = all.every((label) => /^(true|false)$/i.test(label));
    this.#keyOf = this.areNumbers
      ? (label) => numberKey(label) ?? label
      : (label) => (areTruths ? label.toLowerCase() : label);
  }

  /** A text that is equal for labels of one class. */
  keyOf(label: string): string {
    return this.#keyOf(classNameOf(label));
  }
}

/** The classes in a column of labels. */
export interface LabelClasses {
  /** The names, in the order of the classes' numbers. */
  readonly classNames: readonly string[];
  readonly rule: LabelRule;
  /** Spellings that count as one class, in sentences for people. */
  readonly notes: readonly string[];
}

/**
 * The classes that labels stand for: sorted by value if all are numbers, else by their characters. The name
 * of a class is the common spelling of its labels; numbers with several spellings have the shortest one.
 */
export function classesOf(labels: Iterable<string>): LabelClasses {
  const spellings = new Set(Array.from(labels, classNameOf));
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
 * Labels that mark a missing number in tables (`NaN`, `N/A` …), if all others are numbers. Among words they
 * may be classes, such as `none`.
 */
export function missingLabels(labels: Iterable<string>): ReadonlySet<string> {
  const all = [...new Set(labels)];
  const absent = all.filter((label) => /^(nan|na|n\/a|#n\/a|null|none|nil|-+|\?)$/i.test(classNameOf(label)));
  const others = all.filter((label) => !absent.includes(label));
  return new Set(others.length > 0 && new LabelRule(others).areNumbers ? absent : []);
}

/**
 * The number of each class among the known ones, or −1. Two classes never get the same number.
 *
 * @param names the classes of data
 * @param known the classes of a network, for example
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

/** One text for all spellings of a decimal number, exact for any number of digits; `null` for other text. */
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
