import type { z } from 'zod';
import { FileError } from '../errors.js';
import { parseJson } from './json.js';

/**
 * Reads JSON that must match a schema.
 *
 * @param name of the record, for messages about its root
 * @param where for the message: the file, and the line where there are several
 * @throws {FileError} naming the first field that is wrong
 */
export function parseRecord<S extends z.ZodType>(schema: S, name: string, text: string, where: string): z.infer<S> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new FileError(`[run] ${where}: expected JSON, got ${(error as Error).message}`, { cause: error });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue.path.length === 0 ? name : issue.path.join('.');
  throw new FileError(
    `[run] ${where}: ${field}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}; ` +
      'the file was altered or belongs to another version of Fovea',
  );
}
