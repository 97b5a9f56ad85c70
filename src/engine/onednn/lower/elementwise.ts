import type { GraphNode, GraphValue } from '../../../compiler/graph.js';
import { InternalError } from '../../../errors.js';
import { bytesPerElement, declared } from '../../../graph/dtype.js';
import type { UnaryFn } from '../../../graph/op.js';
import { numel, sameShape } from '../../../graph/shape.js';
import { hasBackward, unaryFunctions } from '../../../graph/unaryFunctions.js';
import { plainLayout } from '../backend.js';
import { args, type BinaryKernel, describe, MemoryDesc, Primitive } from '../ffi.js';
import { type Lower, type Lowering, numbersForNaN } from '../lowering.js';
import { isInexact } from '../processor.js';
import { derived, nameWith, postOpsOf, required, seenAs } from './common.js';

function eltwise(context: Lowering, node: GraphNode, fn: UnaryFn | 'linear', alpha: number, beta: number): void {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const own = context.locate(x);
  // Padding must stay zero. If the function of 0 is not 0, the library uses slow loops.
  const src = own.layout.isPadded() && !keepsZero(fn, beta) ? context.plain(x) : own;
  const primitive = required(Primitive.create(describe.eltwiseForward(fn, src.layout, alpha, beta)), fn);
  const name = fn === 'linear' ? 'affine' : fn;
  context.call(name, primitive, [[args.src, src]], [[args.dst, context.inPlace(x, src, y)]]);
}

function keepsZero(fn: UnaryFn | 'linear', shift: number): boolean {
  return fn === 'linear' ? shift === 0 : unaryFunctions[fn].keepsZero;
}

export const unary: Lower<'unary'> = (context, node) => {
  const { fn, alpha } = node.params;
  if (isInexact(fn) || (numbersForNaN.has(fn) && context.mustKeepNaN(node))) {
    context.fallback(node);
    return;
  }
  eltwise(context, node, fn, alpha, 0);
};

export const affine: Lower<'affine'> = (context, node) =>
  eltwise(context, node, 'linear', node.params.scale, node.params.shift);

export const unaryBackward: Lower<'unaryBackward'> = (context, node) => {
  const [dy, y] = node.inputs;
  const [dx] = node.outputs;
  const { fn, alpha } = node.params;
  if (!hasBackward(fn)) throw new InternalError(`unaryBackward of ${fn}`);
  const dst = context.locate(y);
  const diffDst = context.inLayout(dy, dst.layout);
  const diffSrc = context.inPlace(dy, diffDst, dx);
  const isFromInput = unaryFunctions[fn].gradFrom === 'input';
  // The library keeps padding zero by plain loops. It stays zero by itself, since dy is 0 there.
  const data = isFromInput && dst.layout.isPadded() ? flat(dst.layout) : dst.layout;
  const forward = describe.eltwiseForward(fn, data, alpha, 0);
  const primitive = derived(context, forward, describe.eltwiseBackward(fn, data, data, alpha), node.op);
  context.call(
    `${fn}Backward`,
    primitive,
    [
      [isFromInput ? args.src : args.dst, seenAs(dst, data)],
      [args.diffDst, seenAs(diffDst, data)],
    ],
    [[args.diffSrc, seenAs(diffSrc, data)]],
  );
};

/** The same memory as one row of elements, padding included. */
const flat = ({ size, dtype }: MemoryDesc): MemoryDesc => MemoryDesc.plain([size / bytesPerElement(dtype)], dtype);

const kernels = new Set<string>(['add', 'sub', 'mul', 'div', 'max', 'min'] satisfies BinaryKernel[]);
const commutative = new Set<string>(['add', 'mul', 'max', 'min']);

/** With fewer elements, a TypeScript loop ends before a kernel call begins. */
const tiny = 16;

/** Number of float32 in the widest vector. */
const vector = 16;

export const binary: Lower<'binary'> = (context, node) => {
  const [y] = node.outputs;
  const { fn, activation } = node.params;
  let [a, b] = node.inputs;
  // The library broadcasts its second operand only.
  if (!sameShape(a.shape, y.shape) && commutative.has(fn)) [a, b] = [b, a];
  const supported =
    kernels.has(fn) && declared(y.dtype) === 'float32' && numel(y.shape) > tiny && sameShape(a.shape, y.shape);
  const losesNaN = fn === 'max' || fn === 'min' || (activation !== undefined && numbersForNaN.has(activation.fn));
  const own = supported && !(losesNaN && context.mustKeepNaN(node)) ? context.locate(a) : null;
  if (own === null || own.layout.shape.length !== y.shape.length) {
    context.fallback(node);
    return;
  }
  // With an activation, oneDNN 2.6 computes blocks wrongly if they are no whole vectors, and writes past the
  // end.
  const breaks = activation !== undefined && y.shape[1] % vector !== 0 && !own.layout.isPlain();
  const left = breaks ? context.plain(a) : own;
  const full = sameShape(b.shape, y.shape);
  const rightDesc = full ? left.layout : plainLayout({ shape: padded(b, y.shape.length), dtype: 'float32' });
  const operation = describe.binary(fn as BinaryKernel, left.layout, rightDesc, left.layout);
  const primitive = Primitive.create(operation, { postOps: postOpsOf(activation) });
  // The library's plain loop is slower than our loop.
  if (primitive === null || primitive.family === 'reference') {
    primitive?.destroy();
    context.fallback(node);
    return;
  }
  const right = context.inLayout(b, rightDesc);
  context.call(
    nameWith(fn, activation),
    primitive,
    [
      [args.src, left],
      [args.src1, right],
    ],
    [[args.dst, context.inPlace(a, left, y)]],
  );
};

/** The shape with leading axes of size 1 added, as in broadcasting. */
function padded({ shape }: GraphValue, rank: number): number[] {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape];
}

/** With fewer elements, a TypeScript loop is as fast. */
const smallReduction = 1024;

export const reduce: Lower<'reduce'> = (context, node) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const { fn, axes } = node.params;
  const src = context.locate(x);
  const isSmall = numel(x.shape) < smallReduction || src.layout.shape.length !== x.shape.length;
  if (isSmall || ((fn === 'max' || fn === 'min') && context.mustKeepNaN(node))) {
    context.fallback(node);
    return;
  }
  const kept = MemoryDesc.plain(
    x.shape.map((size, i) => (axes.includes(i) ? 1 : size)),
    'float32',
  );
  const primitive = Primitive.create(describe.reduction(fn, src.layout, kept));
  if (primitive === null) {
    context.fallback(node);
    return;
  }
  const placed = context.output(y, plainLayout(y));
  context.call(fn, primitive, [[args.src, src]], [[args.dst, { buffer: placed.buffer, layout: kept }]]);
};
