import { InputError } from '../errors.js';

/**
 * Codes of errors that come from the machine, not from the call or its input: full disks and exhausted
 * limits.
 */
const machineErrors = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** The exit code for an error: 2 for a wrong call or input, 1 for work that failed. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof InputError && !comesFromMachine(error) ? 2 : 1;
}

function comesFromMachine(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && machineErrors.has(code)) || comesFromMachine(error.cause);
}
