import type sharp from 'sharp';
import { messageOf, PackageError } from '../errors.js';

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
    const [line] = messageOf(error).split('\n');
    throw new PackageError(
      `[pictures] sharp: expected the package with its binary for ${process.platform} ${process.arch}, but it could not ` +
        `be loaded (${line}); install it with: npm install --include=optional sharp`,
      { cause: error },
    );
  }
}
