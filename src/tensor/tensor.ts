import { gradients } from '../autograd.js';
import * as check from '../check.js';
import { DTypeError, InputError, ShapeError } from '../errors.js';
import { type ArrayOf, checkDType, type DType, dtypeOf, type TypedArray } from '../graph/dtype.js';
import { Value } from '../graph/node.js';
import type { BinaryFn, ReduceFn } from '../graph/op.js';
import { checkShape, formatShape, normalizeAxis, numel, type Shape } from '../graph/shape.js';
import { Storage } from '../graph/storage.js';
import { inspect } from '../inspection.js';
import { kindOf } from '../kind.js';
import type { MatmulOptions } from '../ops/composed.js';
import * as ops from '../ops/index.js';
import { realizeAll } from './evaluate.js';
import { formatValues, nest } from './print.js';
import { flattened, inferSize, sliceRange, squeezed, unsqueezed } from './shapes.js';

/** Most values of a tensor in JSON. More would make texts of megabytes. */
const mostJsonValues = 100_000;
/** Most values of a tensor that is copied out of the engine to print a few of them. */
const mostPrintedFrom = 10_000_000;

/** A tensor, or a number that is taken as a float32 constant. */
export type TensorLike = Tensor | number;

/**
 * Options of a reduction: the axes (all by default; negative ones count from the end) and whether they stay
 * as 1.
 */
export interface ReduceOptions {
  readonly axis?: number | readonly number[];
  readonly keepdim?: boolean;
}

/**
 * A lazy array. Shape and dtype are known at once; values are computed when they are read (`await t.data()`)
 * or when an optimizer steps.
 *
 * @example
 * ```ts
 * const x = randn([2, 3]);
 * const y = x.mul(2).add(1).sum({ axis: 1 });
 * console.log(y.shape, await y.data('float32'));
 * ```
 */
export class Tensor {
  static readonly kind: string = 'Tensor';

  /** @internal */
  protected lazy: Value;

  /** @internal Use {@link Tensor.fromData}, {@link Tensor.full} or {@link tensor}. */
  constructor(value: Value) {
    this.lazy = value;
  }

  /**
   * A tensor over a typed array (Float32Array, Int32Array or Uint8Array), in row-major order.
   *
   * The array is not copied: do not change it afterwards.
   */
  static fromData(data: TypedArray, shape?: Shape): Tensor {
    return Tensor.#over(data, dtypeOf(data), shape ?? [data.length]);
  }

