import * as check from '../check.js';
import { DTypeError, InputError, ShapeError } from '../errors.js';
import { allocate, type DType, dtypeOf, type TypedArray } from '../graph/dtype.js';
import { type Assignment, Value } from '../graph/node.js';
import { checkShape, formatShape, numel, type Shape, sameShape } from '../graph/shape.js';
import { Storage } from '../graph/storage.js';
import { startWaiting, stopWaiting } from '../graph/waiting.js';
import * as ops from '../ops/index.js';
import { computeWaiting } from './evaluate.js';
import { currentForwarding, type Forwarding } from './forwarding.js';
import { Tensor } from './tensor.js';

/**
 * A tensor that exists over many steps and is overwritten in place: the base of parameters, buffers and
 * optimizer states. Its data may move into the engine's own memory and layout.
 */
export abstract class State extends Tensor {
  readonly #storage: Storage;

  constructor(data: TypedArray, shape: Shape) {
    const dtype = dtypeOf(data);
    checkShape('tensor', shape);
    if (numel(shape) !== data.length) {
      throw new ShapeError(
        `[tensor] data: expected ${numel(shape)} elements for shape ${formatShape(shape)}, got ${data.length}`,
      );
    }
    const storage = new Storage(shape, dtype, data, true);
    super(Value.of(storage));
    this.#storage = storage;
  }

  /** @internal The memory of the data; the same object as long as the state exists. */
  get storage(): Storage {
    return this.#storage;
  }

  /**
   * Replaces the contents by a value. The value is computed together with `trigger` (by default the value
   * itself). Reading this state gives the new contents at once.
   *
   * @internal
   */
  assign(value: Value, trigger: Value = value): void {
    if (!sameShape(value.shape, this.shape)) {
      throw new ShapeError(`[assign] shape: expected ${formatShape(this.shape)}, got ${formatShape(value.shape)}`);
    }
    if (value.dtype !== this.dtype) {
      throw new DTypeError(`[assign] dtype: expected ${this.dtype}, got ${value.dtype}; convert it with cast()`);
    }
    if (trigger.node === null) {
      this.load(value.current().read());
      return;
    }
    trigger.node.assignments ??= [];
    trigger.node.assignments.push(this.overwrite(value));
    startWaiting(this);
  }

