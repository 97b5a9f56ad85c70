import { z } from 'zod';
import { InputError } from '../errors.js';
import { namedModel } from '../run/catalog/models.js';
import { choiceMessage, configurationOf, unknownKey } from '../run/configuration.js';
import { count, natural } from '../run/option.js';
import { type TrainingOptions, trainingOptions } from '../run/trainingOptions.js';
import type { Json } from '../text/json.js';
import { option } from '../text/option.js';
import { nearestName } from '../text/suggest.js';
import { gridOf, type Parameter, type Range, type Values } from './space.js';

/** A whole sweep, as its folder keeps it. */
export interface SweepDefinition {
  /** The plain recipe: keys of a configuration with one value each. */
  readonly base: Values;
  readonly parameters: readonly Parameter[];
  readonly settings: SweepSettings;
  /** Name of the network of the plain recipe. */
  readonly model: string;
  /** Epochs of a whole training. */
  readonly epochs: number;
}

/**
 * Part of a training before trials are compared first. Networks such as LeNet learn nothing in their first
 * epochs, so that results of the first one say little about the last.
 */
const shareBeforeHalving = 1 / 3;

const asha = z.strictObject({
  minEpochs: count.optional(),
  reduction: z.int().min(2).describe('an integer of at least 2').default(3),
});

/** The key `sweep` of the file. */
const settings = z.strictObject({
  method: z.enum(['tpe', 'random', 'grid']).default('tpe'),
  trials: count.default(24),
  /** Values of each range in a grid. */
  levels: count.default(3),
  metric: z.enum(['accuracy', 'loss']).default('accuracy'),
  asha: z.union([z.boolean(), asha]).default(true),
  seed: natural.default(0),
  /** Fresh seeds of the plain recipe and of the best trials. */
  seeds: z.int().min(2).describe('an integer of at least 2').default(3),
  /** Number of the best trials that are repeated. */
  best: count.default(3),
});

type Asked = Omit<z.infer<typeof settings>, 'asha'> & { readonly asha: z.infer<typeof asha> | null };
/** The settings of the search. */
export type SweepSettings = Omit<Asked, 'asha'> & {
  readonly asha: { readonly minEpochs: number; readonly reduction: number } | null;
};

/** Keys that a sweep sets itself, and those that are no part of a recipe. */
const fixedKeys = ['seed', 'out', 'logEvery', 'tensorBoard', 'saveSteps', 'workers', 'cache', 'engine', 'threads'];
/** Keys whose values a sweep cannot compare, since the validation images would differ. */
const dataKeys = [
  'data',
  'dataDir',
  'testData',
  'holdOut',
  'group',
  'root',
  'fileColumn',
  'labelColumn',
  'splitColumn',
];
const kinds = ['range', 'log', 'int', 'logInt', 'choice'] as const;

/**
 * Reads a sweep: the keys of a configuration, any of them as a range, and `sweep` with the settings of the
 * search.
 *
 * @param where names the file in messages
 * @throws {InputError} naming everything that is wrong
 */
