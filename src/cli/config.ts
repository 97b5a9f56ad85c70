import { dirname } from 'node:path';
import { Lexer, Parser, parse } from 'yaml';
import { z } from 'zod';
import { convolutionNames, engineNames, precisionNames } from '../engine/select.js';
import { FileError, InputError, messageOf } from '../errors.js';
import { samplerNames } from '../io/data/sampler.js';
import { reasonOf } from '../io/files/atomic.js';
import { readInput } from '../io/files/input.js';
import { optimizerNames } from '../run/recipes.js';
import { parseSchedule } from '../run/schedule.js';
import type { Techniques } from '../run/techniques.js';
import { decodeText } from '../text/decode.js';
import { nearestName } from '../text/suggest.js';
import { fits } from '../vision/images/preprocess.js';
import { parseTransforms, type TransformEntry } from '../vision/transforms/parse.js';
import { operatingRule } from './options.js';

const count = z.int().min(1);
const share = z.number().min(0).lt(1);
const rate = z.number().min(0);

/** Lets a function that throws make the value. */
function made<In, Out>(make: (value: In) => Out) {
  return (value: In, context: z.RefinementCtx<In>): Out => {
    try {
      return make(value);
    } catch (error) {
      context.addIssue(messageOf(error));
      return z.NEVER;
    }
  };
}

/** Hand-written files are far smaller; larger ones would keep the parser busy for long. */
const maxConfigBytes = 2 ** 16;

/** The keys of a configuration: the options of `fovea train` in camelCase, and the techniques. */
const schema = z.strictObject({
  model: z.string(),
  data: z.string(),
  dataDir: z.string(),
  size: z.union([count.transform((edge) => [edge, edge] as const), z.tuple([count, count])]),
  order: z.enum(['RGB', 'BGR']),
  antialias: z.boolean(),
  fit: z.enum(fits),
  holdOut: share,
  epochs: count,
  batchSize: count,
  lr: rate,
  optimizer: z.enum(optimizerNames),
  momentum: share,
  weightDecay: rate,
  auxiliaryHeads: z.boolean(),
  pretrained: z.union([z.literal(true), z.string()]),
  best: z.boolean(),
  operatingPoint: z.string().transform(made(operatingRule)),
  positive: z.string(),
  screening: z.boolean(),
  seed: z.int().min(0),
  out: z.string(),
  saveSteps: count,
  logEvery: count,
  tensorBoard: z.boolean(),
  workers: z.int().min(0),
  cache: z.boolean(),
  onBadImage: z.enum(['fail', 'skip']),
  fileColumn: z.string(),
  labelColumn: z.string(),
  splitColumn: z.string(),
  root: z.string(),
  engine: z.enum(engineNames),
  threads: count,
  conv: z.enum(convolutionNames),
  precision: z.enum(precisionNames),
  schedule: z.unknown().transform(made(parseSchedule)),
  transforms: z.union([z.string(), z.array(z.unknown())]).transform(made(transformsOf)),
  clipGradNorm: z.number().gt(0),
  accumulateGradBatches: count,
  classWeight: z.union([z.literal('auto'), z.array(rate)]),
  sampler: z.enum(samplerNames),
  evalEvery: count,
  saveBest: z.string(),
  earlyStopping: count,
});

export const configurationKeys: readonly string[] = Object.keys(schema.shape);

/** What others call some of the keys, without case and hyphens. */
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

/** The part of a file that {@link Techniques} are made of. */
const techniqueKeys = [
  'schedule',
  'transforms',
  'clipGradNorm',
  'accumulateGradBatches',
  'classWeight',
  'sampler',
  'evalEvery',
  'saveBest',
  'earlyStopping',
] as const satisfies readonly (keyof Techniques)[];

type Configuration = Partial<z.infer<typeof schema>>;

function transformsOf(entries: string | readonly unknown[]) {
  return parseTransforms(entries as readonly TransformEntry[]).toJSON() ?? [];
}

/**
 * Reads a training's configuration, YAML (or JSON) with the options of `fovea train` in camelCase and some more.
 *
 * @throws {InputError} naming the file and every key that is unknown, with the nearest one, or wrong
 */
export async function readConfiguration(
  path: string,
): Promise<{ readonly options: Omit<Configuration, keyof Techniques>; readonly techniques: Techniques | undefined }> {
  const bytes = await readInput(path, maxConfigBytes).catch((error: unknown) => {
    throw new FileError(`[config] ${path}: expected a file of YAML, got ${reasonOf(error)}`, { cause: error });
  });
  const { text } = decodeText(bytes, `[config] ${path}`);
  const value = parsed(path, text);
  requireConfiguration(path, value);
  const all = validated(path, value);
  const techniques: Record<string, unknown> = {};
  const options: Record<string, unknown> = { ...all };
  for (const key of techniqueKeys) {
    if (all[key] !== undefined) techniques[key] = all[key];
    delete options[key];
  }
  const some = Object.keys(techniques).length > 0;
  return { options, techniques: some ? (techniques as Techniques) : undefined };
}

/** The record of a run has the same name as many a configuration. */
function requireConfiguration(path: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || !('recipe' in value) || !('machine' in value)) return;
  throw new InputError(
    `[config] ${path}: expected a configuration, got the record of a run; repeat that run with --repeat ${dirname(path)}`,
  );
}

/** Nested lists and mappings that a file may have: many more could end the process, since they are read by recursion. */
const maxDepth = 100;

function requireShallow(path: string, text: string): void {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // The tokens themselves are of no interest.
    for (const _ of parser.next(lexeme));
    if (parser.stack.length <= maxDepth) continue;
    throw new FileError(
      `[config] ${path}: expected at most ${maxDepth} lists and mappings within one another, got more; correct the file`,
    );
  }
}

function parsed(path: string, text: string): unknown {
  requireShallow(path, text);
  try {
    return parse(text) ?? {};
  } catch (error) {
    // Unknown aliases, and aliases that repeat themselves without end, are errors of other kinds.
    const [first] = messageOf(error).split('\n');
    throw new FileError(`[config] ${path}: expected YAML, got something else: ${first}`, { cause: error });
  }
}

function validated(path: string, value: unknown): Configuration {
  const result = schema.partial().safeParse(value);
  if (result.success) return result.data as Configuration;
  const problems = result.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const near = synonyms.get(key.replaceAll(/[-_]/g, '').toLowerCase()) ?? nearestName(key, configurationKeys);
        return `unknown key ${key}, ${near === null ? `there are ${configurationKeys.join(', ')}` : `did you mean ${near}?`}`;
      });
    }
    return `${issue.path.join('.') || 'the file'}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`;
  });
  throw new InputError(`[config] ${path}: ${problems.flat().join('; ')}`);
}
