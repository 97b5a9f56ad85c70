import { inWords } from '../../text/list.js';
import type { OpenedData, OpenOptions } from '../catalog/datasets.js';
import type { Copy } from './copies.js';
import type { Measured } from './measure.js';
import { mostPictures, neighboursOf } from './neighbours.js';
import type { CheckedPicture } from './picture.js';

const kinds = {
  unreadable: 'Unreadable pictures',
  leak: 'Copies in several parts of the data',
  groups: 'Copies in several groups',
  conflict: 'Copies with different labels',
  copy: 'Copies',
  label: 'Likely wrong labels',
  outlier: 'Pictures unlike all others',
  blur: 'Blurred pictures',
  exposure: 'Very dark, bright or empty pictures',
  classes: 'Classes',
} as const;

export type FindingKind = keyof typeof kinds;

export const findingTitles: Readonly<Record<FindingKind, string>> = kinds;

/** Something that a person should decide about. */
export interface Finding {
  readonly kind: FindingKind;
  /** Problems make a check fail with `strict`; warnings may be as they should. */
  readonly severity: 'problem' | 'warning';
  /** Indices of pictures. */
  readonly pictures: readonly number[];
  readonly message: string;
  /** Indices of pictures that would better be left out. */
  readonly exclude: readonly number[];
  /** Another label for the picture. */
  readonly relabel: number | null;
}

type Probabilities = ReadonlyMap<string, Float32Array> | undefined;

/** All findings, those about copies first. */
export async function findingsOf(
  pictures: readonly CheckedPicture[],
  copies: readonly Copy[],
  classNames: readonly string[],
  opened: Pick<OpenedData, 'passedOver'>,
  probabilities: Probabilities,
  onProgress?: OpenOptions['onProgress'],
): Promise<{ readonly findings: readonly Finding[]; readonly leftOut: readonly string[] }> {
  const own = pictures.flatMap(({ against }, i) => (against ? [] : [i]));
  const readable = own.filter((i) => pictures[i].measured !== null);
  const leftOut: string[] = [];
  const findings = [
    ...own.filter((i) => pictures[i].problem !== null).map((i) => unreadable(pictures, i)),
    ...copies.flatMap((copy) => copyFindings(copy, pictures, classNames)),
    ...(await labelFindings(pictures, readable, copies, classNames, probabilities, leftOut, onProgress)),
    ...lookFindings(pictures, readable),
    ...classFindings(pictures, own, classNames, opened),
  ];
  return { findings, leftOut };
}

function unreadable(pictures: readonly CheckedPicture[], i: number): Finding {
  const message = pictures[i].problem ?? '';
  return { kind: 'unreadable', severity: 'problem', pictures: [i], message, exclude: [i], relabel: null };
}

/** Test and validation pictures stay where a copy of them is left out. */
const worth = (part: string) => ['train', 'all', 'validation', 'test'].indexOf(part);

function copyFindings(
  { a, b, kind, move }: Copy,
  pictures: readonly CheckedPicture[],
  classNames: readonly string[],
): Finding[] {
  const [x, y] = [pictures[a], pictures[b]];
  if (x.against && y.against) return [];
  const how = kind === 'file' ? 'the same file' : (move ?? 'saved again or resized');
  const made = (
    of: FindingKind,
    severity: Finding['severity'],
    message: string,
    exclude: readonly number[],
  ): Finding => ({ kind: of, severity, pictures: [a, b], message, exclude, relabel: null });
  // One of the two is left out.
  const spare = y.against || worth(y.part) > worth(x.part) ? a : b;
  const found: Finding[] = [];
  const names = `${y.name} (${y.part}) and ${x.name} (${x.part})`;
  if (x.label !== y.label && !x.against && !y.against) {
    const labels = `${classNames[y.label]} and ${classNames[x.label]}`;
    found.push(made('conflict', 'problem', `${names} are copies (${how}) with the labels ${labels}`, [a, b]));
  }
  if (x.part !== y.part) found.push(made('leak', 'problem', `${names} are copies: ${how}`, [spare]));
  else if (x.group !== y.group && x.group !== null && y.group !== null) {
    const message = `${names} are copies (${how}) in the groups ${y.group} and ${x.group}`;
    found.push(made('groups', 'problem', message, [spare]));
  }
  if (found.length === 0) found.push(made('copy', 'problem', `${names} are copies: ${how}`, [spare]));
  return found;
}

