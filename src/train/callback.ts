import { FoveaError, InputError, messageOf } from '../errors.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import type { DivergenceError } from './divergence.js';
import type { Evaluation } from './evaluate.js';
import type { TrainOutcome } from './options.js';
import type { EpochRecord, TrainingState } from './train.js';

/** Figures by name. */
export type NamedFigures = Readonly<Record<string, number>>;

/** Anything that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A training that goes on, as its callbacks see it: one object all along, whose fields change. */
export interface Training {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  /** Folder for the files of the training, if it has one. */
  readonly saveDir: string | null;
  /** Steps of the optimizer from here to the end of all epochs. */
  readonly stepsLeft: number;
  /** Epochs in all. */
  readonly epochs: number;
  /** Batches in this epoch. */
  readonly batches: number;
  /** Samples in this epoch. */
  readonly epochSamples: number;
  /** The epoch that goes on, from 1. */
  readonly epoch: number;
  /** Batches of this epoch that are done. */
  readonly batch: number;
  /** Samples of this epoch that are done. */
  readonly samples: number;
  /** Seconds of this epoch in which the next batch was waited for. */
  readonly dataSeconds: number;
  /** Loss of the newest batch. */
  readonly loss: number;
  /** Whether the newest batch ended with a step: not if gradients of several batches are accumulated. */
  readonly updated: boolean;
  /** The epochs that are done. */
  readonly history: readonly EpochRecord[];
  /** The newest evaluation. */
  readonly evaluation: Evaluation | null;
  /** Whether there are evaluations at all. */
  readonly evaluating: boolean;
  /** Names that {@link figure} knows. */
  readonly figureNames: readonly string[];
  /** Over the samples of this epoch that are done: `loss`, the mean, and the metrics by name. */
  figures(): NamedFigures;
  /** Where the training stands; not between a batch and the step that it is accumulated for. */
  state(): TrainingState;
  /** Ends the training after the present batch. */
  stop(): void;
}

/** An evaluation or prediction that goes on: one object all along, whose fields change. */
export interface Judging {
  readonly batches: number;
  /** Batches that are done. */
  readonly batch: number;
  /** Samples that are done. */
  readonly samples: number;
  /** Samples in all. */
  readonly total: number;
  /** Over the samples that are done: `loss`, the mean, and the metrics by name. Empty for a prediction. */
  figures(): NamedFigures;
}

/**
 * What may be done on the way: derive from this class, or give an object with some of its methods. Promises are waited
 * for. If a method throws, the other callbacks are still told, the state is saved where it can be, and the training
 * ends with a {@link CallbackError}.
 *
 * One callback may serve several trainings, one after another. Each begins with the state that the callback had before
 * its first one, as far as {@link stateDict} tells it; a training that is resumed gets the saved state. What
 * `stateDict` leaves out has to be reset in {@link onTrainBegin}.
 */
export class Callback {
  onTrainBegin?(training: Training): void | Promise<void>;
  onEpochBegin?(training: Training): void | Promise<void>;
  /** After each batch. A small network takes 0.2 ms for one, so be quick. */
  onBatchEnd?(training: Training): void | Promise<void>;
  /**
   * A batch has a loss that is infinite or no number; nothing was learned from it. The training ends with the error,
   * or in good order if {@link Training.stop} is called here.
   */
  onDivergence?(training: Training, error: DivergenceError): void | Promise<void>;
  onEvaluateBegin?(judging: Judging): void | Promise<void>;
  /** During the evaluation, after each of its batches. */
  onEvaluateBatch?(judging: Judging): void | Promise<void>;
  onEvaluateEnd?(judging: Judging): void | Promise<void>;
  onPredictBegin?(judging: Judging): void | Promise<void>;
  onPredictBatch?(judging: Judging): void | Promise<void>;
  onPredictEnd?(judging: Judging): void | Promise<void>;
  /** After the evaluation, before the state is saved; `training.state()` is then the beginning of the next epoch. */
  onEpochEnd?(training: Training, record: EpochRecord): void | Promise<void>;
  /** Like {@link onEpochEnd}, but once the state is saved, where it is saved at all. */
  onEpochSaved?(training: Training, record: EpochRecord): void | Promise<void>;
  /** At the end, also after {@link Training.stop} or an aborted signal, but not if the training failed. */
  onTrainEnd?(training: Training, outcome: TrainOutcome): void | Promise<void>;
  /** After all else, however the training ended: the place to close files, or to give weights back. */
  onTrainClose?(training: Training): void | Promise<void>;
  /** The state of the callback, for a training that is resumed and for one that begins anew. */
  stateDict?(): Json;
  /** Restores what {@link stateDict} gave; called before {@link onTrainBegin}. */
  setStateDict?(state: Json): void;
}

/** Methods that are called on the way. */
type Hook = {
  [K in keyof Callback]-?: K extends `on${string}` ? K : never;
}[keyof Callback];

/** A callback threw; its error is the cause. */
export class CallbackError extends FoveaError {
  constructor(
    /** Which one, such as `EarlyStopping`. */
    readonly callback: string,
    readonly hook: string,
    cause: unknown,
    note = '',
  ) {
    super(`[callback] ${callback}.${hook}: expected it to return, got ${messageOf(cause)}${note}`, { cause });
  }
}

