import { shown } from '../check.js';
import { InputError } from '../errors.js';
import { kindOf } from '../kind.js';
import type { Json } from '../text/json.js';
import { type Callback, CallbackError, type Hook } from './callback.js';

/**
 * The error to throw when a hook failed. An InputError in `onTrainBegin` is about options: it is thrown as it
 * is.
 */
function failureOf(name: string, hook: Hook, error: unknown): unknown {
  return hook === 'onTrainBegin' && error instanceof InputError ? error : new CallbackError(name, hook, error);
}

/**
 * A hook may return any value, for instance that of an arrow function's expression; only promises are
 * awaited.
 */
function isPromise(value: unknown): value is PromiseLike<void> {
  return typeof (value as PromiseLike<void> | null | undefined)?.then === 'function';
}

/** Whether a value stays the same when it is written as JSON and read again. */
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
    if (!Array.isArray(callbacks)) {
      throw new InputError(`[callback] callbacks: expected an array of callbacks, got ${shown(callbacks)}`);
    }
    this.#all = callbacks.map((callback: unknown) => {
      if (typeof callback !== 'object' || callback === null) {
        throw new InputError(
          `[callback] callbacks: expected objects with methods of Callback, got ${shown(callback)}; leave it out`,
        );
      }
      const own = kindOf(callback);
      const kind = own === 'Object' ? 'Callback' : own;
      const count = (seen.get(kind) ?? 0) + 1;
      seen.set(kind, count);
      return { name: count === 1 ? kind : `${kind}#${count}`, callback: callback as Callback };
    });
  }

  /**
   * Calls a method of all callbacks that have it.
   *
   * @returns undefined if no callback returned a promise, so that a fast loop need not wait either
   * @throws {CallbackError} naming the first callback that threw, after all were called
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

  /** The callbacks with a state of their own. */
  get stateful(): readonly { readonly name: string; readonly callback: Callback }[] {
    return this.#all.filter(({ callback }) => callback.stateDict !== undefined);
  }

  /**
   * Gives each callback the state that it had before its first training.
   *
   * @throws {CallbackError} naming a callback that throws
   */
  begin(): void {
    for (const { name, callback } of this.stateful) {
      const fresh = freshStates.get(callback);
      try {
        if (fresh !== undefined) callback.setStateDict?.(copyOf(fresh));
        else {
          const state = callback.stateDict?.();
          // An invalid state is no error here: `stateDict` reports it when the training is saved.
          if (isJson(state)) freshStates.set(callback, copyOf(state as Json));
        }
      } catch (error) {
        if (fresh !== undefined) throw new CallbackError(name, 'setStateDict', error);
      }
    }
  }

  /**
   * The states of the callbacks that have one, by name.
   *
   * @throws {CallbackError} naming a callback that throws, or whose state JSON cannot hold
   */
  stateDict(): Record<string, Json> {
    const states: Record<string, Json> = {};
    for (const { name, callback } of this.#all) {
      if (callback.stateDict === undefined) continue;
      try {
        const state = callback.stateDict();
        if (!isJson(state)) {
          throw new InputError(
            'its state has something that JSON cannot hold; use finite numbers, texts, lists and plain objects',
          );
        }
        states[name] = state;
      } catch (error) {
        throw new CallbackError(name, 'stateDict', error);
      }
    }
    return states;
  }

  /**
   * Gives each callback its saved state. A callback without a saved state keeps the one it has.
   *
   * @throws {CallbackError} naming a callback that throws
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
