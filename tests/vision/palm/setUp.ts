import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { InputError } from '../../../src/errors.js';
import { importPalm, type PalmImportOptions } from '../../../src/vision/palm/import.js';
import { compileInto } from '../../compiled.js';
import { folderPerTest, writeInto } from '../../temporary.js';
import type { ZipPart } from '../../zipWriter.js';
import { halfJpeg } from '../pictures.js';
import { makeLabelsZip, makeTrainingZip, makeValidationZip, pictureParts } from './archives.js';

/** The folder of the test, and the one that pictures are imported into. */
export let folder: string;
export let out: string;
/** Pictures of the two sets, and one that cannot be decoded. */
export let training: ZipPart[];
export let validation: ZipPart[];
export let bad: Buffer;

beforeAll(async () => {
  training = await pictureParts(['P0001', 'P0002', 'N0001', 'H0001']);
  validation = await pictureParts(['V0001', 'V0002', 'V0003']);
  bad = await halfJpeg();
});

folderPerTest((path) => {
  folder = path;
  out = join(folder, 'out');
});

export const write = (name: string, contents: string | Uint8Array) => writeInto(folder, name, contents);

export const trainingZip = (parts = training) => makeTrainingZip(parts);
export const validationZip = (parts = validation) => makeValidationZip(parts);

/** The three archives as they are released. */
export function released(into = 'data'): string {
  write(`${into}/training.zip`, trainingZip());
  write(`${into}/validation.zip`, validationZip());
  write(`${into}/valid_gt.zip`, makeLabelsZip());
  return join(folder, into);
}

export const run = (given: string | string[], options: PalmImportOptions = {}) =>
  importPalm(given, out, { cache: false, ...options });

export async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

/** An import in a process that permissions bind, as those of root are not. @returns the summary, or name and message */
export function importBound(options: PalmImportOptions): string {
  return boundByPermissions(
    `importPalm('data', 'out', ${JSON.stringify({ cache: false, numWorkers: 0, ...options })})`,
  );
}

/** Evaluates an expression in a process that permissions bind. @returns its result, or name and message of its error */
export function boundByPermissions(call: string): string {
  if (!existsSync(join(folder, 'package.json'))) {
    compileInto(folder);
  }
  const script = `
    import { importPalm } from './vision/palm/import.js';
    import { PALM } from './vision/palm/dataset.js';
    await ${call}.then(
      (result) => console.log(JSON.stringify(result)),
      ({ name, message }) => console.log(name + ' ' + message),
    );`;
  const args = [process.execPath, write('script.js', script)];
  // Root stays root, which reads its own home folder: another user may not see packages of a clone there.
  if (process.getuid?.() === 0) args.unshift('setpriv', '--bounding-set=-dac_override,-dac_read_search');
  return execFileSync(args[0], args.slice(1), { cwd: folder, encoding: 'utf8' });
}
