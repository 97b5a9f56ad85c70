import { z } from 'zod';
import { InputError } from '../../errors.js';
import { nearestName } from '../../text/suggest.js';
import { comparisonSchemas } from './comparisonSchemas.js';
import { dataSchemas } from './dataSchemas.js';
import { explanationSchemas } from './explanationSchemas.js';
import { type JsonKind, jsonKinds, schemaName } from './kinds.js';
import { otherSchemas } from './otherSchemas.js';
import { resultSchemas } from './resultSchemas.js';
import { sweepSchemas } from './sweepSchemas.js';
import { trainingSchemas } from './trainingSchemas.js';

const fields: Readonly<Record<JsonKind, z.ZodObject>> = {
  ...trainingSchemas,
  ...resultSchemas,
  ...explanationSchemas,
  ...comparisonSchemas,
  ...sweepSchemas,
  ...dataSchemas,
  ...otherSchemas,
};

/** The schema of an object, with its field `schema`. */
export function schemaOf(kind: JsonKind): z.ZodObject {
  const { description = kind } = fields[kind];
  return fields[kind].extend({ schema: z.literal(schemaName(kind)) }).describe(description);
}

const all = Object.keys(jsonKinds) as readonly JsonKind[];

/**
 * The kinds of objects that a command prints.
 *
 * @param name a kind such as `train.epoch`, a command such as `train` or `data palm`, or `all`
 * @throws {InputError} for an unknown name, with the nearest one
 */
export function kindsOf(name: string): readonly JsonKind[] {
  const wanted = name.replaceAll(' ', '.').replace(/\/\d+$/, '');
  const found = wanted === 'all' ? all : all.filter((kind) => kind === wanted || kind.startsWith(`${wanted}.`));
  if (found.length > 0) return found;
  const names = [...new Set(all.map((kind) => kind.replace(/\.[^.]*$/, ''))), ...all];
  const near = nearestName(wanted, names);
  throw new InputError(
    `[schema] '${name}': expected a command or a kind of objects, got neither; ` +
      (near === null ? 'fovea schema lists them' : `did you mean ${near}?`),
  );
}

/** JSON Schema (draft 2020-12) of objects of some kinds. Readers must accept further fields. */
export function jsonSchema(kinds: readonly JsonKind[]): object {
  const schemas = kinds.map(schemaOf);
  return z.toJSONSchema(schemas.length === 1 ? schemas[0] : z.union(schemas), {
    unrepresentable: 'any',
    override({ jsonSchema: made }) {
      if (made.additionalProperties === false) delete made.additionalProperties;
    },
  });
}
