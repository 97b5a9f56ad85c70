import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { Layer } from '../../nn/layer.js';
import type { StateMismatch } from '../../nn/stateEntries.js';
import { Optimizer } from '../../optimizer/index.js';
import { writeFileAtomic } from '../files/atomic.js';
import { type PdoptLoadOptions, type PdoptOptions, pdoptOf, restorePdopt } from '../formats/paddle/optimizerStates.js';
import { protocolCheck } from '../formats/paddle/params.js';
import { decodePdopt, encodePdopt, type PaddleOptimizer } from '../formats/paddle/pdopt.js';
import type { PickleProtocol } from '../formats/paddle/pickleWriter.js';
import { namesByName } from '../formats/tensorData.js';
import { checkOrder } from '../named.js';
import { readWhole } from './pickle.js';

export interface PdoptWriteOptions extends PdoptOptions {
  /** Protocol of the pickle. Default 4. */
  readonly protocol?: PickleProtocol;
}

/**
 * Reads a file that `paddle.save(optimizer.state_dict(), path)` wrote.
 *
 * @throws {FileError} for a file that is missing or damaged, holds anything but an optimizer's states, or
 * would have to be run
 */
export async function readPdopt(path: string): Promise<PaddleOptimizer> {
  return decodePdopt(await readWhole(path, 'pickle'), path);
}

/**
 * Writes a `.pdopt` file, which `paddle.load` and `optimizer.set_state_dict` read in a process with one
 * optimizer.
 *
 * @throws {FileError} if writing fails
 */
export async function writePdopt(
  optimizer: PaddleOptimizer,
  path: string,
  options: Pick<PdoptWriteOptions, 'protocol'> = {},
): Promise<void> {
  checkOrder('writePdopt', optimizer, path);
  await writeFileAtomic(path, encodePdopt(optimizer, options));
}

/**
 * Overwrites the states of an optimizer with those of a `.pdopt` file. That includes the learning rate, or
 * the state of its schedule, and for Adam the number of steps, which the file stores for Adam alone.
 *
 * The parameters are found by `parameterNames`; without these, by the names that Paddle gives them in a new
 * process, or, if the file has others, in the order of the network. A parameter without a state in the file
 * starts with new states: Paddle makes states in a parameter's first step.
 *
 * @returns each parameter that starts with new states, each state of the file that belongs to none of the
 * optimizer's parameters, and each skipped state
 * @throws {InputError} if the file belongs to another network or optimizer; nothing is overwritten then
 */
export async function loadPdopt(
  optimizer: Optimizer,
  network: Layer,
  path: string,
  options: PdoptLoadOptions = {},
): Promise<StateMismatch[]> {
  requireParts('loadPdopt', optimizer, network, path);
  return restorePdopt(await readPdopt(path), optimizer, network, options, path);
}

/** Writes the states of an optimizer, and of its schedule if it has one. */
export async function savePdopt(
  optimizer: Optimizer,
  network: Layer,
  path: string,
  options: PdoptWriteOptions = {},
): Promise<void> {
  requireParts('savePdopt', optimizer, network, path);
  check.requireOptions('savePdopt', options, writeChecks);
  await writePdopt(await pdoptOf(optimizer, network, options), path, options);
}

const writeChecks: check.OptionChecks<PdoptWriteOptions> = { parameterNames: namesByName, protocol: protocolCheck };

function requireParts(where: string, optimizer: unknown, network: unknown, path: unknown): void {
  if (!(optimizer instanceof Optimizer && network instanceof Layer)) {
    const got = `${check.shown(optimizer)} and ${check.shown(network)}`;
    throw new InputError(`[${where}] arguments: expected ${where}(optimizer, network, path), got ${got} first`);
  }
  check.checkPath(where, path);
}