export function sweepOf(value: unknown, where: string): SweepDefinition {
  const refuse = (message: string) => new InputError(`[sweep] ${where}: ${message}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse('expected keys of a configuration, some of them with ranges, got something else');
  }
  const { sweep = {}, ...keys } = value as Record<string, Json>;
  const found = settingsOf(sweep, refuse);
  const base: Record<string, Json> = {};
  const parameters: Parameter[] = [];
  for (const [key, given] of Object.entries(keys)) {
    if (!Object.hasOwn(trainingOptions, key)) throw refuse(unknownKey(key, ['sweep']));
    const parameter = parameterOf(key, given, refuse);
    if (parameter === null) base[key] = given;
    else parameters.push(parameter);
  }
  if (parameters.length === 0) {
    // A value that is no range of its kind is the likely cause.
    configurationOf(base, where);
    throw refuse('expected a key with a range, such as lr: { log: [0.0001, 0.1] }, got none');
  }
  const ordered = inOrder(parameters, base, refuse);
  for (const key of ['seed', 'out']) {
    if (Object.hasOwn(base, key))
      throw refuse(
        `${key}: expected none in a sweep, got one; ${{ seed: 'give sweep: { seed: … }', out: `give ${option('out')}`, folds: 'leave it out' }[key]}`,
      );
  }
  const options = configurationOf(base, where);
  const model = modelOf(options, ordered, refuse);
  const searchedEpochs = ordered.find(({ key }) => key === 'epochs')?.range;
  if (found.asha !== null && searchedEpochs !== undefined) {
    throw refuse(
      'epochs: expected one value, since asha compares trials after the same epochs; or give sweep: { asha: false }',
    );
  }
  if (found.asha !== null && ((options.evalEvery ?? 1) > 1 || ordered.some(({ key }) => key === 'evalEvery'))) {
    throw refuse('evalEvery: expected 1, since asha compares evaluations; or give sweep: { asha: false }');
  }
  const epochs = longest(searchedEpochs) ?? options.epochs ?? namedModel(model).recipe.epochs;
  const { minEpochs = Math.ceil(shareBeforeHalving * epochs), reduction } = found.asha ?? asha.parse({});
  if (found.asha?.minEpochs !== undefined && minEpochs >= epochs) {
    throw refuse(
      `sweep.asha.minEpochs: expected fewer than the ${epochs} epochs of a training, got ${minEpochs}; or give sweep: { asha: false }`,
    );
  }
  const halving = found.asha === null ? null : { minEpochs, reduction };
  const definition = { base, parameters: ordered, settings: { ...found, asha: halving }, model, epochs };
  checkEnds(definition, where);
  if (found.method === 'grid') gridOf(ordered, found.levels);
  return definition;
}

/** The most epochs of a range. */
function longest(range: Range | undefined): number | undefined {
  if (range === undefined) return undefined;
  return range.kind === 'choice' ? Math.max(...range.values.map(Number)) : range.high;
}

type Refuse = (message: string) => InputError;

function settingsOf(given: Json, refuse: Refuse): Asked {
  const { asha: halving } = Object(given) as { readonly asha?: Json };
  // The union alone would not say what is wrong with an object.
  if (typeof halving === 'object' && halving !== null) checked('sweep.asha', asha, halving, refuse);
  const { asha: found, ...others } = checked('sweep', settings, given, refuse);
  return { ...others, asha: found === false ? null : found === true ? asha.parse({}) : found };
}

/** A value of a schema. */
function checked<T extends z.ZodObject>(where: string, schema: T, given: Json, refuse: Refuse): z.infer<T> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `${where}: ${unknownKey(key, Object.keys(schema.shape), true)}`);
    }
    const value = issue.path.reduce<unknown>((inner, key) => Object(inner)[key], given);
    const message =
      choiceMessage(issue, value) ??
      `${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}, got ${JSON.stringify(value)}`;
    return [`${[where, ...issue.path].join('.')}: ${message}`];
  });
  throw refuse(problems.join('; '));
}

/** A parameter if a value is a range; null for a plain value. */
function parameterOf(key: string, given: Json, refuse: Refuse): Parameter | null {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return null;
  const { when = null, ...rest } = given as Record<string, Json>;
  const kind = kinds.find((one) => Object.hasOwn(rest, one));
  if (kind === undefined) {
    const near = Object.keys(rest).map((name) => [name, nearestName(name, kinds)] as const);
    const mistyped = near.find(([, name]) => name !== null);
    if (mistyped !== undefined && !trainingOptions[key as keyof typeof trainingOptions].type.safeParse(given).success) {
      throw refuse(`${key}: unknown range ${mistyped[0]}, did you mean ${mistyped[1]}?`);
    }
    if (when === null) return null;
    throw refuse(
      `${key}: expected one of ${kinds.join(', ')} beside when, got ${Object.keys(rest).join(', ') || 'none'}`,
    );
  }
  const others = Object.keys(rest).filter((name) => name !== kind);
  if (others.length > 0) throw refuse(`${key}: expected ${kind} alone or with when, got ${others.join(', ')} as well`);
  if (fixedKeys.includes(key)) throw refuse(`${key}: expected one value, since it is no part of a recipe, got a range`);
  if (dataKeys.includes(key)) {
    throw refuse(`${key}: expected one value, since metrics of other images cannot be compared, got a range`);
  }
  return { key, range: rangeOf(key, kind, rest[kind], refuse), when: whenOf(key, when, refuse) };
}

function rangeOf(key: string, kind: (typeof kinds)[number], given: Json, refuse: Refuse): Range {
  const shown = JSON.stringify(given);
  if (!Array.isArray(given)) throw refuse(`${key}.${kind}: expected a list, got ${shown}`);
  if (kind === 'choice') {
    if (given.length === 0) throw refuse(`${key}.choice: expected at least one value, got none`);
    const distinct = new Set(given.map((one) => JSON.stringify(one)));
    if (distinct.size < given.length) throw refuse(`${key}.choice: expected different values, got ${shown}`);
    return { kind, values: given };
  }
  const isInteger = kind === 'int' || kind === 'logInt';
  const valid = (x: Json) => typeof x === 'number' && Number.isFinite(x) && (!isInteger || Number.isSafeInteger(x));
  if (given.length !== 2 || !given.every(valid)) {
    throw refuse(
      `${key}.${kind}: expected two ${isInteger ? 'integers' : 'numbers'}, the least and the largest, got ${shown}`,
    );
  }
  const [low, high] = given as [number, number];
  if (low >= high) throw refuse(`${key}.${kind}: expected the least number first, and a larger one, got ${shown}`);
  if ((kind === 'log' || kind === 'logInt') && low <= 0) {
    throw refuse(`${key}.${kind}: expected numbers above 0, got ${shown}; take ${kind === 'log' ? 'range' : 'int'}`);
  }
  return { kind, low, high };
}

function whenOf(key: string, given: Json, refuse: Refuse): Parameter['when'] {
  if (given === null) return null;
  if (typeof given !== 'object' || Array.isArray(given) || Object.keys(given).length === 0) {
    throw refuse(
      `${key}.when: expected the value of another key, such as { optimizer: momentum }, got ${JSON.stringify(given)}`,
    );
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, allowed]) => [name, Array.isArray(allowed) ? allowed : [allowed]]),
  ) as Record<string, Json[]>;
}

/** Parameters behind those that their conditions name. Conditions on plain values are decided now. */
function inOrder(parameters: readonly Parameter[], base: Values, refuse: Refuse): Parameter[] {
  const known = new Map(parameters.map((parameter) => [parameter.key, parameter]));
  const ordered: Parameter[] = [];
  const visit = (parameter: Parameter, behind: readonly string[]) => {
    if (ordered.includes(parameter)) return;
    if (behind.includes(parameter.key))
      throw refuse(`${parameter.key}.when: expected conditions without a circle, got one`);
    for (const [name, allowed] of Object.entries(parameter.when ?? {})) {
      const other = known.get(name);
      if (other === undefined) {
        throw refuse(
          `${parameter.key}.when: expected a key with a range (${[...known.keys()].filter((key) => key !== parameter.key).join(', ') || 'there is no other'}), got ${name}` +
            (Object.hasOwn(base, name) ? ', which has one value' : ''),
        );
      }
      const { range } = other;
      if (range.kind === 'choice') {
        const texts = range.values.map((one) => JSON.stringify(one));
        const strange = allowed.find((one) => !texts.includes(JSON.stringify(one)));
        if (strange !== undefined) {
          throw refuse(
            `${parameter.key}.when.${name}: expected one of ${texts.join(', ')}, got ${JSON.stringify(strange)}`,
          );
        }
      }
      visit(other, [...behind, parameter.key]);
    }
    ordered.push(parameter);
  };
  for (const parameter of parameters) visit(parameter, []);
  return ordered;
}

function modelOf({ model }: TrainingOptions, parameters: readonly Parameter[], refuse: Refuse): string {
  if (model !== undefined) return model;
  const range = parameters.find(({ key }) => key === 'model')?.range;
  const first = range?.kind === 'choice' ? range.values[0] : null;
  if (typeof first !== 'string') throw refuse('model: expected a network, or a choice of networks, got none');
  return first;
}

/** Both ends of each range, and all choices, must be valid values of their keys. */
function checkEnds({ parameters, base }: SweepDefinition, where: string): void {
  for (const { key, range } of parameters) {
    for (const value of range.kind === 'choice' ? range.values : [range.low, range.high]) {
      const { model } = configurationOf({ ...base, [key]: value }, where);
      if (key === 'model' && model !== undefined) namedModel(model);
    }
  }
}

/** The plain recipe, with the first choice where the network is one of several. */
export function plainValues({ base, model, parameters }: SweepDefinition): Values {
  return parameters.some(({ key }) => key === 'model') ? { ...base, model } : base;
}
