import * as check from '../check.js';
import type { MemoryNeed } from '../engine/memory.js';
import { InputError } from '../errors.js';
import type { Assignment, Value } from '../graph/node.js';
import { Origin, withOrigin } from '../graph/origin.js';
import { inspect } from '../inspection.js';
import { kindOf } from '../kind.js';
import { requireRegistered } from '../nn/registration.js';
import { type StateEntry, type StateMismatch, stateEntries } from '../nn/stateEntries.js';
import * as ops from '../ops/index.js';
import { planAll, realizeAll } from '../tensor/evaluate.js';
import { Buffer, Parameter, strangersReachedBy } from '../tensor/state.js';
import { Tensor } from '../tensor/tensor.js';
import { WeightAverage } from './average.js';
import { checkRate, checkResult, checkResults, optimizerChecks } from './checks.js';
import type { GradientClip } from './clip.js';
import { Schedule } from './lr/schedule.js';
import type { OptimizerOptions, OptimizerSettings, StepOptions, Update } from './options.js';
import { loadRecords, stateDictOf, type UpdateRecord } from './updateRecord.js';

/**
 * Base class of optimizers. A step adds the updates of all parameters to the graph that `backward()` has
 * built, and runs everything (forward, backward, update) as one program.
 *
 * An optimizer of your own names its states and says how one parameter is updated. The base class keeps the
 * states, clips the gradients and saves everything:
 *
 * @example
 * ```ts
 * import { optimizer, type Tensor } from 'fovea';
 *
 * // Sign descent with momentum, after Lion (Chen et al., 2023).
 * class Lion extends optimizer.Optimizer {
 *   protected readonly stateNames = ['momentum'];
 *
 *   protected update(parameter: Tensor, gradient: Tensor, [momentum]: readonly Tensor[], rate: Tensor) {
 *     const direction = momentum.mul(0.9).add(gradient.mul(0.1));
 *     const sign = direction.greater(0).cast('float32').sub(direction.less(0).cast('float32'));
 *     return {
 *       parameter: parameter.sub(sign.mul(rate)),
 *       states: [momentum.mul(0.99).add(gradient.mul(0.01))],
 *     };
 *   }
 * }
 * ```
 *
 * Saved states contain the class name. Give the class a `static readonly kind = 'Lion'` if a minifier may
 * rename it.
 */
export abstract class Optimizer {
  readonly #parameters: readonly Parameter[];
  readonly #records = new Map<Parameter, UpdateRecord>();
  readonly #clip: GradientClip | undefined;
  readonly #average: WeightAverage | null;
  #learningRate: number | Schedule;
  /** Factor of the parameter whose scalars are being made. */
  #factor = 1;
  #steps = 0;

  constructor(options: OptimizerOptions) {
    check.requireValue('optimizer', 'options', options, check.record);
    const { parameters, learningRate = 0.001, gradClip, average } = options;
    for (const [name, one] of Object.entries(optimizerChecks)) {
      const value: unknown = options[name as keyof OptimizerOptions];
      if (value !== undefined || name === 'parameters') check.requireValue('optimizer', name, value, one);
    }
    // A parameter that two layers share may be listed twice; its gradient counts once.
    this.#parameters = [...new Set(parameters)];
    for (const parameter of parameters) parameter.optimized = true;
    this.#learningRate = learningRate instanceof Schedule ? learningRate : checkRate(learningRate);
    this.#clip = gradClip;
    this.#average = average === undefined ? null : new WeightAverage(average);
  }

  /** Names of the states that are kept for each parameter, such as `['velocity']`. They begin as zeros. */
  protected abstract readonly stateNames: readonly string[];

  /**
   * Computes the new contents of one parameter. The tensors are lazy; `backward()` does not see them.
   *
   * @param gradient the clipped gradient, of the parameter's shape
   * @param states the parameter's states in the order of `stateNames`, of the parameter's shape
   * @param scalars the tensor that `scalars()` gave: the learning rate, unless that method is overridden
   */
  protected abstract update(parameter: Tensor, gradient: Tensor, states: readonly Tensor[], scalars: Tensor): Update;

