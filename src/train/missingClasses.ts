import type { Dataset } from '../io/data/dataset.js';

const mostNamed = 10;

/** A warning that names the classes without a sample; null if every class has one. */
export function missingClasses(what: string, classNames: readonly string[], counts: readonly number[]): string | null {
  const missing = classNames.filter((_, i) => counts[i] === 0);
  if (missing.length === 0) return null;
  const more = missing.length > mostNamed ? ` and ${missing.length - mostNamed} more` : '';
  return `no ${what} of ${missing.slice(0, mostNamed).join(', ')}${more}: metrics say nothing about ${missing.length === 1 ? 'it' : 'them'}`;
}

/** {@link missingClasses} for data sets whose labels are known without reading the images. */
export function missingInEvaluation(trained: Dataset, evaluated: Dataset): string | null {
  const { labels, classNames } = trained;
  if (labels === undefined || evaluated.labels === undefined) return null;
  const known = new Set(Array.from(labels));
  const classes = [...known].sort((a, b) => a - b);
  const names = classes.map((label) => classNames?.[label] ?? `class ${label}`);
  const found = new Set(Array.from(evaluated.labels));
  return missingClasses(
    'validation samples',
    names,
    classes.map((label) => (found.has(label) ? 1 : 0)),
  );
}