const leastPictures = 50;
/** Shares of the nearest pictures: at most this of the own class, and at least this of another. */
const [mostOwn, leastOther] = [0.1, 0.8];

async function labelFindings(
  pictures: readonly CheckedPicture[],
  readable: readonly number[],
  copies: readonly Copy[],
  classNames: readonly string[],
  probabilities: Probabilities,
  leftOut: string[],
  onProgress: OpenOptions['onProgress'],
): Promise<Finding[]> {
  const classes = classNames.length;
  const label = (i: number, other: number, why: string): Finding => ({
    kind: 'label',
    severity: 'warning',
    pictures: [i],
    message: `${pictures[i].name} is labelled ${classNames[pictures[i].label]}, and ${why} ${classNames[other]}`,
    exclude: [],
    relabel: other,
  });
  if (probabilities !== undefined) {
    const known = readable.filter((i) => probabilities.has(pictures[i].name));
    if (known.length < readable.length) {
      leftOut.push(`wrong labels of ${readable.length - known.length} pictures: there is no prediction for them`);
    }
    return confidentErrors(pictures, known, probabilities, classes).map(({ i, other, share }) =>
      label(i, other, `the out-of-fold prediction is, with ${Math.round(100 * share)} %,`),
    );
  }
  if (readable.length < leastPictures || readable.length > mostPictures || classes < 2) {
    const why = readable.length < leastPictures ? `fewer than ${leastPictures}` : `more than ${mostPictures}`;
    leftOut.push(
      `wrong labels and outliers: ${classes < 2 ? 'there is one class' : `there are ${why} pictures`}; out-of-fold predictions find wrong labels too`,
    );
    return [];
  }
  // Copies must not confirm one another.
  const keys = new Map<number, string>();
  for (const { a, b } of copies) {
    const key = keys.get(a) ?? keys.get(b) ?? `copies of ${a}`;
    keys.set(a, key);
    keys.set(b, key);
  }
  const { shares, distances } = await neighboursOf(
    readable.map((i) => pictures[i].measured as Measured),
    readable.map((i) => pictures[i].label),
    readable.map((i) => pictures[i].group ?? keys.get(i) ?? null),
    classes,
    (done) => onProgress?.({ stage: 'comparing pictures', done, total: readable.length }),
  );
  const found: Finding[] = [];
  readable.forEach((i, place) => {
    const own = shares.subarray(place * classes, (place + 1) * classes);
    const other = own.indexOf(Math.max(...own));
    if (own[pictures[i].label] > mostOwn || own[other] < leastOther) return;
    found.push(label(i, other, `${Math.round(100 * own[other])} % of the pictures most like it are`));
  });
  const high = upperFence(distances);
  readable.forEach((i, place) => {
    if (distances[place] > high) {
      found.push(warning('outlier', i, `${pictures[i].name} is unlike all other pictures`));
    }
  });
  return found;
}

/**
 * Confident learning (Northcutt et al., JAIR 2021;70): a picture is likely of another class if that class has
 * at least its usual probability among pictures of its label, and the own class has less than its own usual.
 */
function confidentErrors(
  pictures: readonly CheckedPicture[],
  known: readonly number[],
  probabilities: ReadonlyMap<string, Float32Array>,
  classes: number,
): { i: number; other: number; share: number }[] {
  const usual = Array.from({ length: classes }, (_, c) => {
    const own = known.filter((i) => pictures[i].label === c);
    const sum = own.reduce((total, i) => total + (probabilities.get(pictures[i].name)?.[c] ?? 0), 0);
    return own.length === 0 ? Number.POSITIVE_INFINITY : sum / own.length;
  });
  return known
    .flatMap((i) => {
      const own = probabilities.get(pictures[i].name) as Float32Array;
      const other = own.indexOf(Math.max(...own));
      const { label } = pictures[i];
      const isError = other !== label && own[other] >= usual[other] && own[label] < usual[label];
      return isError ? [{ i, other, share: own[other], gap: own[other] - own[label] }] : [];
    })
    .sort((a, b) => b.gap - a.gap);
}

function warning(kind: FindingKind, i: number, message: string): Finding {
  return { kind, severity: 'warning', pictures: [i], message, exclude: [], relabel: null };
}

