import { z } from 'zod';
import { InputError } from '../errors.js';
import { nearestName, suggestion } from '../text/suggest.js';
import { type TrainingOptions, trainingOptions } from './trainingOptions.js';

/** The keys of a configuration: the options of a training. */
const schema = z.strictObject(
  Object.fromEntries(Object.entries(trainingOptions).map(([key, { type }]) => [key, type])),
);

const configurationKeys = Object.keys(trainingOptions);

/** Names of some keys in other programs, in lower case and without hyphens. */
const synonyms: ReadonlyMap<string, string> = new Map(
  Object.entries({
    learningrate: 'lr',
    numworkers: 'workers',
    numepochs: 'epochs',
    network: 'model',
    dataset: 'data',
    scheduler: 'schedule',
    lrscheduler: 'schedule',
    augmentation: 'transforms',
    gradclip: 'clipGradNorm',
    savedir: 'out',
    logfreq: 'logEvery',
  }),
);

/** The key that has another name in other programs; undefined if there is none. */
export function synonymOf(name: string): string | undefined {
  return synonyms.get(name.replaceAll(/[-_]/g, '').toLowerCase());
}

/**
 * Message about an unknown key, with the nearest one.
 *
 * @param others keys besides those of a configuration
 * @param only whether there are only those
 */
export function unknownKey(key: string, others: readonly string[] = [], only = false): string {
  const keys = only ? others : [...configurationKeys, ...others];
  const near = (only ? undefined : synonymOf(key)) ?? nearestName(key, keys);
  return `unknown key ${key}, ${near === null ? `there are ${keys.join(', ')}` : `did you mean ${near}?`}`;
}

/** Message about an unknown text, with the nearest; undefined for other values. */
export function choiceMessage(issue: z.core.$ZodIssue, given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined;
  const inner = issue.code === 'invalid_union' ? issue.errors.flat() : [issue];
  const known = inner.flatMap((one) => (one.code === 'invalid_value' ? one.values.map(String) : []));
  if (known.length === 0) return undefined;
  const others = inner.length > 1 ? ' or a value of another type' : '';
  return `expected ${known.join(', ')}${others}, got '${given}'${suggestion(given, known)}`;
}

/**
 * Checks the values of a configuration.
 *
 * @param where names the file in messages
 * @throws {InputError} naming every key that is unknown, with the nearest one, or wrong
 */
export function configurationOf(value: unknown, where: string): TrainingOptions {
  const result = schema.partial().safeParse(value);
  if (result.success) return result.data as TrainingOptions;
  const problems = result.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key));
    const given = issue.path.reduce<unknown>((inner, key) => Object(inner)[key], value);
    const message = choiceMessage(issue, given) ?? issue.message;
    return `${issue.path.join('.') || 'the file'}: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
  });
  throw new InputError(`[config] ${where}: ${problems.flat().join('; ')}`);
}
