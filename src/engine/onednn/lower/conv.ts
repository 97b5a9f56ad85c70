import type { GraphNode, GraphValue } from '../../../compiler/graph.js';
import { InternalError } from '../../../errors.js';
import type { Conv2dParams, OpParams, Spec } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import { DirectConvolution } from '../code/conv.js';
import { depthwiseSpec, depthwiseWeights } from '../code/depthwiseWeights.js';
import type { KernelCode } from '../code/kernel.js';
import {
  args,
  type ConvAlgorithm,
  type ConvGeometry,
  describe,
  type ForwardProp,
  MemoryDesc,
  type Operation,
  type PostOp,
  Primitive,
} from '../ffi.js';
import type { Lower, Lowering, Operand } from '../lowering.js';
import { biasDesc, nameWith, postOpsOf, seenAs, weightGradients } from './common.js';
import { winogradBackwardData, winogradBackwardWeights, winogradForward } from './ownWinograd.js';
import { isPointwiseProduct, pointwiseWeightGradient } from './pointwise.js';
import { bfloat16, float32, forwardTypes, type OperandTypes, typesFor } from './types.js';
import { coversImage, linearBackwardData, linearBackwardWeights, linearForward } from './wholeImage.js';
import { algorithmsFor, type ConvDirection, type ConvShape, isSmall } from './winograd.js';

function geometryOf({ stride, padding, dilation }: Conv2dParams): ConvGeometry {
  const [top, bottom, left, right] = padding;
  return {
    stride,
    dilation: dilation.map((n) => n - 1),
    padBefore: [top, left],
    padAfter: [bottom, right],
  };
}

/** In the library, the groups are an axis of their own. */
function weightAxes(shape: Shape, groups: number): Shape {
  return groups === 1 ? shape : [groups, shape[0] / groups, ...shape.slice(1)];
}

interface ConvDescs {
  readonly src: MemoryDesc;
  readonly weights: MemoryDesc;
  readonly bias: MemoryDesc;
  readonly dst: MemoryDesc;
}

interface ConvOperands {
  readonly x: Spec;
  readonly weight: Spec;
  readonly y: Spec;
  readonly groups: number;
  readonly bias: boolean;
}

/** The kernel chooses every layout. */
function openDescs({ x, weight, y, groups, bias }: ConvOperands, types: OperandTypes): ConvDescs {
  return {
    src: MemoryDesc.any(x.shape, types.src),
    weights: MemoryDesc.any(weightAxes(weight.shape, groups), types.weights),
    bias: biasDesc(weight.shape[0], bias),
    dst: MemoryDesc.any(y.shape, types.dst),
  };
}

/** The primitive of the best algorithm that the library has for this convolution. */
function best(
  context: Lowering,
  conv: ConvShape,
  types: OperandTypes,
  create: (algorithm: ConvAlgorithm, geometry: ConvGeometry) => Primitive | null,
): Primitive {
  const geometry = geometryOf(conv.params);
  // Winograd's kernels exist for float32 only.
  const asks = types === float32 && context.winograd === 'library';
  const algorithms = asks ? algorithmsFor(context.convolution, conv) : (['direct'] as const);
  for (const algorithm of algorithms) {
    const primitive = create(algorithm, geometry);
    if (primitive !== null) return primitive;
  }
  throw new InternalError(`oneDNN has no kernel for the ${conv.direction} direction of conv2d`);
}

/**
 * Winograd's forward kernel. Its weights are transformed once for many runs, into a layout that no other
 * kernel reads. `null` where that is not faster.
 */
function withKeptWeights(
  context: Lowering,
  conv: ConvShape,
  create: (algorithm: ConvAlgorithm, geometry: ConvGeometry) => Primitive | null,
): Primitive | null {
  if (context.winograd !== 'library') return null;
  if (!algorithmsFor(context.convolution, { ...conv, keepsWeights: true }).includes('winograd')) return null;
  const primitive = create('winograd', geometryOf(conv.params));
  const suits = primitive === null || primitive.family !== 'winograd2x2' || isSmall(conv);
  if (suits) return primitive;
  primitive.destroy();
  return null;
}

/** A backward primitive, derived from the forward primitive of the same algorithm. */
function backward(
  context: Lowering,
  algorithm: ConvAlgorithm,
  { src, weights, bias, dst }: ConvDescs,
  geometry: ConvGeometry,
  operation: Operation,
): Primitive | null {
  const hint = Primitive.create(describe.convForward('training', algorithm, [src, weights, bias, dst], geometry));
  return hint === null ? null : Primitive.create(operation, {}, context.own(hint));
}

/**
 * Whether the library has a direct kernel with bfloat16 for this direction of a convolution, or only a
 * product.
 */
