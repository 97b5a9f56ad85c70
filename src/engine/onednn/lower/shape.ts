import type { GraphNode } from '../../../compiler/graph.js';
import { allocate, type StoredDType } from '../../../graph/dtype.js';
import { numel, stridesOf } from '../../../graph/shape.js';
import { plainLayout } from '../backend.js';
import { args, MemoryDesc, multipleSrc, Primitive } from '../ffi.js';
import type { Lower, Lowering, Operand } from '../lowering.js';

export const constant: Lower<'constant'> = (context, node) => {
  const [y] = node.outputs;
  const { value, dtype } = node.params;
  const contents = allocate(dtype, numel(y.shape)).fill(value);
  context.define(y, { buffer: context.constant(contents), layout: plainLayout(y) });
};

/** This is no work: the same memory is read with other axes. */
export const reshape: Lower<'reshape'> = (context, node) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const to = plainLayout(y).withType(context.locate(x).layout.dtype);
  const from = context.inLayout(x, plainLayout(x).withType(to.dtype));
  context.define(y, { buffer: from.buffer, layout: to });
};

export const transpose: Lower<'transpose'> = (context, node) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const src = context.plain(x);
  const to = plainLayout(y);
  if (to.shape.length !== y.shape.length) {
    context.fallback(node);
    return;
  }
  const strides = stridesOf(x.shape);
  const view = MemoryDesc.strided(
    y.shape,
    node.params.permutation.map((axis) => strides[axis]),
    src.layout.dtype,
  );
  const primitive = Primitive.reorder(view, to);
  if (primitive === null) {
    context.fallback(node);
    return;
  }
  const dst = context.output(y, to);
  context.call('transpose', primitive, [[args.src, { buffer: src.buffer, layout: view }]], [[args.dst, dst]]);
};

export const concat: Lower<'concat'> = (context, node) => {
  const [y] = node.outputs;
  const own = node.inputs.map((input) => context.locate(input));
  // The library joins inputs of one type only. If their types differ, all become the type of the result.
  const isMixed = own.some(({ layout }) => layout.dtype !== own[0].layout.dtype);
  const type = isMixed ? (y.dtype as StoredDType) : own[0].layout.dtype;
  const inputs = node.inputs.map((input, i) => context.inLayout(input, own[i].layout.withType(type)));
  const sameRank = inputs.every(({ layout }) => layout.shape.length === y.shape.length);
  const primitive = sameRank
    ? Primitive.concat(
        inputs.map(({ layout }) => layout),
        node.params.axis,
      )
    : null;
  if (primitive === null) {
    context.fallback(node);
    return;
  }
  const layout = primitive.layout('dst');
  if (liesInOrder(node, inputs, layout) && context.asSlices(node.inputs, y, layout)) {
    primitive.destroy();
    return;
  }
  const reads = inputs.map((input, i) => [multipleSrc(i), input] as const);
  context.call('concat', primitive, reads, [[args.dst, context.output(y, layout)]]);
};

/**
 * Whether each input is one piece of the joined memory, one after another. This is so for the channels of a
 * single image, unless they are innermost.
 */
function liesInOrder(
  { params, outputs: [y] }: GraphNode<'concat'>,
  inputs: readonly Operand[],
  layout: MemoryDesc,
): boolean {
  const [first, second] = layout.order;
  const { axis } = params;
  const isOutermost =
    axis === 0 ? first === 0 : axis === 1 && y.shape[0] === 1 && first === 0 && !layout.isBlocked(0) && second === 1;
  const layouts = [...inputs.map((input) => input.layout), layout];
  return isOutermost && layouts.every((other) => other.isArrangedAs(layout) && !other.isPadded());
}

export const slice: Lower<'slice'> = (context, node) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const { starts, sizes } = node.params;
  const src = context.locate(x);
  if (isPart(node) && src.layout.isPlain() && src.layout.shape.length === x.shape.length) {
    const offset = (src.layout.size / x.shape[0]) * starts[0];
    if (context.asPart(x, y, offset, plainLayout(y).withType(src.layout.dtype))) return;
  }
  const box = src.layout.shape.length === x.shape.length ? src.layout.sub(sizes, starts) : null;
  const layout = box === null ? null : denseLike(context, box);
  const primitive = box === null || layout === null ? null : Primitive.reorder(box, layout);
  if (box === null || layout === null || primitive === null) {
    context.fallback(node);
    return;
  }
  const dst = context.output(y, layout);
  context.call('slice', primitive, [[args.src, { buffer: src.buffer, layout: box }]], [[args.dst, dst]]);
};

/** Whether the slice takes whole entries of the first axis. */
const isPart = ({ params: { sizes }, inputs: [x] }: GraphNode<'slice'>): boolean =>
  sizes.every((size, axis) => axis === 0 || size === x.shape[axis]);

/**
 * The box with the same blocks and order of axes, but without gaps: the layout into which the library would
 * join boxes.
 */
export function denseLike(context: Lowering, box: MemoryDesc): MemoryDesc | null {
  const joined = Primitive.concat([box], 0);
  return joined === null ? null : context.own(joined).layout('dst');
}
