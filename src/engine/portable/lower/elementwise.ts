import type { GraphValue } from '../../../compiler/graph.js';
import type { ArithmeticFn } from '../../../graph/op.js';
import { numel, sameShape } from '../../../graph/shape.js';
import { hasBackward } from '../../../graph/unaryFunctions.js';
import {
  affineKernel,
  binaryKernel,
  hasKernel,
  type Single,
  unaryBackwardKernel,
  unaryKernel,
} from '../kernels/elementwise.js';
import { type Lower, type Lowering, nameOf, type Operand } from '../lowering.js';

/** The value in its own layout, unless that has padding, which must stay zero. */
function unpadded(context: Lowering, value: GraphValue): Operand {
  const own = context.locate(value);
  return own.layout.isPadded ? context.plain(value) : own;
}

export const unary: Lower<'unary'> = (context, node) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  if (!hasKernel(node.params.fn)) {
    context.fallback(node);
    return;
  }
  const source = unpadded(context, x);
  const kernel = context.generate(unaryKernel, numel(y.shape), node.params);
  context.run(node.params.fn, kernel, [source], [context.inPlace(x, source, y)]);
};

export const affine: Lower<'affine'> = (context, node) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const { scale, shift } = node.params;
  const source = unpadded(context, x);
  context.run('affine', affineKernel(numel(y.shape), scale, shift), [source], [context.inPlace(x, source, y)]);
};

export const unaryBackward: Lower<'unaryBackward'> = (context, node) => {
  const [dy, y] = node.inputs;
  const [dx] = node.outputs;
  const { fn, alpha } = node.params;
  if (!hasBackward(fn)) {
    context.fallback(node);
    return;
  }
  const result = unpadded(context, y);
  const gradient = context.inLayout(dy, result.layout);
  const kernel = context.generate(unaryBackwardKernel, numel(dx.shape), fn, alpha);
  context.run(`${fn}Backward`, kernel, [gradient, result], [context.inPlace(dy, gradient, dx)]);
};

const arithmetic = new Set<string>(['add', 'sub', 'mul', 'div', 'max', 'min'] satisfies ArithmeticFn[]);

export const binary: Lower<'binary'> = (context, node) => {
  const [a, b] = node.inputs;
  const [y] = node.outputs;
  const { fn, activation } = node.params;
  const isWhole = (shape: readonly number[]) => sameShape(shape, y.shape);
  const isSingle = (shape: readonly number[]) => numel(shape) === 1;
  const single: Single | undefined =
    isWhole(a.shape) && isWhole(b.shape)
      ? null
      : isWhole(a.shape) && isSingle(b.shape)
        ? 'b'
        : isWhole(b.shape) && isSingle(a.shape)
          ? 'a'
          : undefined;
  const isFloat = [a, b, y].every(({ dtype }) => dtype === 'float32');
  if (!isFloat || !arithmetic.has(fn) || single === undefined) {
    context.fallback(node);
    return;
  }
  const [main, other] = single === 'a' ? [b, a] : [a, b];
  const source = unpadded(context, main);
  const second = single === null ? context.inLayout(other, source.layout) : context.plain(other);
  const kernel = context.generate(binaryKernel, numel(y.shape), fn as ArithmeticFn, activation, single);
  const target = context.inPlace(main, source, y);
  context.run(nameOf(node).replace('binary', fn), kernel, [source, second], [target]);
};