export function hasDirectKernel(node: GraphNode, direction: ConvDirection): boolean {
  const { inputs, outputs } = node;
  const params = node.params as Conv2dParams;
  const operands: Readonly<Record<ConvDirection, readonly GraphValue[]>> = {
    forward: [inputs[0], inputs[1], outputs[0]],
    backwardData: [outputs[0], inputs[1], inputs[0]],
    backwardWeights: [inputs[0], outputs[0], inputs[1]],
  };
  const [x, weight, y] = operands[direction];
  const { src, weights, bias, dst } = openDescs({ x, weight, y, groups: params.groups, bias: false }, bfloat16);
  const geometry = geometryOf(params);
  const forward = Primitive.create(describe.convForward('training', 'direct', [src, weights, bias, dst], geometry));
  if (forward === null || direction === 'forward') return isDirect(forward);
  const opDesc =
    direction === 'backwardData'
      ? describe.convBackwardData('direct', [src, weights, dst], geometry)
      : describe.convBackwardWeights('direct', [src, weights, bias, dst], geometry);
  const primitive = Primitive.create(opDesc, {}, forward);
  forward.destroy();
  return isDirect(primitive);
}

function isDirect(primitive: Primitive | null): boolean {
  const family = primitive?.family;
  primitive?.destroy();
  return family !== undefined && family !== 'generalProduct' && family !== 'reference';
}

export const conv2d: Lower<'conv2d'> = (context, node) => {
  const [x, weight, bias, summand] = node.inputs;
  const [y] = node.outputs;
  const { params } = node;
  const sum: PostOp[] = summand === undefined ? [] : [{ kind: 'sum', scale: 1 }];
  const attributes = { postOps: [...sum, ...postOpsOf(params.activation)] };
  const conv = { direction: 'forward', result: y.shape, weight: weight.shape, params } as const;
  const operands = { x, weight, y, groups: params.groups, bias: bias !== undefined };
  const creates = (prop: ForwardProp, types: OperandTypes) => {
    const { src, weights, bias, dst } = openDescs(operands, types);
    return (algorithm: ConvAlgorithm, geometry: ConvGeometry) =>
      Primitive.create(describe.convForward(prop, algorithm, [src, weights, bias, dst], geometry), attributes);
  };
  const make = (types: OperandTypes) => best(context, conv, types, creates('training', types));
  const types = typesFor(node, 'dst');
  if (types === float32 && summand === undefined && coversImage(x.shape, weight.shape, params)) {
    linearForward(context, node);
    return;
  }
  const isConstant = types === float32 && context.isConstant(weight);
  const primitive = (isConstant ? withKeptWeights(context, conv, creates('inference', types)) : null) ?? make(types);
  // The parameter has the layout of its gradient and its optimizer's states, which are float32.
  if (types !== float32) {
    const gradient = { x: x.shape, weight: weight.shape, params, bias: operands.bias };
    const isTrained = context.isOverwritten(weight);
    const isProduct = isTrained && isPointwiseProduct(gradient) && primitive.layout('src').isChannelsLast();
    context.fixLayout(weight, () => {
      const product = isProduct ? pointwiseWeightGradient(gradient, (hint) => context.own(hint)) : null;
      if (product === null) return context.own(make(float32)).layout('weights');
      context.own(product.primitive);
      return product.layout;
    });
  }
  const reads: [number, Operand][] = [
    [args.src, context.inLayout(x, primitive.layout('src'))],
    [args.weights, context.inLayout(weight, primitive.layout('weights'))],
  ];
  if (bias !== undefined) reads.push([args.bias, context.plain(bias)]);
  const layout = primitive.layout('dst');
  const dst = summand === undefined ? context.output(y, layout) : context.accumulateInto(summand, y, layout);
  const name = nameWith(summand === undefined ? 'conv2d' : 'conv2d+add', params.activation);
  const extras = { bias: bias !== undefined, summand: summand !== undefined };
  const shapes = { x: x.shape, weight: weight.shape, y: y.shape };
  const layouts = (['src', 'weights', 'dst'] as const).map((operand) => primitive.layout(operand));
  const places = { src: reads[0][1], weights: reads[1][1], dst };
  if (types === float32 && winogradForward(context, node, conv, places)) {
    context.own(primitive);
    return;
  }
  const own = primitive.isWinograd ? null : context.generate(directCode, shapes, params, layouts, extras);
  if (own === null) {
    context.activates(node, params.activation, primitive);
    context.call(name, primitive, reads, [[args.dst, dst]]);
    return;
  }
  context.own(primitive);
  context.code(name, own, [dst, ...reads.map(([, placed]) => placed)], [dst]);
};

/** Our own code instead of the library's direct kernel, where it is faster. */
function directCode(
  shapes: DirectConvolution['shapes'],
  params: OpParams['conv2d'],
  layouts: readonly MemoryDesc[],
  extras: Parameters<DirectConvolution['code']>[0],
): KernelCode | null {
  return DirectConvolution.create(shapes, params, layouts)?.code(extras) ?? null;
}

