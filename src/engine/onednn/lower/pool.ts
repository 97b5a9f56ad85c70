import type { GraphNode } from '../../../compiler/graph.js';
import { InternalError } from '../../../errors.js';
import type { Pool2dParams } from '../../../graph/op.js';
import { MaxPooling } from '../code/pool.js';
import { args, describe, MemoryDesc, type PoolGeometry, type Pooling, Primitive } from '../ffi.js';
import type { Lower, Lowering, Operand } from '../lowering.js';
import { codeLanes } from '../processor.js';

function geometryOf({ kernel, stride, padding }: Pool2dParams): PoolGeometry {
  const [top, bottom, left, right] = padding;
  return { kernel, stride, padBefore: [top, left], padAfter: [bottom, right] };
}

function forward(context: Lowering, node: GraphNode<'maxPool2d' | 'avgPool2d'>, pooling: Pooling): void {
  const [x] = node.inputs;
  const [y, argmax] = node.outputs;
  const src = context.withOwnAxes(x);
  const trains = argmax !== undefined && context.isUsed(argmax);
  const operation = describe.poolForward(
    trains ? 'training' : 'inference',
    pooling,
    src.layout,
    MemoryDesc.any(y.shape, src.layout.dtype),
    geometryOf(node.params),
  );
  const primitive = Primitive.create(operation);
  if (primitive === null) {
    context.fallback(node);
    return;
  }
  const writes: [number, Operand][] = [[args.dst, context.output(y, primitive.layout('dst'))]];
  if (trains) {
    writes.push([args.workspace, context.output(argmax, primitive.layout('workspace'))]);
    context.rememberForward(argmax, primitive);
  }
  context.call(node.op, primitive, [[args.src, src]], writes);
}

export const maxPool2d: Lower<'maxPool2d'> = (context, node) => {
  const [y, argmax] = node.outputs;
  const own = ownPooling(context, node);
  if (own === null) {
    if (context.mustKeepNaN(node)) context.fallback(node);
    else forward(context, node, 'max');
    return;
  }
  const trains = context.isUsed(argmax);
  const writes = [context.output(y, own.y)];
  if (trains) {
    writes.push(context.output(argmax, own.code.positions));
    context.rememberForward(argmax, own);
  }
  const [dst, ...positions] = writes;
  const src = context.inLayout(node.inputs[0], own.x);
  context.code(node.op, own.code.forward(trains), [dst, src, ...positions], writes);
};

/** Machine code for a max pooling, and the layouts of its input and output. */
class OwnPooling {
  constructor(
    readonly code: MaxPooling,
    readonly x: MemoryDesc,
    readonly y: MemoryDesc,
  ) {}
}

/**
 * Products of matrices give plain features, which the library pools one by one. To copy them for the code
 * takes a fraction of that.
 */
function layoutToPool({ layout }: Operand): MemoryDesc {
  const { shape, dtype } = layout;
  if (dtype !== 'float32' && dtype !== 'bfloat16') return layout;
  const lanes = codeLanes(dtype);
  const isCopied = lanes !== null && shape[1] % lanes === 0 && layout.isPlain();
  return isCopied ? MemoryDesc.channelsLast(shape, dtype) : layout;
}

/**
 * In training the library writes the positions of the maxima one by one, which takes most of its time. With
 * bfloat16, and where windows overlap, it is also much slower than the memory.
 */
function ownPooling(context: Lowering, { inputs, outputs, params }: GraphNode<'maxPool2d'>): OwnPooling | null {
  const src = layoutToPool(context.withOwnAxes(inputs[0]));
  const any = MemoryDesc.any(outputs[0].shape, src.dtype);
  const primitive = Primitive.create(describe.poolForward('inference', 'max', src, any, geometryOf(params)));
  if (primitive === null) return null;
  const dst = primitive.layout('dst');
  primitive.destroy();
  const code = MaxPooling.create(src, dst, params);
  return code === null ? null : new OwnPooling(code, src, dst);
}

const average = (params: { readonly countIncludePad: boolean }): Pooling =>
  params.countIncludePad ? 'avgIncludePad' : 'avgExcludePad';

export const avgPool2d: Lower<'avgPool2d'> = (context, node) => forward(context, node, average(node.params));

export const maxPool2dBackward: Lower<'maxPool2dBackward'> = (context, node) => {
  const [dy, argmax] = node.inputs;
  const [dx] = node.outputs;
  const own = context.forwardOf(argmax, OwnPooling);
  if (own !== undefined) {
    const { code, x, y } = own;
    const diffDst = context.inLayout(dy, y);
    const diffSrc = context.output(dx, x);
    context.code(node.op, code.backward(), [diffSrc, diffDst, context.locate(argmax)], [diffSrc]);
    return;
  }
  const hint = context.forwardOf(argmax, Primitive);
  if (hint === undefined) {
    context.fallback(node);
    return;
  }
  const diffSrc = hint.layout('src');
  const diffDst = hint.layout('dst');
  const operation = describe.poolBackward('max', diffSrc, diffDst, geometryOf(node.params));
  const primitive = Primitive.create(operation, {}, hint);
  // The workspace is in the library's own format, so no other kernel can read it.
  if (primitive === null) throw new InternalError('oneDNN has no backward kernel for its max pooling');
  context.call(
    node.op,
    primitive,
    [
      [args.diffDst, context.inLayout(dy, diffDst)],
      [args.workspace, context.locate(argmax)],
    ],
    [[args.diffSrc, context.output(dx, primitive.layout('diffSrc'))]],
  );
};

export const avgPool2dBackward: Lower<'avgPool2dBackward'> = (context, node) => {
  const [dy] = node.inputs;
  const [dx] = node.outputs;
  const pooling = average(node.params);
  const own = context.withOwnAxes(dy);
  const primitiveFor = (layout: MemoryDesc) =>
    Primitive.create(
      describe.poolBackward(pooling, MemoryDesc.any(dx.shape, layout.dtype), layout, geometryOf(node.params)),
    );
  // The library has only plain loops for some channels that do not fill a vector, and for plain features.
  const layouts = [
    own.layout,
    MemoryDesc.plain(dy.shape, own.layout.dtype),
    MemoryDesc.channelsLast(dy.shape, own.layout.dtype),
  ];
  let primitive: Primitive | null = null;
  let layout = own.layout;
  for (const tried of layouts) {
    const found = primitiveFor(tried);
    if (found === null || (primitive !== null && found.family === 'reference')) {
      found?.destroy();
      continue;
    }
    primitive?.destroy();
    [primitive, layout] = [found, tried];
    if (found.family !== 'reference') break;
  }
  if (primitive === null) {
    context.fallback(node);
    return;
  }
  const diffDst = context.inLayout(dy, layout);
  const diffSrc = context.output(dx, primitive.layout('diffSrc'));
  context.call(node.op, primitive, [[args.diffDst, diffDst]], [[args.diffSrc, diffSrc]]);
};
