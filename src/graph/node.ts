import { InternalError, StaleTensorError } from '../errors.js';
import type { DType, OutputDType, TypedArray } from './dtype.js';
import type { OpName, OpParams, Spec } from './op.js';
import type { Shape } from './shape.js';
import { Storage } from './storage.js';

let nextId = 1;

/** One op of the lazy graph. Ids grow in order of creation, which is therefore a topological order. */
export class Node<K extends OpName = OpName> {
  readonly id = nextId++;
  readonly outputs: readonly Value[];
  /** Persistent values that this node renews when it runs (running statistics of batch norm). */
  assignments: Assignment[] | null = null;
  /** Scratch of graph walks: the walk that saw this node last, and its place there. */
  mark = 0;
  place = 0;

  constructor(
    readonly op: K,
    readonly params: OpParams[K],
    readonly inputs: readonly Value[],
    specs: readonly Spec[],
    requiresGrad: boolean,
  ) {
    const outputs = new Array<Value>(specs.length);
    for (let i = 0; i < specs.length; i++) {
      outputs[i] = new Value(specs[i].shape, specs[i].dtype, this as unknown as Node, i, null, requiresGrad);
    }
    this.outputs = outputs;
  }
}

/** Something whose storage is overwritten with a newly computed value. */
export interface Assignment {
  readonly target: { value: Value };
  /** The new value; it counts only while it still is the target's value. */
  readonly value: Value;
  readonly storage: Storage;
}

/** One immutable lazy array: an output of a node, or realized data, or both. */
export class Value {
  /** Realized data, if there are any. */
  storage: Storage | null;
  #version: number;
  /** For a leaf that collects gradients: who collects them. */
  owner: object | null = null;
  /** Scratch of graph walks, like that of {@link Node}. */
  mark = 0;
  place = 0;

  constructor(
    readonly shape: Shape,
    readonly dtype: OutputDType,
    public node: Node | null,
    readonly index: number,
    storage: Storage | null,
    readonly requiresGrad: boolean,
  ) {
    this.storage = storage;
    this.#version = storage === null ? 0 : storage.version;
  }

  /** A leaf over realized data. */
  static of(storage: Storage, requiresGrad = false): Value {
    return new Value(storage.shape, storage.dtype, null, 0, storage, requiresGrad);
  }

  /** A leaf over a plain array, which must not be changed afterwards. */
  static from(data: TypedArray, shape: Shape, dtype: DType): Value {
    return Value.of(new Storage(shape, dtype, data));
  }

  /** Attaches the realized data; from now on graphs that use this value start here. */
  realize(storage: Storage): void {
    this.storage = storage;
    this.#version = storage.version;
  }

  /** The data, or an error if a step has overwritten them since this value was made. */
  current(): Storage {
    const storage = this.storage;
    if (storage === null) throw new InternalError('a value that was not realized was read');
    if (storage.version !== this.#version) {
      throw new StaleTensorError(
        `[tensor] a tensor of shape [${this.shape}] was left unread until a training step had overwritten the data ` +
          'it depends on: expected it to be read (await t.data()) before the step, or realized with it ' +
          '(await optimizer.step({ also: [t] }))',
      );
    }
    return storage;
  }

  get stale(): boolean {
    return this.storage !== null && this.storage.version !== this.#version;
  }
}
