import type { CommandEntry, Values } from './table.js';

/** Quotes a word for bash, zsh and fish. In fish alone a backslash must be doubled before. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Words in one text with spaces between them. */
export function words(all: readonly string[]): string {
  return quoted(all.join(' '));
}

/** Cases of a shell's `case`, one for all options and arguments with the same values. */
export function valueCases(table: readonly CommandEntry[]): string[] {
  const patterns = new Map<string, string[]>();
  const add = (pattern: string, { words: known, isPath }: Values) => {
    if (known.length === 0 && !isPath) return;
    const values = `${known.length === 0 ? '' : `values=${words(known)} `}${isPath ? 'files=1 ' : ''}`;
    patterns.set(values, [...(patterns.get(values) ?? []), pattern]);
  };
  for (const { path, flags, arguments: taken, isVariadic } of table) {
    for (const { names, values } of flags) {
      if (values !== null) for (const name of names) add(quoted(`${path} ${name}`), values);
    }
    taken.forEach((values, i) => {
      const isLast = i === taken.length - 1 && isVariadic;
      add(isLast ? `${quoted(`${path} `)}[0-9]*` : quoted(`${path} ${i}`), values);
    });
  }
  // An argument that takes several stands behind those with a number of their own.
  const cases = [...patterns].sort(([, a], [, b]) => Number(a.join().includes('[')) - Number(b.join().includes('[')));
  return cases.map(([values, all]) => `    ${all.join(' | ')}) ${values};;`);
}
