import type sharp from 'sharp';
import { PackageError, unloadable } from '../../errors.js';

/**
 * The package that decodes and draws pictures. It is loaded at its first use, so that MNIST and files of
 * numbers do not need its binary.
 *
 * Its cache is switched off for the process, because it keeps finished decoders, and with them all
 * coefficients of a progressive JPEG: 144 MB for 48 million pixels. The limit of the cache does not count
 * them.
 *
 * @throws {PackageError} if it cannot be loaded; the message says how to install it
 */
export async function loadSharp(): Promise<typeof sharp> {
  try {
    const { default: sharp } = await import('sharp');
    sharp.cache(false);
    return sharp;
  } catch (error) {
    throw unloadable(PackageError, 'pictures', 'sharp', error);
  }
}
