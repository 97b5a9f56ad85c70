import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { makeFolder, writeFileAtomic } from '../io/files/atomic.js';
import { lockFolder, ownerOf } from '../io/files/lock.js';
import type { Workspace } from './workspace.js';

/** Folder of the studio's own files in the folder that it works in. */
export const studioFolder = '.fovea-studio';
const addressFile = 'address.txt';

/** The right to be the only studio of a folder. */
export interface Claim {
  /** Writes the address, without the token, for the message of a second studio. */
  announce(address: string): Promise<void>;
  release(): Promise<void>;
}

/** @throws {InputError} if there is a studio on the folder already */
export async function claimStudio({ root }: Workspace): Promise<Claim> {
  const folder = join(root, studioFolder);
  await makeFolder(folder);
  const file = join(folder, addressFile);
  const owner = await ownerOf(folder);
  if (owner !== null) {
    const address = await readFile(file, 'utf8').then(
      (text) => ` at ${text.trim()}`,
      () => '',
    );
    throw new InputError(
      `[studio] ${root}: expected no other studio on this folder, got process ${owner.pid}${address}; use its page, or end it first`,
    );
  }
  const lock = await lockFolder(folder, 'studio');
  return {
    announce: (address) => writeFileAtomic(file, `${address}\n`),
    release: () => lock.release(),
  };
}
