import { FileError, InputError } from '../../../errors.js';
import { formatShape, sameShape } from '../../../graph/shape.js';
import { Layer, type StateMismatch } from '../../../nn/layer.js';
import { Adam, Optimizer } from '../../../optimizer/index.js';
import type { ScheduleState } from '../../../optimizer/lr/schedule.js';
import { updatesKey } from '../../../optimizer/optimizer.js';
import type { Parameter } from '../../../tensor/state.js';
import { checkOrder } from '../../named.js';
import { snapshot } from '../../snapshot.js';
import type { TensorData } from '../safetensors.js';
import { nameOf, printable } from './callables.js';
import { isStoredTensor, readDict, type StoredTensor, storedDict, writeDict } from './dict.js';
import { paddleNames } from './params.js';
import type { Picklable, PickleProtocol } from './pickleWriter.js';
import { paddleSchedule, scheduleOf } from './schedule.js';

/** What a `.pdopt` file holds. */
export interface PaddleOptimizer {
  /**
   * By Paddle's own name of the parameter (`linear_0.w_0`), then by kind: `velocity`; `moment1`, `moment2`,
   * `beta1_pow_acc`, `beta2_pow_acc`; `master_weight` where a parameter is trained in 16 bits.
   */
  readonly states: ReadonlyMap<string, ReadonlyMap<string, TensorData>>;
  /** Of the learning rate. */
  readonly schedule: ScheduleState | null;
}

export interface PdoptOptions {
  /** Paddle's own names of parameters by those of the network, as {@link readPdparams} finds them. */
  readonly parameterNames?: ReadonlyMap<string, string>;
}

export interface PdoptWriteOptions extends PdoptOptions {
  /** Of the pickle (4). */
  readonly protocol?: PickleProtocol;
}

const scheduleKey = 'LR_Scheduler';
const masterWeightsKey = 'master_weights';
const masterWeight = 'master_weight';

/** What Paddle's optimizers keep; a number follows that counts optimizers in a process. */
const stateKey = new RegExp(
  '^(.+?)(?:_fp32_master_\\d+)?_(velocity|moment[12]?|moment2_max|beta[12]_pow_acc|inf_norm|momentum|' +
    'mean_square|mean_grad|_avg_squared_grad|_avg_squared_update)_\\d+$',
);

/**
 * Reads what `paddle.save(optimizer.state_dict(), path)` wrote.
 *
 * @throws FileError for a file that is damaged, holds anything but an optimizer's states, or would have to be run
 */
export async function readPdopt(path: string): Promise<PaddleOptimizer> {
  const states = new Map<string, Map<string, TensorData>>();
  const put = (parameter: string, kind: string, { shape, dtype, data }: StoredTensor) => {
    const kinds = states.get(parameter) ?? new Map<string, TensorData>();
    states.set(parameter, kinds.set(kind, { shape, dtype, data }));
  };
  let schedule: ScheduleState | null = null;
  for (const [key, entry] of await readDict(path)) {
    const refuse = (expected: string) =>
      new FileError(
        `[paddle] ${path}: '${printable(key)}': expected ${expected}, got ` +
          `${isStoredTensor(entry) ? `an array ${formatShape(entry.shape)}` : nameOf(entry)}; ` +
          "save the optimizer's state dict alone",
      );
    if (key === scheduleKey) {
      schedule = isStoredTensor(entry) ? null : scheduleOf(entry);
      if (schedule === null) throw refuse("the state of a learning rate's schedule");
    } else if (key === masterWeightsKey) {
      if (!(entry instanceof Map)) throw refuse('a dict of arrays');
      for (const [parameter, weight] of storedDict(entry, path)) {
        if (!isStoredTensor(weight)) throw refuse('a dict of arrays');
        put(parameter, masterWeight, weight);
      }
    } else if (key !== 'global_step') {
      // Paddle 1 counted steps there; nothing in Paddle 2 reads it.
      const [, parameter, kind] = stateKey.exec(key) ?? [];
      if (kind === undefined || !isStoredTensor(entry)) throw refuse('the state of a parameter');
      put(parameter, kind, entry);
    }
  }
  return { states, schedule };
}

/**
 * Writes a `.pdopt` file, which `paddle.load` and `optimizer.set_state_dict` take in a process with one optimizer.
 *
 * @throws FileError if writing fails
 */
