import * as check from '../check.js';
import { InputError } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import { inspect } from '../inspection.js';
import { kindOf, kindOfClass } from '../kind.js';
import { RandomGenerator } from '../random.js';
import { forwardAs } from '../tensor/forwarding.js';
import { Parameter, State } from '../tensor/state.js';
import type { Tensor } from '../tensor/tensor.js';
import { collect } from './fields.js';
import { isFrozen } from './frozen.js';
import { nextFullName } from './fullName.js';
import {
  describeMismatches,
  findMismatches,
  type StateEntry,
  type StateMismatch,
  stateEntries,
} from './stateEntries.js';

/** A layer as plain JSON. */
export interface LayerJson {
  /** Name of the class. */
  readonly type: string;
  /** The constructor's arguments, as in the printed tree. */
  readonly options: string;
  /** Shapes of its own parameters and buffers. */
  readonly state: Readonly<Record<string, Shape>>;
  readonly sublayers: Readonly<Record<string, LayerJson>>;
}

const watched = new WeakSet<object>();

/** Makes the forward of a class report that it runs, so that parameters know the layer that used them. */
function watchForward(prototype: object): void {
  for (let level = prototype; level !== Layer.prototype && !watched.has(level); level = Object.getPrototypeOf(level)) {
    watched.add(level);
    const own = Object.getOwnPropertyDescriptor(level, 'forward');
    if (typeof own?.value !== 'function') continue;
    const forward: Layer['forward'] = own.value;
    const value = function (this: Layer, ...inputs: Tensor[]) {
      return forwardAs(this, forward, inputs);
    };
    Object.defineProperty(level, 'forward', { ...own, value });
  }
}

/**
 * Base class of networks and their parts.
 *
 * A {@link Parameter}, a `Buffer` or a layer that is assigned to a field becomes a part of the layer, under
 * the name of the field. The same is true in arrays and plain objects, also nested ones: `blocks.0.conv`. The
 * order is that of the assignments. JavaScript hides `#private` fields from other code: register their
 * contents with {@link addSublayer} or {@link addParameter}. A training step refuses parameters that are used
 * without it.
 *
 * @example
 * ```ts
 * import { F, nn, randn, type Tensor } from 'fovea';
 *
 * class Net extends nn.Layer {
 *   readonly conv = new nn.Conv2D(3, 8, 3);
 *   readonly fc = new nn.Linear(8, 2);
 *   forward(x: Tensor) {
 *     return this.fc.forward(F.relu(this.conv.forward(x)).mean({ axis: [2, 3] }));
 *   }
 * }
 * const net = new Net();
 * const y = net.forward(randn([1, 3, 32, 32]));
 * ```
 *
 * A layer is an object, not a function: Python's `net(x)` is `net.forward(x)` here, also for the layers
 * inside.
 *
 * Messages and Paddle's names of parameters contain the class name. Give the class a `static readonly kind =
 * 'Net'` if a minifier may rename it.
 */
export abstract class Layer {
  /** Whether the layer is being trained; see {@link train} and {@link eval}. */
  training = true;
  readonly #fullName: string;
  readonly #added = new Map<string, Layer | Parameter>();

  constructor() {
    watchForward(new.target.prototype);
    this.#fullName = nextFullName(kindOfClass(new.target));
  }

  /** Returns the layer's output. It adds nodes to the graph, and computes nothing yet. */
  abstract forward(...inputs: Tensor[]): Tensor;

  /** Class name and a running number of the process, as in Paddle: `conv2d_0`. */
  fullName(): string {
    return this.#fullName;
  }

  /**
   * Adds a layer under a name that no field can have, or that is known only at run time; returns the layer.
   * It also registers the layer of a private field: `#conv = this.addSublayer('conv', new nn.Conv2D(3, 8,
   * 3))`.
   */
  addSublayer<L extends Layer>(name: string, layer: L): L {
    check.requireValue(kindOf(this), 'name', name, check.text);
    check.requireValue(kindOf(this), `layer ${name}`, layer, aLayer);
    this.#added.set(name, layer);
    return layer;
  }

  /** Adds a parameter under a name, as {@link addSublayer} adds a layer; returns it. */
  addParameter(name: string, parameter: Parameter): Parameter {
    check.requireValue(kindOf(this), 'name', name, check.text);
    check.requireValue(kindOf(this), `parameter ${name}`, parameter, check.instanceOf(Parameter));
    this.#added.set(name, parameter);
    return parameter;
  }

  #contents<T extends Layer | State | RandomGenerator>(kind: abstract new (...args: never[]) => T): Map<string, T> {
    const found = new Map<string, T>();
    for (const [name, field] of Object.entries(this)) collect(kind, name, field, found);
    for (const [name, added] of this.#added) if (added instanceof kind) found.set(name, added);
    return found;
  }

  /** The direct sublayers by name: those of fields, then the added ones. */
  namedChildren(): Map<string, Layer> {
    return this.#contents<Layer>(Layer);
  }

  /**
   * All layers below this one by dotted name, each before its own sublayers. A layer used twice appears once.
   */
  namedSublayers(): Map<string, Layer> {
    const found = new Map<string, Layer>();
    const seen = new Set<Layer>([this]);
    const walk = (layer: Layer, prefix: string) => {
      for (const [name, child] of layer.namedChildren()) {
        if (seen.has(child)) continue;
        seen.add(child);
        found.set(prefix + name, child);
        walk(child, `${prefix}${name}.`);
      }
    };
    walk(this, '');
    return found;
  }

