import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { InputError } from '../errors.js';

/**
 * The parameters of a request, checked.
 *
 * @throws {InputError} naming the one that is wrong
 */
export function parameters<T extends z.ZodType>(given: unknown, type: T): z.output<T> {
  const { success, data, error } = type.safeParse(given ?? {});
  if (success) return data;
  const [{ path, message }] = error.issues;
  throw new InputError(`[studio] ${path.join('.') || 'request'}: ${message}`);
}

/** Text of a parameter in the address. */
export function nameParameter({ query }: FastifyRequest, key: string): string {
  return parameters(query, z.looseObject({ [key]: z.string().max(4096) }))[key] as string;
}