export async function writePdopt(
  optimizer: PaddleOptimizer,
  path: string,
  { protocol = 4 }: Pick<PdoptWriteOptions, 'protocol'> = {},
): Promise<void> {
  checkOrder('writePdopt', optimizer, path);
  const { states, schedule } = optimizer;
  const entries = new Map<string, Picklable>();
  const masterWeights = new Map<string, Picklable>();
  const kinds = new Set([...states.values()].flatMap((own) => [...own.keys()]));
  for (const kind of kinds) {
    for (const [parameter, own] of states) {
      const state = own.get(kind);
      if (state === undefined) continue;
      if (kind === masterWeight) masterWeights.set(parameter, state);
      else entries.set(`${parameter}${own.has(masterWeight) ? '_fp32_master_0' : ''}_${kind}_0`, state);
    }
  }
  // Paddle turns the arrays into tensors that its table names, or all if there is none: those in a dict need the latter.
  const names = masterWeights.size > 0 ? null : new Map([...entries.keys()].map((key) => [key, key]));
  if (masterWeights.size > 0) entries.set(masterWeightsKey, masterWeights);
  if (schedule !== null) entries.set(scheduleKey, paddleSchedule(schedule));
  await writeDict(path, entries, names, protocol);
}

export interface PdoptLoadOptions extends PdoptOptions {
  /** Leaves states as they are that are missing or misshapen, and tells which (false). */
  readonly skipMismatch?: boolean | undefined;
}

/**
 * Overwrites the states of an optimizer with those of a `.pdopt` file: number of steps (where the file tells it, which
 * is with Adam) and learning rate, or the state of its schedule, included.
 *
 * The parameters go by `parameterNames`; without, by the names that Paddle gives them in a new process, or, if the file
 * has others, in the order of the network. A parameter of which the file has no state starts anew: Paddle makes states
 * in a parameter's first step.
 *
 * @returns each parameter that starts anew, each state of the file that belongs to none of the optimizer's parameters,
 * and what was skipped
 * @throws InputError if the file belongs to another network or optimizer; nothing is overwritten then
 */
export async function loadPdopt(
  optimizer: Optimizer,
  network: Layer,
  path: string,
  { parameterNames, skipMismatch = false }: PdoptLoadOptions = {},
): Promise<StateMismatch[]> {
  const { states, schedule } = await readPdopt(path);
  const parameters = trained(optimizer, network);
  const kinds = kindsOf(optimizer, parameters);
  const names = parameterNames ?? namesIn(states, parameters, network, path);
  const entries = new Map<string, TensorData>();
  const notices: StateMismatch[] = [];
  const used = new Set<string>();
  let steps = 0;
  for (const [name, parameter] of parameters) {
    const paddleName = names.get(name) ?? '';
    const own = states.get(paddleName);
    used.add(paddleName);
    if (own === undefined) {
      if (kinds.length === 0) continue;
      for (const kind of kinds) entries.set(`${name}.${kind}`, zerosLike(parameter));
      entries.set(`${name}.${updatesKey}`, countOf(0));
      notices.push({ name, kind: 'missing', message: `states of ${name}: the file has none; they start anew` });
      continue;
    }
    for (const [kind, state] of own) {
      if (kind.endsWith('_pow_acc')) continue;
      if (!skipMismatch && !sameShape(state.shape, parameter.shape)) {
        throw new InputError(
          `[paddle] ${path}: ${kind} of ${name}: expected shape ${formatShape(parameter.shape)}, ` +
            `got ${formatShape(state.shape)}; it belongs to another network`,
        );
      }
      entries.set(`${name}.${kind}`, state);
    }
    if (optimizer instanceof Adam && kinds.every((kind) => own.has(kind))) {
      const updates = updatesOf(own, optimizer.betas, `${path}: ${name}`);
      entries.set(`${name}.${updatesKey}`, countOf(updates));
      steps = Math.max(steps, updates);
    }
  }
  const others = [...states.keys()].filter((paddleName) => !used.has(paddleName));
  if (others.length > 0 && others.length === states.size) {
    throw new InputError(
      `[paddle] ${path}: expected states of the optimizer's parameters, got those of ${others.slice(0, 3).join(', ')}` +
        `${others.length > 3 ? ' …' : ''}; it belongs to another network`,
    );
  }
  for (const name of others) {
    notices.push({ name, kind: 'unknown', message: `states of ${name}: the optimizer trains no such parameter` });
  }
  notices.push(...optimizer.loadStateDict(parameters, entries, { steps, skipMismatch }));
  if (schedule === null) return notices;
  if (optimizer.schedule === null) optimizer.learningRate = schedule.lastLr;
  else optimizer.schedule.setStateDict(schedule);
  return notices;
}

/** What the optimizer keeps for each parameter: `['velocity']`. */
function kindsOf(optimizer: Optimizer, parameters: ReadonlyMap<string, Parameter>): readonly string[] {
  const [first] = parameters;
  const keys = [...optimizer.stateDict(new Map([first])).keys()].map((key) => key.slice(first[0].length + 1));
  return keys.filter((kind) => kind !== updatesKey);
}

