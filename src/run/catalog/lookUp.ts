import { InputError } from '../../errors.js';
import { suggestion } from '../../text/suggest.js';

/**
 * An entry of a table.
 *
 * @param kind kind of the entry, for the message
 * @throws {InputError} for an unknown name; it lists all names and suggests the nearest one
 */
export function lookUp<T>(kind: string, table: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(table, name)) return table[name];
  const names = Object.keys(table);
  throw new InputError(`[${kind}] ${kind} '${name}': expected one of ${names.join(', ')}${suggestion(name, names)}`);
}