  static #over(data: TypedArray, dtype: DType, shape: Shape): Tensor {
    checkShape('tensor', shape);
    if (numel(shape) !== data.length) {
      throw new ShapeError(
        `[tensor] data: expected ${numel(shape)} elements for shape ${formatShape(shape)}, got ${data.length}`,
      );
    }
    return new Tensor(Value.from(data, shape, dtype));
  }

  /** @internal A tensor without data, for programs that are only planned. */
  static placeholder(shape: Shape, dtype: DType): Tensor {
    return new Tensor(Value.of(Storage.placeholder(shape, dtype)));
  }

  /** A tensor filled with one value. */
  static full(shape: Shape, value: number, dtype: DType = 'float32'): Tensor {
    checkShape('full', shape);
    check.requireValue('full', 'value', value, number);
    checkDType('full', dtype);
    return new Tensor(ops.constant(shape, dtype, value));
  }

  static zeros(shape: Shape, dtype: DType = 'float32'): Tensor {
    return Tensor.full(shape, 0, dtype);
  }

  static ones(shape: Shape, dtype: DType = 'float32'): Tensor {
    return Tensor.full(shape, 1, dtype);
  }

  /** @internal The node of the graph. */
  get value(): Value {
    return this.lazy;
  }

  /** Sizes of the axes, outermost first. */
  get shape(): Shape {
    return this.lazy.shape;
  }

  get dtype(): DType {
    return this.lazy.dtype as DType;
  }

  /** Number of elements. */
  get size(): number {
    return numel(this.shape);
  }

  /** Whether `backward()` on something computed from this tensor gives a gradient. */
  get requiresGrad(): boolean {
    return this.lazy.requiresGrad;
  }

  /**
   * The values in row-major order, computed now if they were not; a copy.
   *
   * @param dtype the expected type, which makes the array's type known: `await t.data('float32')` is a
   *   Float32Array
   * @throws {DTypeError} if the tensor is of another type
   */
  data(): Promise<TypedArray>;
  data<D extends DType>(dtype: D): Promise<ArrayOf<D>>;
  async data(dtype: DType = this.dtype): Promise<TypedArray> {
    if (dtype !== this.dtype) {
      checkDType('data', dtype);
      throw new DTypeError(
        `[data] dtype: expected ${dtype}, got ${this.dtype} (tensor ${formatShape(this.shape)}); convert it with cast()`,
      );
    }
    await realizeAll([this]);
    return this.lazy.current().read();
  }

  /** The only element of a one-element tensor. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError(`[item] tensor: expected one element, got shape ${formatShape(this.shape)}`);
    }
    return (await this.data())[0];
  }

  /**
   * Adds the gradient of this scalar to the `grad` of every parameter it depends on. The gradient is part of
   * the graph, and computed when it is read or when an optimizer steps.
   */
  backward(): void {
    for (const [leaf, gradient] of gradients(this.lazy)) leaf.sink?.accumulate(gradient, this.lazy);
  }

  /** The same values as a tensor that `backward()` does not follow any further. */
  detach(): Tensor {
    const { value: lazy } = this;
    return new Tensor(lazy.storage !== null ? Value.of(lazy.current()) : ops.withoutGrad(() => ops.identity(lazy)));
  }

  /**
   * The same values as a tensor that takes part in gradients, as parameters do: see `grad`. `backward()`
   * does not follow it any further.
   *
   * @throws {DTypeError} if the tensor is not of float32
   */
  withGrad(): Tensor {
    const { dtype, lazy } = this;
    if (dtype !== 'float32') throw new DTypeError(`[withGrad] tensor: expected float32, got ${dtype}`);
    return new Tensor(lazy.storage !== null ? Value.of(lazy.current(), true) : ops.watched(lazy));
  }

  /** `this + other` under NumPy's broadcasting. Both are of one dtype; a number takes this tensor's. */
  add(other: TensorLike): Tensor {
    return this.#binary('add', other);
  }

  /** `this − other`; see {@link add}. */
  sub(other: TensorLike): Tensor {
    return this.#binary('sub', other);
  }

  /** `this·other`, element by element; see {@link add}, and {@link matmul} for products of matrices. */
  mul(other: TensorLike): Tensor {
    return this.#binary('mul', other);
  }

  /** `this/other`; see {@link add}. */
  div(other: TensorLike): Tensor {
    return this.#binary('div', other);
  }

  /** Elementwise maximum of two tensors. */
  maximum(other: TensorLike): Tensor {
    return this.#binary('max', other);
  }

  /** Elementwise minimum of two tensors. */
  minimum(other: TensorLike): Tensor {
    return this.#binary('min', other);
  }

  /**
   * Limits each element to `min` … `max`; either may be left out. NaN stays NaN. The gradient is 0
   * beyond a limit.
   *
   * @throws {InputError} if min is above max
   */
  clip(min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): Tensor {
    check.requireValue('clip', 'min', min, check.anyNumber);
    check.requireValue('clip', 'max', max, check.anyNumber);
    return new Tensor(ops.clip(this.value, min, max));
  }

  /**
   * `this` to a power. A whole number multiplies, so that negative bases have their sign. Other numbers and
   * tensors are computed as e^(exponent·log(this)): negative bases give NaN, and the gradient at 0 is 0.
   *
   * @param exponent a number, or a tensor under broadcasting
   */
  pow(exponent: TensorLike): Tensor {
    const { value } = this;
    return new Tensor(
      typeof exponent === 'number'
        ? ops.power(value, exponent)
        : ops.powerOf(value, operandOf('pow', exponent, 'exponent')),
    );
  }

  /**
   * Product of matrices `[…, n, k]·[…, k, m]` → `[…, n, m]`; leading axes broadcast. A vector `[k]` is a row
   * on the left and a column on the right; its axis is not in the result.
   *
   * @throws {ShapeError} if the inner sizes differ, or one operand has no axis
   *
   * @example
   * ```ts
   * const y = tensor([[1, 2], [3, 4]]).matmul(tensor([[1, 0], [0, 1]]));
   * ```
   */
  matmul(other: Tensor, options: MatmulOptions = {}): Tensor {
    check.requireOptions('matmul', options, matmulChecks);
    return new Tensor(ops.matmul(this.value, operandOf('matmul', other, 'other'), options));
  }

  /**
   * Elements of `x` where this tensor is not 0, else of `y`. All three broadcast; the gradient goes to the
   * chosen ones.
   *
   * @throws {DTypeError} if x and y are of different dtypes
   */
  where(x: TensorLike, y: TensorLike): Tensor {
    for (const side of [x, y]) if (typeof side !== 'number') requireTensor('where', side, 'x and y');
    const dtype = [x, y].find((side) => typeof side !== 'number')?.dtype ?? 'float32';
    return new Tensor(ops.where(this.value, operand('where', x, dtype), operand('where', y, dtype)));
  }

  /** Elementwise `this == other` as uint8. */
  equal(other: TensorLike): Tensor {
    return this.#binary('equal', other);
  }

  notEqual(other: TensorLike): Tensor {
    return this.#binary('notEqual', other);
  }

  greater(other: TensorLike): Tensor {
    return this.#binary('greater', other);
  }

  greaterEqual(other: TensorLike): Tensor {
    return this.#binary('greaterEqual', other);
  }

  less(other: TensorLike): Tensor {
    return this.#binary('less', other);
  }

  lessEqual(other: TensorLike): Tensor {
    return this.#binary('lessEqual', other);
  }

  /** `−this` */
  neg(): Tensor {
    return new Tensor(ops.affine(this.value, -1, 0));
  }

  /** `scale·x + shift` in one kernel. */
  affine(scale: number, shift: number): Tensor {
    check.requireValue('affine', 'scale', scale, number);
    check.requireValue('affine', 'shift', shift, number);
    return new Tensor(ops.affine(this.value, scale, shift));
  }

  /** e to the power of each element. */
  exp(): Tensor {
    return new Tensor(ops.unary('exp', this.value));
  }

  /** Natural logarithm. */
  log(): Tensor {
    return new Tensor(ops.unary('log', this.value));
  }

  /** Square root; NaN for negative elements. */
  sqrt(): Tensor {
    return new Tensor(ops.unary('sqrt', this.value));
  }

  /** `this·this` */
  square(): Tensor {
    return new Tensor(ops.unary('square', this.value));
  }

  /** Absolute value, with gradient 0 at 0. */
  abs(): Tensor {
    return new Tensor(ops.unary('abs', this.value));
  }

  /** Sum of a float32 tensor over axes, by default over all elements. */
  sum(options: ReduceOptions = {}): Tensor {
    return this.#reduce('sum', options);
  }

  /** Mean of a float32 tensor over axes, by default over all elements. */
  mean(options: ReduceOptions = {}): Tensor {
    return this.#reduce('mean', options);
  }

  /** Largest element over axes, by default of all. Elements that are equal to it share its gradient. */
  max(options: ReduceOptions = {}): Tensor {
    return this.#reduce('max', options);
  }

  /** Smallest element over axes, by default of all. Elements that are equal to it share its gradient. */
  min(options: ReduceOptions = {}): Tensor {
    return this.#reduce('min', options);
  }

  /** Index (int32) of the largest element along an axis; the first among equals. */
  argmax(options: { axis?: number; keepdim?: boolean } = {}): Tensor {
    const { axis = -1, keepdim = false } = check.requireOptions('argmax', options, argmaxChecks);
    return new Tensor(ops.argmax(this.value, axis, keepdim));
  }

  /** The k largest elements along an axis, largest first, and their indices (int32). */
  topk(k: number, options: { axis?: number } = {}): { values: Tensor; indices: Tensor } {
    check.requireValue('topk', 'k', k, check.integer(1));
    const { axis = -1 } = check.requireOptions('topk', options, topkChecks);
    const [values, indices] = ops.topk(this.value, k, axis);
    return { values: new Tensor(values), indices: new Tensor(indices) };
  }

  /** Another shape over the same elements. One size may be -1: it follows from the other sizes. */
  reshape(shape: Shape): Tensor {
    return new Tensor(ops.reshape(this.value, inferSize(this.shape, shape)));
  }

  /** Joins the axes from `startAxis` to `stopAxis` (inclusive, both may be negative) into one. */
  flatten(options: { startAxis?: number; stopAxis?: number } = {}): Tensor {
    const { startAxis = 0, stopAxis = -1 } = check.requireOptions('flatten', options, flattenChecks);
    return this.reshape(flattened(this.shape, startAxis, stopAxis));
  }

  /**
   * Drops axes of size 1: those that `axis` names, of which longer ones stay as they are, or all.
   *
   * @param axis negative ones count from the end
   */
  squeeze(axis?: number | readonly number[]): Tensor {
    if (axis !== undefined) check.requireValue('squeeze', 'axis', axis, axisOrAxes);
    return this.reshape(squeezed(this.shape, axis));
  }

  /** Adds an axis of size 1 at `axis` of the result; negative ones count from the end. */
  unsqueeze(axis: number): Tensor {
    return this.reshape(unsqueezed(this.shape, axis));
  }

  /** Permutes the axes: axis i of the result is axis `permutation[i]` of this. */
  transpose(permutation: readonly number[]): Tensor {
    check.requireValue('transpose', 'permutation', permutation, axes);
    const order = permutation.map((axis) => normalizeAxis('transpose', axis, this.shape.length));
    return new Tensor(ops.transpose(this.value, order));
  }

  /** Repeats along axes of size 1 and along new leading axes. */
  broadcastTo(shape: Shape): Tensor {
    checkShape('broadcastTo', shape);
    return new Tensor(ops.broadcastTo(this.value, shape));
  }

  /**
   * The elements from `starts[i]` (inclusive) to `ends[i]` (exclusive) on each axis; negative ones count from
   * the end.
   */
  slice(starts: readonly number[], ends: readonly number[]): Tensor {
    check.requireValue('slice', 'starts', starts, axes);
    check.requireValue('slice', 'ends', ends, axes);
    const { from, sizes } = sliceRange(this.shape, starts, ends);
    return new Tensor(ops.slice(this.value, from, sizes));
  }

  /** Adds `before[i]` and `after[i]` elements of `value` on axis i. */
  pad(before: readonly number[], after: readonly number[], value = 0): Tensor {
    check.requireValue('pad', 'before', before, axes);
    check.requireValue('pad', 'after', after, axes);
    check.requireValue('pad', 'value', value, number);
    return new Tensor(ops.pad(this.value, before, after, value));
  }

  /** Converts to another dtype. Floats become integers by truncation. Gradients stop here. */
  cast(dtype: DType): Tensor {
    checkDType('cast', dtype);
    return new Tensor(ops.cast(this.value, dtype));
  }

  /**
   * Type, shape and, if they are computed already, the values. If there are many, it has the first and last
   * of each axis. This computes nothing; `await t.data()` does.
   */
  toString(): string {
    const values = this.#valuesAtHand();
    const what =
      values === null ? `, ${this.lazy.stale ? 'overwritten' : 'lazy'}` : `,\n${formatValues(values, this.shape)}`;
    return `${kindOf(this)}(${this.dtype} ${formatShape(this.shape)}${what})`;
  }

  [inspect](): string {
    return this.toString();
  }

  /**
   * `{ dtype, shape, values }` with nested values. They are null if they are not computed yet, or if there
   * are very many.
   */
  toJSON(): { readonly dtype: DType; readonly shape: Shape; readonly values: unknown } {
    const values = this.size > mostJsonValues ? null : this.#valuesAtHand();
    return { dtype: this.dtype, shape: this.shape, values: values === null ? null : nest(values, this.shape) };
  }

  /** JavaScript's operators cannot compute with tensors: they would give text or NaN. */
  [Symbol.toPrimitive](hint: 'string' | 'number' | 'default'): string {
    if (hint === 'string') return this.toString();
    throw new InputError(
      '[tensor] operator: expected a method, got + - * / < > or == with a tensor; write a.add(b), a.sub(b), a.mul(b), ' +
        'a.div(b), a.less(b), a.greater(b), a.equal(b), take a number with await t.item(), or text with String(t)',
    );
  }

  #valuesAtHand(): TypedArray | null {
    const { storage, stale } = this.lazy;
    if (storage === null || stale || this.size > mostPrintedFrom) return null;
    return storage.host ?? storage.device?.read() ?? null;
  }

  #binary(fn: BinaryFn, other: TensorLike): Tensor {
    return new Tensor(ops.binary(fn, this.value, operand(fn, other, this.dtype)));
  }

  #reduce(fn: ReduceFn, options: ReduceOptions): Tensor {
    const { axis, keepdim } = check.requireOptions(fn, options, reduceChecks);
    return new Tensor(ops.reduce(fn, this.value, typeof axis === 'number' ? [axis] : axis, keepdim));
  }
}