  /**
   * Settings besides the learning rate, for people and for comparisons: momentum, decay, clipping and so
   * on.
   */
  get settings(): OptimizerSettings {
    return {
      ...(this.#clip !== undefined && { gradClip: this.#clip.describe?.() ?? kindOf(this.#clip) }),
      ...(this.#average !== null && { average: this.#average.decay }),
    };
  }

  /** Whether an update depends on the number of earlier updates of the parameter. */
  protected readonly countsUpdates: boolean = false;

  /**
   * The numbers that change from step to step, such as the learning rate. They reach `update` as a tensor: a
   * number in its place would be part of the program, which would then be compiled again for every step.
   *
   * @param _updates how often the parameter has been updated, this time included
   */
  protected scalars(_updates: number): Tensor {
    return Tensor.fromData(Float32Array.of(this.learningRate), []);
  }

  /** The present rate. A new one may be set, unless a {@link schedule} gives it. */
  get learningRate(): number {
    const rate = this.#learningRate instanceof Schedule ? checkRate(this.#learningRate.getLr()) : this.#learningRate;
    return rate * this.#factor;
  }

  set learningRate(rate: number) {
    if (this.schedule !== null) {
      throw new InputError(
        `[optimizer] learningRate: expected no change besides the schedule's, got ${check.shown(rate)}; step the schedule`,
      );
    }
    this.#learningRate = checkRate(rate);
  }

  /** The schedule of the learning rate; null if the rate is a plain number. */
  get schedule(): Schedule | null {
    return this.#learningRate instanceof Schedule ? this.#learningRate : null;
  }

  /** Number of steps taken. A parameter without a gradient takes no part in a step. */
  get steps(): number {
    return this.#steps;
  }

  #recordOf(parameter: Parameter): UpdateRecord {
    let record = this.#records.get(parameter);
    if (record === undefined) {
      record = { states: this.stateNames.map(() => Buffer.filled(parameter.shape, 0)), updates: 0 };
      this.#records.set(parameter, record);
    }
    return record;
  }

  get parameters(): readonly Parameter[] {
    return this.#parameters;
  }

  /**
   * Updates every parameter that has a gradient.
   *
   * After an error the optimizer, the parameters and their gradients are as they were before the call.
   *
   * @throws {NonFiniteError} with `finiteLoss`, if the loss is infinite or no number
   * @throws {MemoryError} if there is not enough memory
   * @throws {ShapeError} if a clip or an update of your own gives tensors of other shapes
   */
  async step(options: StepOptions = {}): Promise<void> {
    check.requireOptions('step', options, stepChecks);
    const { trained, wanted, assignments, finite } = this.#prepare(options);
    try {
      await realizeAll(wanted, assignments, finite);
    } catch (error) {
      this.#takeBack(trained, assignments);
      throw error;
    }
  }

  /**
   * The memory that {@link step} would take. Nothing is computed or changed.
   *
   * @internal
   */
  plan(options: StepOptions): MemoryNeed {
    const { trained, wanted, assignments, finite } = this.#prepare(options);
    try {
      return planAll(wanted, assignments, finite);
    } finally {
      this.#takeBack(trained, assignments);
    }
  }

  #prepare({ also = [], finiteLoss = false }: StepOptions) {
    const trained = this.#parameters.filter((parameter) => parameter.grad !== null && !parameter.spent);
    if (trained.length === 0) {
      throw new InputError('[optimizer] step: expected gradients, got none; call loss.backward() first');
    }
    const losses = new Set<Value>();
    for (const parameter of trained) for (const loss of parameter.losses) losses.add(loss);
    for (const loss of losses) {
      for (const parameter of strangersReachedBy(loss)) if (!parameter.optimized) requireRegistered(parameter);
    }
    // Clips and updates may be a user's code. Nothing changes before all of it has run without an error.
    const updates = withOrigin(Origin.update, () => ops.withoutGrad(() => this.#updatesFor(trained)));
    const assignments: Assignment[] = [];
    this.#steps++;
    for (const { parameter, record, update } of updates) {
      record.updates++;
      assignments.push(parameter.overwrite(computed(update.parameter)));
      parameter.spent = true;
      record.states.forEach((state, i) => {
        assignments.push(state.overwrite(computed(update.states[i])));
      });
    }
    if (this.#average !== null) assignments.push(...this.#averaging(this.#average, updates));
    const wanted = [...also, ...[...losses].map((value) => ({ value }))];
    return { trained, wanted, assignments, finite: finiteLoss ? [...losses] : [] };
  }

  #averaging(
    average: WeightAverage,
    updates: readonly { readonly parameter: Parameter; readonly update: Update }[],
  ): Assignment[] {
    const updated = updates.map(({ parameter, update }) => ({ parameter, updated: update.parameter }));
    return withOrigin(Origin.update, () => ops.withoutGrad(() => average.assignments(updated, this.#steps)));
  }

  #updatesFor(trained: readonly Parameter[]) {
    const records = trained.map((parameter) => this.#recordOf(parameter));
    const scalars = this.#scalarsOf(records, trained);
    const gradients = this.#clipped(trained.map(({ grad }) => grad as Tensor));
    return trained.map((parameter, i) => {
      const record = records[i];
      const { states } = record;
      // These new tensors keep the present contents, while the states are overwritten.
      const before = states.map(({ value }) => new Tensor(value));
      const update = this.update(new Tensor(parameter.value), gradients[i], before, scalars[i]);
      checkResult(this, 'update: parameter', update.parameter, parameter);
      checkResults(this, 'update: states', update.states, states);
      return { parameter, record, update };
    });
  }

  #clipped(gradients: readonly Tensor[]): readonly Tensor[] {
    if (this.#clip === undefined) return gradients;
    const clipped = this.#clip.clip(gradients);
    checkResults(this.#clip, 'clip: gradients', clipped, gradients);
    return clipped;
  }

  /** Undoes {@link #prepare} after a step that computed nothing. */
  #takeBack(trained: readonly Parameter[], assignments: readonly Assignment[]): void {
    this.#steps--;
    this.#average?.takeBack();
    for (const parameter of trained) {
      this.#recordOf(parameter).updates--;
      parameter.spent = false;
    }
    for (const { target } of assignments) target.committed();
  }

  /**
   * The scalars of each parameter in the coming step. They are one input of the program if all parameters
   * agree, else one for each: so that a set of parameters has no more than two programs, however their counts
   * differ.
   */
  #scalarsOf(records: readonly UpdateRecord[], trained: readonly Parameter[]): readonly Tensor[] {
    const first = records[0].updates;
    const differ = this.countsUpdates && records.some(({ updates }) => updates !== first);
    if (!differ && trained.every(({ learningRate }) => learningRate === 1)) {
      return new Array<Tensor>(records.length).fill(this.scalars(first + 1));
    }
    return records.map(({ updates }, i) => this.#scalarsWith(trained[i].learningRate, updates + 1));
  }

  #scalarsWith(factor: number, updates: number): Tensor {
    this.#factor = factor;
    try {
      return this.scalars(updates);
    } finally {
      this.#factor = 1;
    }
  }

  /**
   * Lets the parameters hold their moving averages, for evaluation and for files, or their latest values
   * again. A step needs the latest values.
   *
   * @internal
   * @returns whether they held the averages before
   */
  useAverages(use: boolean): boolean {
    const before = this.#average?.inUse ?? false;
    this.#average?.use(use);
    return before;
  }

  toString(): string {
    const { learningRate, steps, parameters } = this;
    return `${kindOf(this)}(learningRate=${learningRate}, ${parameters.length} parameters, ${steps} steps)`;
  }

  [inspect](): string {
    return this.toString();
  }

  /** A description without the states: {@link stateDict} has those. */
  toJSON(): {
    readonly type: string;
    readonly learningRate: number;
    readonly parameters: number;
    readonly steps: number;
  } {
    const { learningRate, steps, parameters } = this;
    return { type: kindOf(this), learningRate, parameters: parameters.length, steps };
  }

  /** Forgets the gradients; otherwise the next `backward()` adds to them. */
  clearGrad(): void {
    for (const parameter of this.#parameters) parameter.clearGrad();
  }

  /**
   * The arrays to save, so that a training can be resumed. They are the states of each parameter, by name
   * (`conv1.weight.velocity`). The number of steps and the rate are {@link steps} and {@link learningRate}.
   * Adam adds `conv1.weight.updates` (int32 [1]) for a parameter with fewer updates than the optimizer's
   * steps.
   *
   * @param names the parameters by name: `net.namedParameters()`
   */
  stateDict(names: ReadonlyMap<string, Parameter>): Map<string, Buffer> {
    check.requireValue('optimizer', 'names', names, parameterNames);
    const { stateNames, countsUpdates, steps } = this;
    const dict = stateDictOf(this.#named(names), { stateNames, countsUpdates, steps });
    for (const [name, copy] of this.#average?.stateDict(names) ?? []) dict.set(name, copy);
    return dict;
  }

  #named(names: ReadonlyMap<string, Parameter>): ReadonlyMap<string, UpdateRecord> {
    return new Map(Array.from(names, ([name, parameter]) => [name, this.#recordOf(parameter)]));
  }

  /**
   * Restores the arrays that {@link stateDict} gave.
   *
   * @param names the parameters by name: `net.namedParameters()`
   * @param entries arrays by name
   * @param options settings
   * @param options.steps the number of steps taken; a parameter was part of all of them unless an entry says
   *   otherwise
   * @param options.skipMismatch leave the states of a parameter as they are if one is missing or misshapen
   *   (default false)
   * @returns what was skipped; nothing without `skipMismatch`
   * @throws {InputError} if an entry is missing or misshapen; nothing is overwritten then
   */
  loadStateDict(
    names: ReadonlyMap<string, Parameter>,
    entries: ReadonlyMap<string, StateEntry>,
    options: { readonly steps: number; readonly skipMismatch?: boolean | undefined },
  ): StateMismatch[] {
    check.requireValue('optimizer', 'names', names, parameterNames);
    check.requireValue('optimizer', 'entries', entries, stateEntries);
    check.requireValue('optimizer', 'options', options, check.record);
    check.requireValue('optimizer', 'steps', options.steps, check.integer(0));
    check.requireValue('optimizer', 'skipMismatch', options.skipMismatch ?? false, check.flag);
    const mismatches = loadRecords(this.#named(names), this.stateNames, entries, options);
    this.#average?.load(names, entries);
    this.#steps = options.steps;
    return mismatches;
  }
}

/**
 * A value that a program computes: a state that is moved into another one is stored in memory that the step
 * overwrites.
 */
function computed({ value }: Tensor): Value {
  return value.storage === null ? value : ops.withoutGrad(() => ops.identity(value));
}

const stepChecks: check.OptionChecks<StepOptions> = {
  also: check.listOf(check.instanceOf(Tensor)),
  finiteLoss: check.flag,
};
const parameterNames = check.rule<ReadonlyMap<string, Parameter>>(
  'the parameters by name, net.namedParameters()',
  (x) => x instanceof Map && [...x.values()].every((parameter) => parameter instanceof Parameter),
);