export const conv2dBackwardData: Lower<'conv2dBackwardData'> = (context, node) => {
  const [dy, weight] = node.inputs;
  const [dx] = node.outputs;
  const { params } = node;
  const types = typesFor(node, 'src');
  if (types === float32 && coversImage(dx.shape, weight.shape, params)) {
    linearBackwardData(context, node);
    return;
  }
  const operands = { x: dx, weight, y: dy, groups: params.groups, bias: false };
  const descs = openDescs(operands, types);
  const forward = openDescs(operands, forwardTypes(types));
  const conv = { direction: 'backwardData', result: dx.shape, weight: weight.shape, params } as const;
  const primitive = best(context, conv, types, (algorithm, geometry) => {
    const operation = describe.convBackwardData(algorithm, [descs.src, descs.weights, descs.dst], geometry);
    return backward(context, algorithm, forward, geometry, operation);
  });
  const places = {
    src: context.inLayout(dy, primitive.layout('diffDst')),
    weights: context.inLayout(weight, primitive.layout('weights')),
    dst: context.output(dx, primitive.layout('diffSrc')),
  };
  if (types === float32 && winogradBackwardData(context, node, conv, places)) {
    context.own(primitive);
    return;
  }
  context.call(
    node.op,
    primitive,
    [
      [args.diffDst, places.src],
      [args.weights, places.weights],
    ],
    [[args.diffSrc, places.dst]],
  );
};

export const conv2dBackwardWeights: Lower<'conv2dBackwardWeights'> = (context, node) => {
  const [x, dy] = node.inputs;
  const [dWeight] = node.outputs;
  const { params } = node;
  const types = typesFor(node, 'weights');
  if (types !== float32 && asProduct(context, node)) return;
  if (types === float32 && coversImage(x.shape, dWeight.shape, params)) {
    linearBackwardWeights(context, node);
    return;
  }
  const operands = { x, weight: dWeight, y: dy, groups: params.groups, bias: params.bias };
  const descs = openDescs(operands, types);
  const forward = openDescs(operands, forwardTypes(types));
  const conv = { direction: 'backwardWeights', result: dy.shape, weight: params.weightShape, params } as const;
  const primitive = best(context, conv, types, (algorithm, geometry) => {
    const { src, weights, bias, dst } = descs;
    const operation = describe.convBackwardWeights(algorithm, [src, weights, bias, dst], geometry);
    return backward(context, algorithm, forward, geometry, operation);
  });
  const { family } = primitive;
  if ((family === 'generalProduct' || family === 'reference') && asDepthwise(context, node, forward)) {
    context.own(primitive);
    return;
  }
  const reads: [number, Operand][] = [
    [args.src, context.inLayout(x, primitive.layout('src'))],
    [args.diffDst, context.inLayout(dy, primitive.layout('diffDst'))],
  ];
  const writes = weightGradients(context, node, primitive.layout('diffWeights'));
  const places = { src: reads[0][1], weights: writes[0][1], dst: reads[1][1], bias: writes[1]?.[1] };
  if (types === float32 && winogradBackwardWeights(context, node, conv, places)) {
    context.own(primitive);
    return;
  }
  context.call(node.op, primitive, reads, writes);
};

/**
 * Computes the weights' gradient of a depthwise convolution in machine code: the library has a kernel for
 * windows of 3×3, and multiplies the matrices of each channel for others.
 *
 * @returns whether it does
 */
function asDepthwise(context: Lowering, node: GraphNode<'conv2dBackwardWeights'>, descs: ConvDescs): boolean {
  const [x, dy] = node.inputs;
  const { params } = node;
  if (params.groups !== dy.shape[1]) return false;
  const { src, weights, bias, dst } = descs;
  const operation = describe.convForward('training', 'direct', [src, weights, bias, dst], geometryOf(params));
  const forward = Primitive.create(operation);
  if (forward === null) return false;
  context.own(forward);
  const layout = forward.layout('weights').withType('float32');
  const places = { x: forward.layout('src'), y: forward.layout('dst'), weights: layout };
  const spec = depthwiseSpec(places, params, params.bias);
  if (spec === null) return false;
  const placed = [context.inLayout(dy, places.y), context.inLayout(x, places.x)];
  const results = weightGradients(context, node, layout).map(([, operand]) => operand);
  context.code(node.op, context.generate(depthwiseWeights, spec), [...placed, ...results], results);
  return true;
}

/** Computes the weights' gradient as a product of matrices, where that is faster. @returns whether it does */
function asProduct(context: Lowering, node: GraphNode<'conv2dBackwardWeights'>): boolean {
  const [x, dy] = node.inputs;
  const { params } = node;
  const gradient = { x: x.shape, weight: params.weightShape, params, bias: params.bias };
  const own = context.locate(x);
  if (own.layout.dtype !== 'bfloat16' || !own.layout.isChannelsLast() || !isPointwiseProduct(gradient)) return false;
  const product = pointwiseWeightGradient(gradient, (hint) => context.own(hint));
  if (product === null) return false;
  const { primitive, src, diffDst, diffWeights, layout } = product;
  const channelsLast = MemoryDesc.channelsLast(dy.shape, 'bfloat16');
  const [[argument, placed], ...bias] = weightGradients(context, node, layout);
  context.call(
    node.op,
    primitive,
    [
      [args.src, seenAs(own, src)],
      [args.diffDst, seenAs(context.inLayout(dy, channelsLast), diffDst)],
    ],
    [[argument, seenAs(placed, diffWeights)], ...bias],
  );
  return true;
}
