import { InputError } from '../errors.js';
import { classNameOf } from '../text/names.js';
import { suggestion } from '../text/suggest.js';
import type { RunConfig } from './config.js';

/** The one of two classes that sensitivity, specificity, precision and AUC are computed for. */
export interface PositiveClass {
  /** 0 or 1. */
  readonly index: number;
  readonly name: string;
  /** The other class. */
  readonly other: string;
}

/** Names of classes without a finding. */
const negatives = words(
  'normal normals negative negatives neg healthy control controls background bg absent absence benign ok okay good false ' +
    'clean clear intact none nothing other others rest regular 0 unaffected uninfected undamaged unremarkable fine ' +
    'negativo negativa négatif négative sano sana sanos sain saine gesund unauffällig норма здоровый 正常 阴性 陰性 健康 ' +
    '良性 无 無 정상 음성',
);
const positives = words(
  'positive positives pos abnormal present presence malignant true bad defect defective damaged diseased disease sick ill ' +
    'infected affected faulty broken anomaly anomalous 1 yes positivo positiva positif enfermo enferma malade krank ' +
    'auffällig 阳性 陽性 异常 異常 恶性 悪性 양성 비정상',
);
const negations = words('no non not without n');

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

/**
 * The positive one of two classes: the class that the caller names; else by the names of both (`normal`,
 * `non-PM`, `0` are negative); else the second.
 *
 * @returns null unless there are two classes
 * @throws {InputError} if the caller names another class, or there are not two classes
 */
export function positiveClass(classNames: readonly string[], asked?: string): PositiveClass | null {
  if (classNames.length !== 2) {
    if (asked === undefined) return null;
    throw new InputError(
      `[positive class] ${asked}: expected with two classes only, got it with ${classNames.length}: every class has ` +
        'metrics of its own then',
    );
  }
  const index = asked === undefined ? usualIndex(classNames) : classNames.indexOf(classNameOf(asked));
  if (index < 0) {
    throw new InputError(
      `[positive class] ${asked}: expected ${classNames.join(' or ')}, got another name` +
        suggestion(asked ?? '', classNames),
    );
  }
  return { index, name: classNames[index], other: classNames[1 - index] };
}

/** @throws {InputError} if reports are to speak of a screening test that has other than two classes */
export function requireScreening(asked: boolean | undefined, { length }: readonly string[]): void {
  if (asked === true && length !== 2) throw new InputError(`[run] screening: expected two classes, got ${length}`);
}

/** The positive class of a run. In older runs, which do not record it, it is the second one. */
export function positiveOf({ positive, data }: Pick<RunConfig, 'positive' | 'data'>): PositiveClass | null {
  const { classNames } = data;
  return classNames.length === 2 ? positiveClass(classNames, positive ?? classNames[1]) : null;
}

/** Why a class is the positive one, for people. */
export function describePositive({ name, index, other }: PositiveClass): string {
  const classNames = index === 1 ? [other, name] : [name, other];
  if (usualIndex(classNames) !== index) return `${name}, not ${other}`;
  return sidesOf(classNames) === null
    ? `${name}, not ${other}: the last one, for their names do not say it`
    : `${name}, not ${other}, by their names`;
}

function usualIndex(classNames: readonly string[]): number {
  return sidesOf(classNames) ?? 1;
}

/** The index of the class that names make the positive one; null if they do not say it. */
function sidesOf(classNames: readonly string[]): number | null {
  const [first, second] = classNames.map((name, i) => sideOf(name, classNames[1 - i]));
  if (first === second) return null;
  return first === 'positive' || second === 'negative' ? 0 : 1;
}

function sideOf(name: string, counterpart: string): 'positive' | 'negative' | null {
  const parts = name
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part !== '');
  const rest = parts.slice(1);
  if (negations.has(parts[0])) return rest.some((part) => negatives.has(part)) ? 'positive' : 'negative';
  const joined = parts.join(' ');
  const other = counterpart.toLowerCase();
  if (['no', 'non', 'not', 'un', 'in'].some((prefix) => joined === prefix + other)) return 'negative';
  if (parts.some((part) => positives.has(part))) return 'positive';
  return parts.some((part) => negatives.has(part)) ? 'negative' : null;
}