  /**
   * Makes `value` the newest contents. A program that gets this assignment computes it.
   *
   * @internal
   */
  overwrite(value: Value): Assignment {
    this.lazy = value;
    return { target: this, value, storage: this.#storage };
  }

  /** Overwrites the contents from a plain row-major array (copied), e.g. one that was read from a file. */
  load(data: TypedArray): void {
    if (dtypeOf(data) !== this.#storage.dtype || data.length !== numel(this.shape)) {
      throw new InputError(
        `[load] data: expected ${numel(this.shape)} elements of ${this.#storage.dtype} ` +
          `(shape ${formatShape(this.shape)}), got ${data.length} of ${dtypeOf(data)}`,
      );
    }
    this.committed();
    computeWaiting(this.#storage);
    this.#storage.write(data);
    this.committed();
  }

  /** @internal */
  committed(): void {
    stopWaiting(this);
    this.lazy = this.leaf();
  }

  /** @internal The contents as they are in the storage. */
  protected leaf(): Value {
    return Value.of(this.#storage);
  }
}

/** A tensor that belongs to a layer's state but is not trained, such as running statistics. */
export class Buffer extends State {
  static override readonly kind: string = 'Buffer';

  /** A buffer filled with one value. */
  static filled(shape: Shape, value: number, dtype: DType = 'float32'): Buffer {
    checkShape('filled', shape);
    check.requireValue('filled', 'value', value, check.anyNumber);
    const data = allocate(dtype, numel(shape));
    // Fresh memory is zero, and costs nothing before the first write.
    return new Buffer(value === 0 ? data : data.fill(value), shape);
  }
}

/**
 * A tensor of a layer that is trained, unless it is frozen (`parameter.trainable = false`).
 *
 * @example
 * ```ts
 * import { nn, Parameter, type Tensor } from 'fovea';
 *
 * class Scale extends nn.Layer {
 *   readonly scale = new Parameter(new Float32Array(8).fill(1), [8]);
 *   forward(x: Tensor) {
 *     return x.mul(this.scale);
 *   }
 * }
 * ```
 */
export class Parameter extends State {
  static override readonly kind: string = 'Parameter';

  /** The gradient that `backward()` has summed up since the last `clearGrad()`; lazy like every tensor. */
  grad: Tensor | null = null;
  /** @internal The losses that `grad` belongs to; a step realizes them along with the update. */
  readonly losses: Value[] = [];
  /**
   * @internal Whether an optimizer has used `grad`: it can no longer be computed, and nothing can be added.
   */
  spent = false;
  /** @internal Whether an optimizer has it among its parameters. */
  optimized = false;
  /** @internal The layer whose forward has used this last, with its callers. */
  usedBy: Forwarding | null = null;
  #trainable = true;
  #rate = 1;

  /**
   * @param data row-major; not copied: do not change it afterwards
   * @param options.trainable see {@link trainable}
   */
  constructor(data: Float32Array, shape: Shape, options: { readonly trainable?: boolean } = {}) {
    check.requireValue('Parameter', 'data', data, check.instanceOf(Float32Array));
    check.requireOptions('Parameter', options, { trainable: check.flag });
    super(data, shape);
    this.#trainable = options.trainable ?? true;
    this.lazy = this.leaf();
  }

  /**
   * Whether it is trained. A frozen parameter (false) gets no gradient, no update and no weight decay, and
   * costs no backward pass. It is saved and loaded like the others. Default: true.
   */
  get trainable(): boolean {
    return this.#trainable;
  }

  set trainable(trainable: boolean) {
    check.requireValue('Parameter', 'trainable', trainable, check.flag);
    if (trainable === this.#trainable) return;
    this.#trainable = trainable;
    this.clearGrad();
    // Contents that are not computed yet become a leaf when they are.
    if (this.lazy.storage !== null) this.lazy = this.leaf();
  }

  /**
   * Factor of the optimizer's learning rate for this parameter, as `ParamAttr(learning_rate)` in Paddle.
   * Default: 1.
   */
  get learningRate(): number {
    return this.#rate;
  }

  set learningRate(factor: number) {
    this.#rate = check.requireValue('Parameter', 'learningRate', factor, check.nonNegative);
  }

  /** @internal */
  override get value(): Value {
    this.usedBy = currentForwarding() ?? this.usedBy;
    return super.value;
  }

  /** @internal */
  accumulate(gradient: Value, root: Value): void {
    // It may have been frozen between forward and backward.
    if (!this.#trainable) return;
    if (this.spent) {
      throw new InputError(
        '[backward] gradients: expected none from before the last step, got old ones; ' +
          'call optimizer.clearGrad() after optimizer.step()',
      );
    }
    const { grad } = this;
    this.grad = new Tensor(grad === null ? gradient : ops.withoutGrad(() => ops.binary('add', grad.value, gradient)));
    this.losses.push(root);
    if (this.optimized) return;
    const strangers = strangersOf.get(root);
    if (strangers === undefined) strangersOf.set(root, [this]);
    else strangers.push(this);
  }

  /** Forgets the gradient. */
  clearGrad(): void {
    this.grad = null;
    this.losses.length = 0;
    this.spent = false;
  }

  /** @internal */
  protected override leaf(): Value {
    const value = Value.of(this.storage, this.#trainable);
    value.sink = this;
    return value;
  }
}

const strangersOf = new WeakMap<Value, Parameter[]>();
const none: readonly Parameter[] = [];

/** The parameters of no optimizer to which the `backward()` of a loss has given a gradient. */
export function strangersReachedBy(loss: Value): readonly Parameter[] {
  return strangersOf.get(loss) ?? none;
}
