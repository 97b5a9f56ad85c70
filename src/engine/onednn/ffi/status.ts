import { EngineError } from '../../../errors.js';
import type { Address } from './system.js';

export function created(create: (out: BigUint64Array) => number, what: string): Address {
  const out = new BigUint64Array(1);
  check(create(out), what);
  return Number(out[0]);
}

const statusNames = [
  'success',
  'out of memory',
  'invalid arguments',
  'unimplemented',
  'iterator ends',
  'runtime error',
];

export function check(status: number, what: string): void {
  if (status !== 0) throw new EngineError(`[onednn] ${what}: ${statusNames[status] ?? `status ${status}`}`);
}
