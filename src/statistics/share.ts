import { type Check, requireValue, rule, share } from '../check.js';

const shares: Check<number> = rule('a share from 0 to 1', share.is);

/** @throws {InputError} unless the value is from 0 to 1 */
export function checkShare(where: string, name: string, value: number): void {
  requireValue(where, name, value, shares);
}
