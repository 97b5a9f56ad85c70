import { type JsonKind, jsonKinds, schemaName } from '../json/kinds.js';
import { jsonSchema, kindsOf, schemaOf } from '../json/schemas.js';
import { print, printTable, type Terminal } from '../terminal.js';

/** Prints the JSON Schema of what a command prints with `--json`; without a name a list of all kinds. */
export function schema(names: readonly string[], terminal: Terminal): number {
  if (names.length > 0) {
    print(terminal, JSON.stringify(jsonSchema(kindsOf(names.join(' '))), null, 2));
    return 0;
  }
  const rows = (Object.keys(jsonKinds) as JsonKind[]).map((kind) => [
    schemaName(kind),
    schemaOf(kind).description ?? '',
  ]);
  printTable(terminal, [{ header: 'schema' }, { header: 'object' }], rows);
  return 0;
}
