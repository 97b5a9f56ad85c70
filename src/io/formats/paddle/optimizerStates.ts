import * as check from '../../../check.js';
import { InputError } from '../../../errors.js';
import { formatShape, sameShape } from '../../../graph/shape.js';
import type { Layer } from '../../../nn/layer.js';
import type { StateMismatch } from '../../../nn/stateEntries.js';
import { Adam, type Optimizer } from '../../../optimizer/index.js';
import { updatesKey } from '../../../optimizer/updateRecord.js';
import type { Parameter } from '../../../tensor/state.js';
import { snapshot } from '../../snapshot.js';
import { namesByName, type TensorData } from '../tensorData.js';
import { paddleNames } from './names.js';
import type { PaddleOptimizer } from './pdopt.js';

export interface PdoptOptions {
  /** Paddle's own names of parameters by those of the network, as `readPdparams` finds them. */
  readonly parameterNames?: ReadonlyMap<string, string>;
}

export interface PdoptLoadOptions extends PdoptOptions {
  /** Whether missing and misshapen states stay as they are, instead of an error. Default false. */
  readonly skipMismatch?: boolean | undefined;
}

const loadChecks: check.OptionChecks<PdoptLoadOptions> = { parameterNames: namesByName, skipMismatch: check.flag };

/**
 * Overwrites the states of an optimizer with those of a `.pdopt` file. That includes the learning rate, or
 * the state of its schedule, and for Adam the number of steps, which the file stores for Adam alone.
 *
 * The parameters are found by `parameterNames`; without these, by the names that Paddle gives them in a new
 * process, or, if the file has others, in the order of the network. A parameter without a state in the file
 * starts with new states: Paddle makes states in a parameter's first step.
 *
 * @param where names the file in messages
 * @returns each parameter that starts with new states, each state of the file that belongs to none of the
 * optimizer's parameters, and each skipped state
 * @throws {InputError} if the file belongs to another network or optimizer; nothing is overwritten then
 */
export function restorePdopt(
  { states, schedule }: PaddleOptimizer,
  optimizer: Optimizer,
  network: Layer,
  options: PdoptLoadOptions = {},
  where = 'bytes',
): StateMismatch[] {
  const { parameterNames, skipMismatch = false } = check.requireOptions('loadPdopt', options, loadChecks);
  const parameters = trained(optimizer, network);
  const kinds = kindsOf(optimizer, parameters);
  const names = parameterNames ?? namesIn(states, parameters, network, where);
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
      notices.push({ name, kind: 'missing', message: `states of ${name}: the file has none; they start from zero` });
      continue;
    }
    for (const [kind, state] of own) {
      if (kind.endsWith('_pow_acc')) continue;
      if (!skipMismatch && !sameShape(state.shape, parameter.shape)) {
        throw new InputError(
          `[paddle] ${where}: ${kind} of ${name}: expected shape ${formatShape(parameter.shape)}, ` +
            `got ${formatShape(state.shape)}; it belongs to another network`,
        );
      }
      entries.set(`${name}.${kind}`, state);
    }
    if (optimizer instanceof Adam && kinds.every((kind) => own.has(kind))) {
      const updates = updatesOf(own, optimizer.betas, `${where}: ${name}`);
      entries.set(`${name}.${updatesKey}`, countOf(updates));
      steps = Math.max(steps, updates);
    }
  }
  const others = [...states.keys()].filter((paddleName) => !used.has(paddleName));
  if (others.length > 0 && others.length === states.size) {
    throw new InputError(
      `[paddle] ${where}: expected states of the optimizer's parameters, got those of ${others.slice(0, 3).join(', ')}` +
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

/** The contents of a `.pdopt` file with the states of an optimizer, and of its schedule if it has one. */
export async function pdoptOf(
  optimizer: Optimizer,
  network: Layer,
  { parameterNames = paddleNames(network) }: PdoptOptions = {},
): Promise<PaddleOptimizer> {
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
  return { states, schedule: optimizer.schedule?.stateDict() ?? null };
}

/** The kinds of state that the optimizer has for each parameter: `['velocity']`. */
function kindsOf(optimizer: Optimizer, parameters: ReadonlyMap<string, Parameter>): readonly string[] {
  const [first] = parameters;
  if (first === undefined) {
    throw new InputError('[paddle] optimizer: expected parameters of the network, got none of them');
  }
  const keys = [...optimizer.stateDict(new Map([first])).keys()].map((key) => key.slice(first[0].length + 1));
  return keys.filter((kind) => kind !== updatesKey);
}

function zerosLike({ shape, size }: Parameter): TensorData {
  return { shape, dtype: 'float32', data: new Float32Array(size) };
}

function countOf(updates: number): TensorData {
  return { shape: [1], dtype: 'int32', data: Int32Array.of(updates) };
}

/** The other states of Paddle's Adam: each beta to the power that the parameter's next update will use. */
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
  where: string,
): ReadonlyMap<string, string> {
  const usual = paddleNames(network);
  const inFile = [...states.keys()];
  const own = new Set([...parameters.keys()].map((name) => usual.get(name) as string));
  // Parameters that were never updated have no state in the file.
  if (inFile.every((name) => own.has(name)) || [...own].every((name) => states.has(name))) return usual;
  if (inFile.length !== parameters.size) {
    throw new InputError(
      `[paddle] ${where}: expected states of ${parameters.size} parameters, got ${inFile.length}; ` +
        'it belongs to another network, or needs the parameterNames of its .pdparams file',
    );
  }
  return new Map([...parameters.keys()].map((name, i) => [name, inFile[i]]));
}

function trained(optimizer: Optimizer, network: Layer): Map<string, Parameter> {
  const own = new Set(optimizer.parameters);
  return new Map([...network.namedParameters()].filter(([, parameter]) => own.has(parameter)));
}