/** What is thrown for what a callback threw. Options that do not fit the training are found out at its beginning. */
function failureOf(name: string, hook: Hook, error: unknown): unknown {
  return hook === 'onTrainBegin' && error instanceof InputError ? error : new CallbackError(name, hook, error);
}

/** Who writes a callback may return whatever comes of its last expression; only promises are waited for. */
function isPromise(value: unknown): value is PromiseLike<void> {
  return typeof (value as PromiseLike<void> | null | undefined)?.then === 'function';
}

/** Whether a value is the same once it has been JSON. */
function isJson(value: unknown, above: readonly unknown[] = []): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value !== 'object' || above.includes(value)) return false;
  const inside = [...above, value];
  if (Array.isArray(value)) return value.every((item) => isJson(item, inside));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((item) => item === undefined || isJson(item, inside));
}

/** The states that callbacks had before their first training. */
const freshStates = new WeakMap<Callback, Json>();

/** The callbacks of a training, evaluation or prediction, in order. */
export class Callbacks {
  readonly #all: readonly { readonly name: string; readonly callback: Callback }[];
  readonly #having = new Map<Hook, readonly { readonly name: string; readonly callback: Callback }[]>();

  constructor(callbacks: readonly Callback[]) {
    const seen = new Map<string, number>();
    this.#all = callbacks.map((callback: unknown) => {
      if (typeof callback !== 'object' || callback === null) {
        throw new InputError(
          `[callback] callbacks: expected objects with methods of Callback, got ${describe(callback)}; leave it out`,
        );
      }
      const { name: own = 'Object' } = callback.constructor ?? {};
      const kind = own === 'Object' ? 'Callback' : own;
      const count = (seen.get(kind) ?? 0) + 1;
      seen.set(kind, count);
      return { name: count === 1 ? kind : `${kind}#${count}`, callback: callback as Callback };
    });
  }

  /**
   * Calls a method of all that have it.
   *
   * @returns undefined if nobody had to be waited for, so that a quick loop need not wait either
   * @throws {CallbackError} naming the first that threw, after all were called
   */
  call<K extends Hook>(hook: K, ...args: Parameters<NonNullable<Callback[K]>>): undefined | Promise<void> {
    let having = this.#having.get(hook);
    if (having === undefined) {
      having = this.#all.filter(({ callback }) => callback[hook] !== undefined);
      this.#having.set(hook, having);
    }
    for (let i = 0; i < having.length; i++) {
      const { name, callback } = having[i];
      let waiting: unknown;
      try {
        waiting = (callback[hook] as (...args: unknown[]) => unknown)(...args);
      } catch (error) {
        waiting = Promise.reject(error);
      }
      if (isPromise(waiting)) return this.#callRest(hook, args, having.slice(i + 1), name, waiting);
    }
    return undefined;
  }

  async #callRest(
    hook: Hook,
    args: unknown[],
    rest: readonly { readonly name: string; readonly callback: Callback }[],
    first: string,
    waiting: PromiseLike<void>,
  ): Promise<void> {
    const failures: unknown[] = [];
    await waiting.then(undefined, (error: unknown) => failures.push(failureOf(first, hook, error)));
    for (const { name, callback } of rest) {
      try {
        await (callback[hook] as (...args: unknown[]) => void | Promise<void>)(...args);
      } catch (error) {
        failures.push(failureOf(name, hook, error));
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Those with a state of their own. */
  get stateful(): readonly { readonly name: string; readonly callback: Callback }[] {
    return this.#all.filter(({ callback }) => callback.stateDict !== undefined);
  }

  /**
   * Gives each the state that it had before its first training.
   *
   * @throws {CallbackError} naming one that throws
   */
  begin(): void {
    for (const { name, callback } of this.stateful) {
      const fresh = freshStates.get(callback);
      try {
        if (fresh !== undefined) callback.setStateDict?.(copyOf(fresh));
        else {
          const state = callback.stateDict?.();
          // One that cannot say its state is named where the state is saved.
          if (isJson(state)) freshStates.set(callback, copyOf(state as Json));
        }
      } catch (error) {
        if (fresh !== undefined) throw new CallbackError(name, 'setStateDict', error);
      }
    }
  }

  /**
   * What those that remember something have to remember, by name.
   *
   * @throws {CallbackError} naming one that throws, or gives what JSON cannot hold
   */
  stateDict(): Record<string, Json> {
    const states: Record<string, Json> = {};
    for (const { name, callback } of this.#all) {
      if (callback.stateDict === undefined) continue;
      try {
        const state = callback.stateDict();
        if (!isJson(state)) {
          throw new InputError('something that JSON cannot hold; use finite numbers, texts, lists and plain objects');
        }
        states[name] = state;
      } catch (error) {
        throw new CallbackError(name, 'stateDict', error);
      }
    }
    return states;
  }

  /**
   * Gives each its own back; a callback that was not there before begins anew.
   *
   * @throws {CallbackError} naming one that throws
   */
  setStateDict(states: Readonly<Record<string, Json>>): void {
    for (const { name, callback } of this.#all) {
      if (!Object.hasOwn(states, name)) continue;
      try {
        callback.setStateDict?.(states[name]);
      } catch (error) {
        throw new CallbackError(name, 'setStateDict', error);
      }
    }
  }
}

function copyOf(state: Json): Json {
  return JSON.parse(JSON.stringify(state));
}

function describe(value: unknown): string {
  return typeof value === 'function' ? `the function ${value.name}` : String(value);
}
