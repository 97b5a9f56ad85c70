import { InputError } from './errors.js';

/** For each option of a call: why it has no effect together with the others, or null if it has one. */
export type Effects<T> = { readonly [K in keyof T]?: (options: T) => string | null };

/**
 * Refuses options that would change nothing: an option that is ignored in silence is a wrong result. Options
 * that are left out (`undefined`) ask for nothing.
 *
 * @param where names the caller in the message
 * @throws {InputError} naming the first option without effect, the reason and its value
 */
export function requireEffect<T extends object>(where: string, options: T, effects: Effects<T>): void {
  for (const key of Object.keys(effects) as (keyof T & string)[]) {
    const value = options[key];
    const reason = value === undefined ? null : (effects[key]?.(options) ?? null);
    if (reason === null) continue;
    const got = typeof value === 'object' ? JSON.stringify(value) : String(value);
    throw new InputError(`[${where}] ${key}: expected none, since ${reason}, got ${got}; leave it out`);
  }
}
