import type sharp from 'sharp';
import { PackageError, unloadable } from '../../errors.js';

/**
 * The package that decodes and draws pictures. It is loaded at its first use: MNIST and files of numbers are trained on
 * where its binary is missing.
 *
 * @throws {PackageError} if it cannot be loaded; the message says how to install it
 */
export async function loadSharp(): Promise<typeof sharp> {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    throw unloadable(PackageError, 'pictures', 'sharp', error);
  }
}