  sublayers(): Layer[] {
    return [...this.namedSublayers().values()];
  }

  /** Parameters and buffers of this layer alone, by field. */
  ownState(): Map<string, State> {
    return this.#contents<State>(State);
  }

  /** @internal The random generators of this layer alone, by field. A saved training has their states. */
  ownGenerators(): Map<string, RandomGenerator> {
    return this.#contents<RandomGenerator>(RandomGenerator);
  }

  /**
   * All values to save, by dotted name: parameters and buffers (running statistics).
   * The tensors are the layer's own, not copies.
   */
  stateDict(): Map<string, State> {
    const states = new Map<string, State>();
    const seen = new Set<State>();
    const add = (prefix: string, layer: Layer) => {
      for (const [name, state] of layer.ownState()) {
        if (!seen.has(state)) states.set(prefix + name, state);
        seen.add(state);
      }
    };
    add('', this);
    for (const [name, layer] of this.namedSublayers()) add(`${name}.`, layer);
    return states;
  }

  namedParameters(): Map<string, Parameter> {
    const all = [...this.stateDict()];
    return new Map(all.filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter));
  }

  /** All parameters, frozen ones included, each once. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /** Number of values in all parameters. */
  parameterCount(): number {
    return this.parameters().reduce((sum, parameter) => sum + parameter.size, 0);
  }

  /**
   * Overwrites all parameters and buffers.
   *
   * @param entries arrays by name, as {@link stateDict} or a file gives them
   * @param options settings
   * @param options.skipMismatch leave parameters and buffers as they are if no entry fits (default false)
   * @returns what was skipped; nothing without `skipMismatch`
   * @throws {InputError} naming the missing, unknown and misshapen entries; nothing is overwritten then
   */
  loadStateDict(
    entries: ReadonlyMap<string, StateEntry>,
    options: { readonly skipMismatch?: boolean } = {},
  ): StateMismatch[] {
    const mismatches = this.checkStateDict(entries, options);
    const skipped = new Set(mismatches.map(({ name }) => name));
    for (const [name, state] of this.stateDict()) {
      if (!skipped.has(name)) state.load((entries.get(name) as StateEntry).data);
    }
    return mismatches;
  }

  /** Returns or throws the same as {@link loadStateDict}, but overwrites nothing. */
  checkStateDict(
    entries: ReadonlyMap<string, StateEntry>,
    options: { readonly skipMismatch?: boolean } = {},
  ): StateMismatch[] {
    const { skipMismatch = false } = check.requireOptions('loadStateDict', options, { skipMismatch: check.flag });
    check.requireValue('loadStateDict', 'entries', entries, stateEntries);
    const states = this.stateDict();
    const mismatches = findMismatches(states, entries);
    if (mismatches.length > 0 && !skipMismatch) {
      throw new InputError(
        `[loadStateDict] ${kindOf(this)}: expected the ${states.size} entries of this network, ` +
          `but ${describeMismatches(mismatches)}`,
      );
    }
    return mismatches;
  }

  /**
   * Whether all parameters of this layer and of those below are trained. Setting it sets `trainable` of each
   * of them: `net.features.trainable = false` freezes a part of a network. See {@link Parameter.trainable}.
   *
   * Batch norm still follows {@link train} and {@link eval}, as in Paddle: in training a frozen one
   * normalizes with the batch's statistics and renews the running ones, unless its `useGlobalStats` is true.
   */
  get trainable(): boolean {
    return this.parameters().every((parameter) => parameter.trainable);
  }

  set trainable(trainable: boolean) {
    check.requireValue(kindOf(this), 'trainable', trainable, check.flag);
    for (const parameter of this.parameters()) parameter.trainable = trainable;
  }

  /**
   * Switches this layer and all below to training: dropout drops, batch norm uses the batch's own statistics.
   * Layers that `nn.freeze` has frozen stay in evaluation.
   */
  train(): this {
    return this.#setTraining(true);
  }

  /** Switches this layer and all below to evaluation. */
  eval(): this {
    return this.#setTraining(false);
  }

  #setTraining(training: boolean): this {
    this.training = training && !isFrozen(this);
    for (const layer of this.sublayers()) layer.training = training && !isFrozen(layer);
    return this;
  }

  /** The constructor's arguments for the printed tree. */
  protected describe(): string {
    return '';
  }

  [inspect](): string {
    return this.toString();
  }

  /** Types, options and shapes as a tree, without values: `io.save` keeps those. */
  toJSON(): LayerJson {
    const shapes = [...this.ownState()].map(([name, { shape }]) => [name, shape] as const);
    const sublayers = [...this.namedChildren()].map(([name, child]) => [name, child.toJSON()] as const);
    return {
      type: kindOf(this),
      options: this.describe(),
      state: Object.fromEntries(shapes),
      sublayers: Object.fromEntries(sublayers),
    };
  }

  /** The tree of layers. */
  toString(): string {
    const head = `${kindOf(this)}(${this.describe()}`;
    const children = [...this.namedChildren()];
    if (children.length === 0) return `${head})`;
    const lines = children.map(([name, child]) => `  (${name}): ${child.toString().replaceAll('\n', '\n  ')}`);
    return `${head}\n${lines.join('\n')}\n)`;
  }
}

/** A layer as an argument. */
export const aLayer = check.instanceOf(Layer);
