import { InternalError, StaleTensorError } from '../errors.js';
import { inspect } from '../inspection.js';
import type { DType, OutputDType, TypedArray } from './dtype.js';
import type { OpName, OpParams, Spec } from './op.js';
import { currentOrigin } from './origin.js';
import { formatShape, type Shape } from './shape.js';
import { Storage } from './storage.js';

let nextId = 1;

/** One op of the lazy graph. Ids grow in order of creation, which is therefore a topological order. */
export class Node<K extends OpName = OpName> {
  readonly id = nextId++;
  readonly origin = currentOrigin();
  readonly outputs: readonly Value[];
  /** Assignments carried out whenever this node runs (running statistics of batch norm). */
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

  toString(): string {
    const shapes = (values: readonly Value[]) => values.map(({ shape }) => formatShape(shape)).join(', ');
    return `Node(${this.op} ${shapes(this.inputs)} → ${shapes(this.outputs)})`;
  }

  [inspect](): string {
    return this.toString();
  }

  /** A graph refers to itself and has no JSON. */
  toJSON(): string {
    return this.toString();
  }
}

/** Keeps data over many steps: a parameter, a buffer, an optimizer state. */
export interface AssignmentTarget {
  /** The storage that the newest value is computed into. */
  readonly storage: Storage;
  /** The newest value, possibly not computed yet. */
  readonly value: Value;
  /** Called when the newest value has been computed into the storage. */
  committed(): void;
}

/**
 * `storage` will be overwritten with `value`, as long as that is the target's newest value.
 */
export interface Assignment {
  readonly target: AssignmentTarget;
  readonly value: Value;
  readonly storage: Storage;
}

/** Collects the gradient of a leaf. */
export interface GradientSink {
  /** Adds `gradient`, which belongs to the scalar `root`. */
  accumulate(gradient: Value, root: Value): void;
}

/** One immutable lazy array: an output of a node, or realized data, or both. */
export class Value {
  /** Realized data, if there are any. */
  storage: Storage | null;
  #version: number;
  /** The node's gradient has been taken, so the graph behind this value can go once it is realized. */
  released = false;
  /** For a leaf that requires a gradient. */
  sink: GradientSink | null = null;

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

  /** Attaches the realized data: graphs that use this value start here from now on. */
  realize(storage: Storage): void {
    this.storage = storage;
    this.#version = storage.version;
    // A value that may still be differentiated keeps its history; all others let go of it.
    if (!this.requiresGrad || this.released) this.node = null;
  }

  toString(): string {
    return `Value(${this.dtype} ${formatShape(this.shape)}${this.node === null ? '' : ` of ${this.node.op}`})`;
  }

  [inspect](): string {
    return this.toString();
  }

  /** A graph refers to itself and has no JSON. */
  toJSON(): string {
    return this.toString();
  }

  /** Whether the data have been overwritten since this value was made. */
  get stale(): boolean {
    return this.storage !== null && this.storage.version !== this.#version;
  }

  /** The data, or an error if a step has overwritten them since this value was made. */
  current(): Storage {
    if (this.storage === null) throw new InternalError('a value that was not realized was read');
    if (this.stale) throw staleTensor(this.shape);
    return this.storage;
  }
}

/** @param shape of the tensor that was to be read */
export function staleTensor(shape: Shape): StaleTensorError {
  return new StaleTensorError(
    `[tensor] a tensor of shape ${formatShape(shape)} was left unread until a training step had overwritten the data ` +
      'it depends on: expected it to be read (await t.data()) before the step, or realized with it ' +
      '(await optimizer.step({ also: [t] }))',
  );
}
