import type { GraphNode, GraphValue } from '../../../compiler/graph.js';
import type { OpParams } from '../../../graph/op.js';
import { numel } from '../../../graph/shape.js';
import {
  type LayerNormSpec,
  layerNormBackward as layerNormBackwardCode,
  layerNormForward,
  layerNormSpec,
  sumBytes,
} from '../code/layerNorm.js';
import { Normalization } from '../code/norm.js';
import { normBackward, normBackwardOfSum } from '../code/normBackward.js';
import { normForward } from '../code/normForward.js';
import type { NormSpec } from '../code/normPasses.js';
import { args, describe, MemoryDesc, type NormFlags, Primitive } from '../ffi.js';
import type { Lower, Lowering, Operand } from '../lowering.js';
import { required } from './common.js';

const affineFlags: NormFlags = { scale: true, shift: true };

const rectified = { fn: 'relu', alpha: 0 } as const;

/**
 * Blocks of 4 channels, from convolutions with 4 channels per group. oneDNN 2.6 computes their statistics in
 * a slow loop.
 */
const hasBlocksOf4 = ({ blocks }: MemoryDesc) => blocks.at(-1)?.axis === 1 && blocks.at(-1)?.size === 4;

function placeToNormalize(context: Lowering, x: GraphValue): Operand {
  const own = context.withOwnAxes(x);
  return hasBlocksOf4(own.layout) ? context.plain(x) : own;
}

const working = (context: Lowering, layout: MemoryDesc): Operand => ({ buffer: context.scratch(layout.size), layout });

export const batchNorm: Lower<'batchNorm'> = (context, node) => {
  const [x, mean, variance, scale, shift] = node.inputs;
  const [y] = node.outputs;
  const { epsilon, relu = false } = node.params;
  const src = placeToNormalize(context, x);
  const operation = describe.normForward('inference', src.layout, epsilon, {
    ...affineFlags,
    globalStatistics: true,
    relu,
  });
  const primitive = required(Primitive.create(operation), node.op);
  if (relu) context.activates(node, rectified, primitive);
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
    [[args.dst, context.inPlace(x, src, y)]],
  );
};

/** A result with a number for each channel; the code writes whole vectors. */
function perChannelResult(context: Lowering, value: GraphValue, { perChannel }: Normalization): Operand {
  const operand = { buffer: context.scratch(perChannel.size), layout: MemoryDesc.plain(value.shape, 'float32') };
  context.define(value, operand);
  return operand;
}

/** Facts about a batch norm's forward kernel that its backward kernel needs. */
class OwnForward {
  constructor(
    readonly code: Normalization,
    readonly layout: MemoryDesc,
  ) {}
}

const forwardCode = (spec: NormSpec) => normForward(new Normalization(spec));
const backwardCode = (spec: NormSpec) => normBackward(new Normalization(spec));
const backwardCodeOfSum = (spec: NormSpec, isSum: boolean) => normBackwardOfSum(new Normalization(spec), isSum);

