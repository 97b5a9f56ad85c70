import { InputError } from '../../errors.js';
import { makeTransform, optionNames } from './registry.js';
import { Compose, type Transform, type TransformSpec } from './transform.js';

/**
 * An entry of a list of transforms: `'RandomCrop(32)'`, `{ RandomCrop: 32 }`, `{ RandomCrop: { size: 32 } }`.
 */
export type TransformEntry = string | Readonly<Record<string, unknown>>;

/**
 * Makes transforms from a text, such as
 * `RandomHorizontalFlip,RandomRotation(15),ColorJitter(brightness=0.2)`, or from a list in a file of JSON or
 * YAML.
 *
 * Values in a text are numbers, words (with or without quotes), `true`, `false`, `null`, and lists in
 * brackets or parentheses. Values without a name belong to the options in Paddle's order. Paddle's spelling
 * of names (`padding_mode`) is accepted too.
 *
 * @throws {InputError} for unknown names, with the nearest one, for values out of range, and for invalid
 *   texts
 *
 * @example
 * ```ts
 * const transform = vision.transforms.parseTransforms('RandomHorizontalFlip,RandomRotation(15)');
 * ```
 */
export function parseTransforms(spec: string | readonly TransformEntry[] | readonly TransformSpec[]): Compose {
  const entries: unknown = spec;
  if (typeof entries === 'string') return new Compose(new Parser(entries).transforms());
  if (!Array.isArray(entries)) {
    throw new InputError(`[transforms] expected a text or a list of transforms, got ${JSON.stringify(entries)}`);
  }
  return new Compose(entries.flatMap(parseEntry));
}

function parseEntry(entry: unknown): Transform[] {
  if (typeof entry === 'string') return new Parser(entry).transforms();
  const parts = typeof entry === 'object' && entry !== null && !Array.isArray(entry) ? Object.entries(entry) : [];
  if (parts.length !== 1) {
    throw new InputError(
      `[transforms] expected a name, or a name with its options ({ RandomCrop: { size: 32 } }), got ${JSON.stringify(entry)}`,
    );
  }
  const [[name, value]] = parts as [[string, unknown]];
  const first = optionNames(name)[0];
  if (value === null || value === undefined) return [makeTransform(name, {})];
  const isOptions = typeof value === 'object' && !Array.isArray(value);
  return [makeTransform(name, isOptions ? camelKeys(value as Record<string, unknown>) : { [first]: value })];
}

function camelKeys(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [camelCase(key), value]));
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const words: Readonly<Record<string, unknown>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  null: null,
  None: null,
};
const mostNesting = 4;

/** Reads the text form. */
class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  transforms(): Transform[] {
    const found: Transform[] = [];
    do found.push(this.#transform());
    while (this.#skip(','));
    if (this.#at < this.#text.length) this.#refuse("',' or the end");
    return found;
  }

  #transform(): Transform {
    const name = this.#take(/[A-Za-z]\w*/y) ?? this.#refuse('the name of a transform');
    const known = optionNames(name);
    const options: Record<string, unknown> = {};
    if (this.#skip('(')) {
      let place = 0;
      while (!this.#skip(')')) {
        if (place > 0 && !this.#skip(',')) this.#refuse("',' or ')'");
        const key = this.#take(/[A-Za-z]\w*(?=\s*=)/y);
        if (key !== null) this.#skip('=');
        const option = key === null ? known[place] : camelCase(key);
        if (option === undefined) this.#refuse(`at most ${known.length} options of ${name}`);
        if (Object.hasOwn(options, option)) this.#refuse(`${option} once`);
        options[option] = this.#value(0);
        place++;
      }
    }
    return makeTransform(name, options);
  }

  #value(depth: number): unknown {
    for (const [open, close] of ['[]', '()']) {
      if (!this.#skip(open)) continue;
      if (depth >= mostNesting) this.#refuse('a value');
      const items: unknown[] = [];
      while (!this.#skip(close)) {
        if (items.length > 0 && !this.#skip(',')) this.#refuse(`',' or '${close}'`);
        items.push(this.#value(depth + 1));
      }
      return items;
    }
    const number = this.#take(/[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y);
    // −0 becomes 0, since JSON has no −0.
    if (number !== null) return Number(number) + 0;
    const quoted = this.#take(/'[^']*'|"[^"]*"/y);
    if (quoted !== null) return quoted.slice(1, -1);
    const word = this.#take(/[A-Za-z]\w*/y) ?? this.#refuse('a value');
    return Object.hasOwn(words, word) ? words[word] : word;
  }

  /** The next text, if it matches, without the space before it. */
  #take(pattern: RegExp): string | null {
    this.#space();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    this.#at += found?.length ?? 0;
    return found;
  }

  #skip(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    this.#space();
    return true;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #refuse(expected: string): never {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    throw new InputError(
      `[transforms] '${this.#text}': expected ${expected} at character ${this.#at + 1}, ` +
        `got ${rest === '' ? 'the end' : `'${rest}'`}; write it like RandomCrop(32, padding=4),RandomHorizontalFlip`,
    );
  }
}
