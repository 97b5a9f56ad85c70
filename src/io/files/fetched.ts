import { FileError, messageOf } from '../../errors.js';

/**
 * The bytes at an address.
 *
 * @param where names the caller in messages
 * @throws {FileError} for an address that does not answer, or answers with another status than success
 */
export async function fetched(where: string, address: string | URL): Promise<Uint8Array> {
  try {
    const answer = await fetch(address);
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    throw new Error(`HTTP status ${answer.status}`);
  } catch (error) {
    throw new FileError(`[${where}] ${address}: expected a file to fetch, got ${messageOf(error)}`, { cause: error });
  }
}