export const batchNormTrain: Lower<'batchNormTrain'> = (context, node) => {
  const [x, scale, shift, summand] = node.inputs;
  const [y, mean, variance, mask] = node.outputs;
  const { epsilon, relu = false, gate } = node.params;
  const perChannel = MemoryDesc.plain(mean.shape, 'float32');
  const after = { epsilon, relu, gate, sum: summand !== undefined };
  let src = placeToNormalize(context, x);
  let own = Normalization.create(src.layout, after);
  // The library's batch norm cannot add a summand, and has no gates.
  if (own === null && (after.sum || gate !== undefined)) {
    src = context.inLayout(x, MemoryDesc.channelsLast(x.shape, src.layout.dtype));
    own = required(Normalization.create(src.layout, after), node.op);
  }
  if (own !== null) {
    const added = after.sum ? context.inLayout(summand, src.layout) : null;
    const written = [
      added === null ? context.output(y, src.layout) : context.inPlace(summand, added, y),
      working(context, own.sums),
      context.output(mask, own.factor),
      perChannelResult(context, mean, own),
      perChannelResult(context, variance, own),
    ];
    const [dst, sums, factor, ...statistics] = written;
    const operands = [src, dst, sums, factor, context.plain(scale), context.plain(shift), ...statistics];
    if (added !== null) operands.push(added);
    else if (own.spec.padded) operands.push(src);
    if (own.spec.padded) {
      operands.push({ buffer: context.constant(own.present(x.shape[1])), layout: own.perChannel });
    }
    const name = `${node.op}${after.sum ? '+add' : ''}${relu ? '+relu' : ''}${gate === undefined ? '' : `+${gate}`}`;
    context.code(name, context.generate(forwardCode, own.spec), operands, written);
    context.rememberForward(mask, new OwnForward(own, src.layout));
    return;
  }
  const operation = describe.normForward('training', src.layout, epsilon, { ...affineFlags, relu });
  const primitive = required(Primitive.create(operation), node.op);
  if (relu) context.activates(node, rectified, primitive);
  const writes: [number, Operand][] = [
    [args.dst, context.output(y, src.layout)],
    [args.mean, context.output(mean, perChannel)],
    [args.variance, context.output(variance, perChannel)],
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
  const perChannel = MemoryDesc.plain(mean.shape, 'float32');
  const own = context.forwardOf(mask, OwnForward);
  if (own !== undefined) {
    backwardByCode(context, node, own);
    return;
  }
  const src = placeToNormalize(context, x);
  const diffDst = context.inLayout(dy, src.layout);
  const operation = describe.normBackward(src.layout, src.layout, epsilon, { ...affineFlags, relu });
  const primitive = required(Primitive.create(operation, {}, context.forwardOf(mask, Primitive) ?? null), node.op);
  const reads: [number, Operand][] = [
    [args.src, src],
    [args.mean, context.plain(mean)],
    [args.variance, context.plain(variance)],
    [args.scale, context.plain(scale)],
    [args.diffDst, diffDst],
  ];
  if (primitive.optionalLayout('workspace') !== null) reads.push([args.workspace, context.locate(mask)]);
  // The formula does not use the shift. oneDNN 2.6 does not run without it, and 3.x does not run with it.
  if (primitive.inputCount > reads.length) reads.push([args.shift, context.plain(shift)]);
  context.call(relu ? 'batchNormBackward+relu' : 'batchNormBackward', primitive, reads, [
    [args.diffSrc, context.output(dx, src.layout)],
    [args.diffScale, context.output(dScale, perChannel)],
    [args.diffShift, context.output(dShift, perChannel)],
  ]);
};

/** The gradients overwrite the arrays that they are computed from, if no other step needs these. */
function backwardByCode(
  context: Lowering,
  node: GraphNode<'batchNormBackward'>,
  { code: own, layout }: OwnForward,
): void {
  const [x, mean, variance, , shift, dy, mask, y, dy2] = node.inputs;
  const [dx, dScale, dShift, gradient] = node.outputs;
  const src = context.inLayout(x, layout);
  const placed = (value: GraphValue) => context.inLayout(value, layout);
  const [diffDst, second] = [placed(dy), dy2 === undefined ? null : placed(dy2)];
  const ofSum = y === undefined ? null : { y: placed(y), gradient: context.inPlace(dy, diffDst, gradient) };
  const [replaced, place] = ofSum === null ? [dy, diffDst] : [dy2, second];
  const written = [
    place === null ? context.output(dx, layout) : context.inPlace(replaced, place, dx),
    working(context, own.sums),
    working(context, own.coefficients),
    perChannelResult(context, dScale, own),
    perChannelResult(context, dShift, own),
  ];
  const [diffSrc, sums, coefficients, ...gradients] = written;
  const perChannels = [mean, variance, shift].map((value) => context.plain(value));
  const operands = [src, diffDst, diffSrc, sums, coefficients, context.locate(mask), ...perChannels, ...gradients];
  const { relu = false, gate } = node.params;
  const name = `${node.op}${relu ? '+relu' : ''}${gate === undefined ? '' : `+${gate}`}`;
  if (ofSum === null) {
    context.code(name, context.generate(backwardCode, own.spec), operands, written);
    return;
  }
  const isSum = second !== null;
  operands.push(ofSum.y, ofSum.gradient, ...(isSum ? [second] : []));
  const code = context.generate(backwardCodeOfSum, own.spec, isSum);
  context.code(isSum ? `add+${name}` : name, code, operands, [...written, ofSum.gradient]);
}

/** Where the rows are, in a layout for the code; plain features are copied to one with channels last. */
function rowsOf(
  context: Lowering,
  x: GraphValue,
  { axis, epsilon }: OpParams['layerNorm'],
): { readonly src: Operand; readonly spec: LayerNormSpec } | null {
  const own = context.withOwnAxes(x);
  const spec = layerNormSpec(own.layout, x.shape, axis, epsilon);
  if (spec !== null) return { src: own, spec };
  const isFeatures = axis === 1 && x.shape.length === 4;
  const layout = isFeatures ? MemoryDesc.channelsLast(x.shape, 'float32') : MemoryDesc.plain(x.shape, 'float32');
  const other = layerNormSpec(layout, x.shape, axis, epsilon);
  return other === null ? null : { src: context.inLayout(x, layout), spec: other };
}

export const layerNorm: Lower<'layerNorm'> = (context, node) => {
  const [x, scale, shift] = node.inputs;
  const [y, mean, inverse] = node.outputs;
  const found = rowsOf(context, x, node.params);
  if (found === null) {
    context.fallback(node);
    return;
  }
  const { src, spec } = found;
  const statistics = MemoryDesc.plain(mean.shape, 'float32');
  const written = [context.inPlace(x, src, y), context.output(mean, statistics), context.output(inverse, statistics)];
  const operands = [src, context.plain(scale), context.plain(shift), ...written];
  context.code(node.op, context.generate(layerNormForward, spec), operands, written);
};

export const layerNormBackward: Lower<'layerNormBackward'> = (context, node) => {
  const [x, mean, inverse, scale, dy] = node.inputs;
  const [dx, dScale, dShift] = node.outputs;
  const found = rowsOf(context, x, node.params);
  if (found === null) {
    context.fallback(node);
    return;
  }
  const { src, spec } = found;
  const diffDst = context.inLayout(dy, src.layout);
  const factors = MemoryDesc.plain(scale.shape, 'float32');
  const sums = working(context, MemoryDesc.plain([sumBytes(spec) / 4], 'float32'));
  const written = [
    context.inPlace(dy, diffDst, dx),
    context.output(dScale, factors),
    context.output(dShift, factors),
    sums,
  ];
  const operands = [src, context.plain(mean), context.plain(inverse), context.plain(scale), diffDst, ...written];
  context.code(node.op, context.generate(layerNormBackwardCode, spec), operands, written);
};

/** With fewer elements, a TypeScript loop ends before a kernel call begins. */
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
  const sameRank = src.layout.shape.length === x.shape.length;
  const primitive =
    sameRank && !context.mustKeepNaN(node)
      ? Primitive.create(describe.softmaxForward(kindOf(log), src.layout, src.layout, axis))
      : null;
  if (primitive === null) {
    context.fallback(node);
    return;
  }
  context.call(kindOf(log), primitive, [[args.src, src]], [[args.dst, context.output(y, src.layout)]]);
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
  const sameRank = dst.layout.shape.length === y.shape.length;
  const hint = sameRank ? Primitive.create(describe.softmaxForward(kind, dst.layout, dst.layout, axis)) : null;
  const primitive =
    hint === null
      ? null
      : Primitive.create(
          describe.softmaxBackward(kind, dst.layout, dst.layout, dst.layout, axis),
          {},
          context.own(hint),
        );
  if (primitive === null) {
    context.fallback(node);
    return;
  }
  context.call(
    `${kind}Backward`,
    primitive,
    [
      [args.dst, dst],
      [args.diffDst, context.inLayout(dy, dst.layout)],
    ],
    [[args.diffSrc, context.output(dx, dst.layout)]],
  );
};
