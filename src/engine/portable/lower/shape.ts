import type { GraphNode } from '../../../compiler/graph.js';
import { allocate } from '../../../graph/dtype.js';
import { numel, type Shape, stridesOf } from '../../../graph/shape.js';
import { plainType } from '../../planned/layout.js';
import { type CopyAxis, copyKernel } from '../kernels/copy.js';
import { Layout } from '../layout.js';
import type { Lower, Lowering, Operand } from '../lowering.js';

export const constant: Lower<'constant'> = (context, node) => {
  const [y] = node.outputs;
  const { value, dtype } = node.params;
  const contents = allocate(dtype, numel(y.shape)).fill(value);
  context.define(y, { buffer: context.constant(contents), layout: Layout.plain(y.shape, dtype) });
};

/** This is no work: the same memory is read with other axes. */
export const reshape: Lower<'reshape'> = (context, node) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  context.define(y, { buffer: context.plain(x).buffer, layout: Layout.plain(y.shape, plainType(y.dtype)) });
};

/** Kernels move elements of four bytes. */
const hasKernel = (node: GraphNode): boolean => node.outputs[0].dtype !== 'uint8';

/** The layout in which a box of another one has the same order of axes. */
function likewise({ layout }: Operand, shape: Shape): Layout {
  return new Layout(shape, layout.dtype, layout.order);
}

/** Copies a box between two layouts without blocks; `from` and `to` are its first elements. */
function copyBox(
  context: Lowering,
  node: GraphNode,
  [source, target]: readonly [Operand, Operand],
  [from, to]: readonly [readonly number[], readonly number[]],
  sizes: Shape,
): void {
  const strides = [source, target].map(({ layout }) => layout.strides);
  const axes = sizes.map((length, i): CopyAxis => ({ length, from: strides[0][i], to: strides[1][i], block: 0 }));
  const place = (side: 0 | 1, starts: readonly number[]) =>
    starts.reduce((sum, start, i) => sum + start * strides[side][i].outer, 0);
  const kernel = context.generate(copyKernel, { axes, from: place(0, from), to: place(1, to), cleared: 0 });
  context.run(node.op, kernel, [source], [target]);
}

/** The value in its own order of axes, if that has no blocks. */
function ordered(context: Lowering, node: GraphNode, input: number): Operand {
  const value = node.inputs[input];
  const own = context.withOwnAxes(value);
  return own.layout.block === null ? own : context.plain(value);
}

export const slice: Lower<'slice'> = (context, node) => {
  const [y] = node.outputs;
  const { starts, sizes } = node.params;
  if (!hasKernel(node as GraphNode)) {
    context.fallback(node as GraphNode);
    return;
  }
  const source = ordered(context, node as GraphNode, 0);
  const target = context.output(y, likewise(source, y.shape));
  copyBox(context, node as GraphNode, [source, target], [starts, starts.map(() => 0)], sizes);
};

export const concat: Lower<'concat'> = (context, node) => {
  const [y] = node.outputs;
  const { axis } = node.params;
  if (!hasKernel(node as GraphNode)) {
    context.fallback(node as GraphNode);
    return;
  }
  const first = ordered(context, node as GraphNode, 0);
  const layout = likewise(first, y.shape);
  const inputs = node.inputs.map((input) => context.inLayout(input, likewise(first, input.shape)));
  const outermost = layout.order.slice(0, layout.order.indexOf(axis));
  const isJoined = outermost.every((other) => y.shape[other] === 1);
  const isInPlace = inputs.every((input, i) => input === context.locate(node.inputs[i]));
  if (isJoined && isInPlace && context.asSlices(node.inputs, y, layout)) return;
  const target = context.output(y, layout);
  let start = 0;
  inputs.forEach((source, i) => {
    const { shape } = node.inputs[i];
    const to = shape.map((_, other) => (other === axis ? start : 0));
    copyBox(context, node as GraphNode, [source, target], [shape.map(() => 0), to], shape);
    start += shape[axis];
  });
};

export const transpose: Lower<'transpose'> = (context, node) => {
  const [y] = node.outputs;
  const { permutation } = node.params;
  if (!hasKernel(node as GraphNode)) {
    context.fallback(node as GraphNode);
    return;
  }
  const source = ordered(context, node as GraphNode, 0);
  const target = context.output(y, Layout.plain(y.shape, plainType(y.dtype)));
  const { strides } = source.layout;
  const plain = stridesOf(y.shape);
  const axes = y.shape.map(
    (length, i): CopyAxis => ({
      length,
      from: strides[permutation[i]],
      to: { outer: plain[i], inner: 0 },
      block: 0,
    }),
  );
  context.run(node.op, context.generate(copyKernel, { axes, from: 0, to: 0, cleared: 0 }), [source], [target]);
};
