import type { GraphValue } from '../../../compiler/graph.js';
import { numel } from '../../../graph/shape.js';
import { args, describe, MemoryDesc, type NormFlags, Primitive } from '../ffi.js';
import { Normalization } from '../jit/norm.js';
import type { Lower, Lowering } from '../lowering.js';
import type { Placed } from '../steps.js';
import { required } from './conv.js';

const affineFlags: NormFlags = { scale: true, shift: true };

/** Blocks of 4 channels, as convolutions of 4 channels a group make them: 2.6 has a slow loop for their statistics. */
const blocksOf4 = /4b(:|$)/;

function placeToNormalize(context: Lowering, x: GraphValue): Placed {
  const own = context.withOwnAxes(x);
  return blocksOf4.test(own.desc.toString()) ? context.plain(x) : own;
}

const working = (context: Lowering, desc: MemoryDesc): Placed => ({ buffer: context.buffer(desc.size), desc });

export const batchNorm: Lower<'batchNorm'> = (context, node) => {
  const [x, mean, variance, scale, shift] = node.inputs;
  const [y] = node.outputs;
  const { epsilon, relu = false } = node.params;
  const src = placeToNormalize(context, x);
  const opDesc = describe.normForward('inference', src.desc, epsilon, { ...affineFlags, globalStatistics: true, relu });
  const primitive = required(Primitive.create(opDesc), node.op);
  context.call(
    relu ? 'batchNorm+relu' : 'batchNorm',
    primitive,
    [
      [args.src, src],
      [args.mean, context.plain(mean)],
      [args.variance, context.plain(variance)],
      [args.scale, context.plain(scale)],
      [args.shift, context.plain(shift)],
    ],
    [[args.dst, context.overwriting(x, src, y)]],
  );
};

export const batchNormTrain: Lower<'batchNormTrain'> = (context, node) => {
  const [x, scale, shift] = node.inputs;
  const [y, mean, variance, mask] = node.outputs;
  const { epsilon, relu = false } = node.params;
  const src = placeToNormalize(context, x);
  const own = Normalization.create(src.desc, epsilon, relu);
  if (own !== null) {
    const perChannel = MemoryDesc.plain(mean.shape, 'float32');
    const written = [
      context.output(y, src.desc),
      working(context, own.sums),
      context.output(mask, own.factor),
      context.output(mean, perChannel),
      context.output(variance, perChannel),
    ];
    const [dst, sums, factor, ...statistics] = written;
    context.rememberForward(mask, own);
    const operands = [src, dst, sums, factor, context.plain(scale), context.plain(shift), ...statistics];
    context.code(relu ? `${node.op}+relu` : node.op, own.forward(), operands, written);
    return;
  }
  const opDesc = describe.normForward('training', src.desc, epsilon, { ...affineFlags, relu });
  const primitive = required(Primitive.create(opDesc), node.op);
  const statistics = MemoryDesc.plain(mean.shape, 'float32');
  const writes: [number, Placed][] = [
    [args.dst, context.output(y, src.desc)],
    [args.mean, context.output(mean, statistics)],
    [args.variance, context.output(variance, statistics)],
  ];
  const workspace = primitive.optionalLayout('workspace');
  if (workspace !== null) writes.push([args.workspace, context.output(mask, workspace)]);
  context.rememberForward(mask, primitive);
  context.call(
    relu ? 'batchNormTrain+relu' : 'batchNormTrain',
    primitive,
    [
      [args.src, src],
      [args.scale, context.plain(scale)],
      [args.shift, context.plain(shift)],
    ],
    writes,
  );
};

export const batchNormBackward: Lower<'batchNormBackward'> = (context, node) => {
  const [x, mean, variance, scale, shift, dy, mask] = node.inputs;
  const [dx, dScale, dShift] = node.outputs;
  const { epsilon, relu = false } = node.params;
  const src = placeToNormalize(context, x);
  const diffDst = context.inLayout(dy, src.desc);
  const own = context.forwardOf(mask, Normalization);
  if (own !== undefined) {
    const perChannel = MemoryDesc.plain(mean.shape, 'float32');
    const written = [
      context.output(dx, src.desc),
      working(context, own.sums),
      working(context, own.coefficients),
      context.output(dScale, perChannel),
      context.output(dShift, perChannel),
    ];
    const [diffSrc, sums, coefficients, ...gradients] = written;
    const perChannels = [mean, variance, shift].map((value) => context.plain(value));
    const operands = [src, diffDst, diffSrc, sums, coefficients, context.placeOf(mask), ...perChannels, ...gradients];
    context.code(relu ? `${node.op}+relu` : node.op, own.backward(), operands, written);
    return;
  }
  const opDesc = describe.normBackward(src.desc, src.desc, epsilon, { ...affineFlags, relu });
  const primitive = required(Primitive.create(opDesc, {}, context.forwardOf(mask, Primitive) ?? null), node.op);
  const perChannel = MemoryDesc.plain(mean.shape, 'float32');
  const reads: [number, Placed][] = [
    [args.src, src],
    [args.mean, context.plain(mean)],
    [args.variance, context.plain(variance)],
    [args.scale, context.plain(scale)],
    // Not used by the formula, but 2.6 refuses to run without it.
    [args.shift, context.plain(shift)],
    [args.diffDst, diffDst],
  ];
  if (primitive.optionalLayout('workspace') !== null) reads.push([args.workspace, context.placeOf(mask)]);
  context.call(relu ? 'batchNormBackward+relu' : 'batchNormBackward', primitive, reads, [
    [args.diffSrc, context.output(dx, src.desc)],
    [args.diffScale, context.output(dScale, perChannel)],
    [args.diffShift, context.output(dShift, perChannel)],
  ]);
};

/** Below this many elements a TypeScript loop is done before a kernel call has begun. */
const smallSoftmax = 256;

const kindOf = (log: boolean) => (log ? 'logSoftmax' : 'softmax');

export const softmax: Lower<'softmax'> = (context, node) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const { axis, log } = node.params;
  if (numel(x.shape) <= smallSoftmax) {
    context.fallback(node);
    return;
  }
  const src = context.withOwnAxes(x);
  const sameRank = src.desc.shape.length === x.shape.length;
  const primitive = sameRank ? Primitive.create(describe.softmaxForward(kindOf(log), src.desc, src.desc, axis)) : null;
  if (primitive === null) {
    context.fallback(node);
    return;
  }
  context.call(kindOf(log), primitive, [[args.src, src]], [[args.dst, context.output(y, src.desc)]]);
};

export const softmaxBackward: Lower<'softmaxBackward'> = (context, node) => {
  const [dy, y] = node.inputs;
  const [dx] = node.outputs;
  const { axis, log } = node.params;
  if (numel(y.shape) <= smallSoftmax) {
    context.fallback(node);
    return;
  }
  const dst = context.plain(y);
  const kind = kindOf(log);
  const sameRank = dst.desc.shape.length === y.shape.length;
  const hint = sameRank ? Primitive.create(describe.softmaxForward(kind, dst.desc, dst.desc, axis)) : null;
  const primitive =
    hint === null
      ? null
      : Primitive.create(describe.softmaxBackward(kind, dst.desc, dst.desc, dst.desc, axis), {}, context.own(hint));
  if (primitive === null) {
    context.fallback(node);
    return;
  }
  context.call(
    `${kind}Backward`,
    primitive,
    [
      [args.dst, dst],
      [args.diffDst, context.inLayout(dy, dst.desc)],
    ],
    [[args.diffSrc, context.output(dx, dst.desc)]],
  );
};
