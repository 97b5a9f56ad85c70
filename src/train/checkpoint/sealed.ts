import { createHash } from 'node:crypto';
import { FileError } from '../../errors.js';
import { parseJson } from '../../text/json.js';
import type { SavedState } from './schema.js';

/** `state.json`: JSON with a digest of its own, so that an altered number is detected. */

const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

export function sealed(state: SavedState): string {
  return `${JSON.stringify({ ...state, sha256: digest(state) }, null, 2)}\n`;
}

/** The JSON without its digest. @throws {FileError} if it was altered */
export function unsealed(text: string, path: string): string {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    const todo = 'restore it from a copy, or train again; weights.safetensors beside it can be read alone';
    throw new FileError(`[run] ${path}: expected JSON, got ${(error as Error).message}; ${todo}`, { cause: error });
  }
  const { sha256, ...state } = (value ?? {}) as Record<string, unknown>;
  if (sha256 !== digest(state)) {
    throw new FileError(
      `[run] ${path}: expected the contents that were saved, got others; restore it from a copy, or train again`,
    );
  }
  return JSON.stringify(state);
}