/** Values beyond are three widths of the middle half above it, on a logarithmic scale. */
function upperFence(values: Float64Array): number {
  const sorted = Array.from(values, (value) => Math.log(value + 1e-9)).sort((a, b) => a - b);
  const [low, high] = [0.25, 0.75].map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
  return Math.exp(high + 3 * Math.max(high - low, 0.1));
}

const leastForLooks = 20;
/** Deviations from the median, in robust standard deviations. */
const mostDeviations = 5;
/** Standard deviation of the grey values below which a picture is empty. */
const emptyContrast = 2;

function lookFindings(pictures: readonly CheckedPicture[], readable: readonly number[]): Finding[] {
  const measured = (i: number) => pictures[i].measured as Measured;
  const empty = readable.filter((i) => measured(i).contrast < emptyContrast);
  const found = empty.map((i) => warning('exposure', i, `${pictures[i].name} is empty: all pixels are about equal`));
  const others = readable.filter((i) => measured(i).contrast >= emptyContrast);
  if (others.length < leastForLooks) return found;
  const labels = others.map((i) => pictures[i].label);
  const brightness = deviations(
    others.map((i) => measured(i).brightness),
    labels,
  );
  const sharpness = deviations(
    others.map((i) => Math.log(measured(i).sharpness + 1e-3)),
    labels,
  );
  others.forEach((i, place) => {
    const { name } = pictures[i];
    if (Math.abs(brightness[place]) > mostDeviations) {
      found.push(
        warning('exposure', i, `${name} is much ${brightness[place] < 0 ? 'darker' : 'brighter'} than the others`),
      );
    }
    if (sharpness[place] < -mostDeviations)
      found.push(warning('blur', i, `${name} is much less sharp than the others`));
  });
  return found;
}

/**
 * Deviations from the median of all pictures or of the own class, whichever is smaller: a class may be darker
 * than the others.
 */
function deviations(values: readonly number[], labels: readonly number[]): number[] {
  const ofAll = robustDeviations(values);
  for (const label of new Set(labels)) {
    const own = labels.flatMap((other, i) => (other === label ? [i] : []));
    if (own.length < leastForLooks) continue;
    const ofClass = robustDeviations(own.map((i) => values[i]));
    own.forEach((i, place) => {
      if (Math.abs(ofClass[place]) < Math.abs(ofAll[i])) ofAll[i] = ofClass[place];
    });
  }
  return ofAll;
}

function robustDeviations(values: readonly number[]): number[] {
  const median = (all: readonly number[]) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
  const middle = median(values);
  const spread = 1.4826 * median(values.map((value) => Math.abs(value - middle)));
  return values.map((value) => (spread === 0 ? 0 : (value - middle) / spread));
}

/** Largest quotient of class sizes without a warning, and the fewest pictures of a class. */
const [mostImbalance, leastOfClass] = [10, 5];

function classFindings(
  pictures: readonly CheckedPicture[],
  own: readonly number[],
  classNames: readonly string[],
  { passedOver }: Pick<OpenedData, 'passedOver'>,
): Finding[] {
  const about = (severity: Finding['severity'], message: string): Finding => {
    return { kind: 'classes', severity, pictures: [], message, exclude: [], relabel: null };
  };
  const found: Finding[] = [];
  const counts = classNames.map((_, label) => own.filter((i) => pictures[i].label === label).length);
  for (const { what, count, examples } of passedOver) {
    if (what !== 'folders without pictures') continue;
    const more = count > examples.length ? ` and ${count - examples.length} more` : '';
    found.push(about('problem', `folders without pictures, perhaps of a class: ${examples.join(', ')}${more}`));
  }
  if (classNames.length < 2) found.push(about('problem', `there is one class, ${classNames[0]}`));
  const few = classNames.filter((_, label) => counts[label] < leastOfClass);
  if (few.length > 0) found.push(about('warning', `classes with fewer than ${leastOfClass} pictures: ${inWords(few)}`));
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most > mostImbalance * least) {
    found.push(
      about(
        'warning',
        `classes differ much in size: ${classNames[counts.indexOf(most)]} has ${most} pictures, ${classNames[counts.indexOf(least)]} has ${least}`,
      ),
    );
  }
  for (const part of new Set(own.map((i) => pictures[i].part))) {
    const missing = classNames.filter(
      (_, label) => !own.some((i) => pictures[i].part === part && pictures[i].label === label),
    );
    if (missing.length > 0) found.push(about('problem', `the part ${part} has no picture of ${inWords(missing)}`));
  }
  return found;
}
