import { setTimeout as sleep } from 'node:timers/promises';
import { FileError, InputError } from '../errors.js';
import { makeFolder } from '../io/files/atomic.js';
import { type Lock, lockFolder } from '../io/files/lock.js';
import { protect, type Work } from './work.js';

const pollMs = 300;
/** Longest wait, in multiples of the time after which a program counts as hanging. */
const mostWaits = 10;

/**
 * Runs `body` while no other process sets up into the same cache, so that two that start together fetch the
 * library once. If that cannot be had, `body` runs all the same: a library gets to its place at once, and the
 * last one stays.
 */
export async function withTurn<T>(work: Work, body: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(work);
  try {
    return await body();
  } finally {
    await lock?.release();
  }
}

async function waitForLock({ libraries: { cache }, signal, idleMs, say }: Work): Promise<Lock | null> {
  const end = Date.now() + mostWaits * idleMs;
  let isSaid = false;
  while (Date.now() < end) {
    try {
      await makeFolder(cache);
      await protect(cache);
      return await lockFolder(cache, 'setup');
    } catch (error) {
      // A cache that cannot be written: the ways that need it say so.
      if (error instanceof FileError || !(error instanceof InputError)) return null;
    }
    if (!isSaid) say('another process gets the library: waiting for it …');
    isSaid = true;
    await sleep(pollMs, undefined, { signal });
  }
  return null;
}