function zerosLike({ shape, size }: Parameter): TensorData {
  return { shape, dtype: 'float32', data: new Float32Array(size) };
}

function countOf(updates: number): TensorData {
  return { shape: [1], dtype: 'int32', data: Int32Array.of(updates) };
}

/** Writes the states of an optimizer, with that of its schedule if it has one. */
export async function savePdopt(
  optimizer: Optimizer,
  network: Layer,
  path: string,
  options: PdoptWriteOptions = {},
): Promise<void> {
  if (!(optimizer instanceof Optimizer && network instanceof Layer)) {
    throw new InputError('[savePdopt] arguments: expected savePdopt(optimizer, network, path), got another order');
  }
  const { parameterNames = paddleNames(network), protocol = 4 } = options;
  const parameters = trained(optimizer, network);
  const states = new Map<string, Map<string, TensorData>>();
  const updates = new Map<string, number>();
  for (const [key, state] of await snapshot(optimizer.stateDict(parameters))) {
    const end = key.lastIndexOf('.');
    const own = parameterNames.get(key.slice(0, end));
    if (own === undefined) {
      throw new InputError(`[paddle] parameterNames: expected the name of ${key.slice(0, end)}, got none`);
    }
    const kind = key.slice(end + 1);
    if (kind === updatesKey) updates.set(own, state.data[0]);
    else states.set(own, (states.get(own) ?? new Map<string, TensorData>()).set(kind, state));
  }
  if (optimizer instanceof Adam) {
    for (const [name, own] of states) {
      const count = updates.get(name) ?? optimizer.steps;
      for (const [kind, power] of powersOf(count, optimizer.betas)) own.set(kind, power);
    }
  }
  await writePdopt({ states, schedule: optimizer.schedule?.stateDict() ?? null }, path, { protocol });
}

/** What Paddle's Adam keeps beside the moments: each beta to the power that the parameter's next update will use. */
function powersOf(updates: number, betas: readonly number[]): [kind: string, power: TensorData][] {
  return betas.map((beta, i) => [
    `beta${i + 1}_pow_acc`,
    { shape: [1], dtype: 'float32', data: Float32Array.of(beta ** (updates + 1)) },
  ]);
}

/** The inverse of {@link powersOf}. */
function updatesOf(own: ReadonlyMap<string, TensorData>, betas: readonly number[], where: string): number {
  const refuse = (got: string) =>
    new InputError(
      `[paddle] ${where}: powers of beta1 and beta2: expected those of ${betas.join(' and ')}, got ${got}; ` +
        'make the optimizer with the betas of the training',
    );
  // float32 loses the power of a small beta first; once all are lost, the steps make no difference any more.
  const lost = 1e-30;
  const counts = betas.flatMap((beta, i) => {
    const power = own.get(`beta${i + 1}_pow_acc`);
    if (power?.data.length !== 1) throw refuse(power === undefined ? 'none' : `${power.data.length} values`);
    if (!(power.data[0] >= 0 && power.data[0] <= 1)) throw refuse(`${power.data[0]}`);
    return beta > 0 && power.data[0] > lost ? [Math.log(power.data[0]) / Math.log(beta) - 1] : [];
  });
  if (counts.length === 0) return Math.ceil(Math.log(lost) / Math.log(Math.max(...betas)));
  // The error of a power grows with the steps, most for a beta near 1.
  const tolerance = 0.01 + 0.001 * counts[0];
  const count = Math.round(counts[0]);
  if (count < 0 || counts.some((other) => Math.abs(other - count) > tolerance)) throw refuse('others');
  return count;
}

/** Paddle's names of the parameters by ours, for a file that comes alone. */
function namesIn(
  states: PaddleOptimizer['states'],
  parameters: ReadonlyMap<string, Parameter>,
  network: Layer,
  path: string,
): ReadonlyMap<string, string> {
  const usual = paddleNames(network);
  const inFile = [...states.keys()];
  const own = new Set([...parameters.keys()].map((name) => usual.get(name) as string));
  // Parameters that were never updated have no state in the file.
  if (inFile.every((name) => own.has(name)) || [...own].every((name) => states.has(name))) return usual;
  if (inFile.length !== parameters.size) {
    throw new InputError(
      `[paddle] ${path}: expected states of ${parameters.size} parameters, got ${inFile.length}; ` +
        'it belongs to another network, or needs the parameterNames of its .pdparams file',
    );
  }
  return new Map([...parameters.keys()].map((name, i) => [name, inFile[i]]));
}

function trained(optimizer: Optimizer, network: Layer): Map<string, Parameter> {
  const own = new Set(optimizer.parameters);
  return new Map([...network.namedParameters()].filter(([, parameter]) => own.has(parameter)));
}
