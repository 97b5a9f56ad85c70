import { InputError } from '../errors.js';

/** @throws {InputError} unless the value is from 0 to 1 */
export function checkShare(where: string, name: string, value: number): void {
  if (value >= 0 && value <= 1) return;
  throw new InputError(`[${where}] ${name}: expected a share from 0 to 1, got ${value}`);
}
