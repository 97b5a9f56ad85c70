import { expect } from 'vitest';
import { z } from 'zod';
import { type JsonKind, jsonKinds, schemaName } from '../../src/cli/json/kinds.js';
import { schemaOf } from '../../src/cli/json/schemas.js';

const kindOf = new Map((Object.keys(jsonKinds) as JsonKind[]).map((kind) => [schemaName(kind), kind]));
const seen = new Map<JsonKind, z.ZodObject>();

/** Expects an object to name its schema, and to have the fields of it and no others, at any depth. */
export function expectSchema(line: Readonly<Record<string, unknown>>): void {
  const kind = kindOf.get(String(line.schema));
  if (kind === undefined) expect.fail(`${JSON.stringify(line).slice(0, 200)}: no schema of that name`);
  const schema = seen.get(kind) ?? schemaOf(kind);
  seen.set(kind, schema);
  const { error, data } = schema.safeParse(line);
  if (error !== undefined) expect.fail(`${kind}: ${z.prettifyError(error)}`);
  // A schema leaves fields out that it does not know.
  expect(data, kind).toMatchObject(line);
}