/** Any number, also NaN. */
const number = check.rule<number>('a number', (value) => typeof value === 'number');
const anInteger = check.ofShape(check.rule<number>('an integer', Number.isSafeInteger));
const axes = check.ofShape(check.listOf(anInteger));
const axisOrAxes = check.ofShape(check.either(anInteger, axes, 'an integer, or an array of integers'));
const reduceChecks: check.OptionChecks<ReduceOptions> = { axis: axisOrAxes, keepdim: check.flag };
const argmaxChecks = { axis: anInteger, keepdim: check.flag };
const topkChecks = { axis: anInteger };
const flattenChecks = { startAxis: anInteger, stopAxis: anInteger };
const matmulChecks: check.OptionChecks<MatmulOptions> = { transposeX: check.flag, transposeY: check.flag };
const someTensor = check.instanceOf(Tensor);

/** Throws unless an argument is a tensor; else returns it. */
export function requireTensor(where: string, x: unknown, what = 'x'): Tensor {
  return x instanceof Tensor ? x : check.requireValue(where, what, x, someTensor);
}

/** The value of an argument that has to be a tensor. */
export function operandOf(where: string, x: unknown, what = 'x'): Value {
  return requireTensor(where, x, what).value;
}

/** The value of an operand; a number becomes a constant. */
function operand(where: string, side: TensorLike, dtype: DType): Value {
  return typeof side === 'number' ? ops.constant([], dtype, side) : operandOf(where, side, 'other');
}
