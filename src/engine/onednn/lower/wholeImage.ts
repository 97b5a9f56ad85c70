import type { GraphNode } from '../../../compiler/graph.js';
import type { Conv2dParams } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import { args, describe, MemoryDesc, Primitive } from '../ffi.js';
import type { Lowering, Operand } from '../lowering.js';
import { biasDesc, derived, nameWith, postOpsOf, required, seenAs, weightGradients } from './common.js';

/**
 * Whether the kernel covers the whole image, so that the convolution is a linear layer. The kernels of linear
 * layers are several times as fast then, since they have no loop over rows of results.
 */
export function coversImage(x: Shape, weight: Shape, { groups, padding, dilation }: Conv2dParams): boolean {
  const [, , ...kernel] = weight;
  const isWhole = kernel.every((size, i) => size === x[i + 2]) && kernel.some((size) => size > 1);
  return isWhole && groups === 1 && [...padding, ...dilation.map((n) => n - 1)].every((n) => n === 0);
}

/** Layouts of x, the weights and y for the linear layer: all of them plain, y as `[N, O]`. */
function layoutsOf(x: Shape, weight: Shape): Readonly<Record<'src' | 'weights' | 'dst', MemoryDesc>> {
  const [src, weights, dst] = [x, weight, [x[0], weight[0]]].map((shape) => MemoryDesc.plain(shape, 'float32'));
  return { src, weights, dst };
}

export function linearForward(context: Lowering, node: GraphNode<'conv2d'>): void {
  const [x, weight, bias] = node.inputs;
  const [y] = node.outputs;
  const { activation } = node.params;
  const { src, weights, dst } = layoutsOf(x.shape, weight.shape);
  const descs = [src, weights, biasDesc(weight.shape[0], bias !== undefined), dst];
  const operation = describe.linearForward('training', descs);
  const primitive = required(Primitive.create(operation, { postOps: postOpsOf(activation) }), node.op);
  const reads: [number, Operand][] = [
    [args.src, context.plain(x)],
    [args.weights, context.plain(weight)],
  ];
  if (bias !== undefined) reads.push([args.bias, context.plain(bias)]);
  const result = context.output(y, MemoryDesc.plain(y.shape, 'float32'));
  context.activates(node, activation, primitive);
  context.call(nameWith(node.op, activation), primitive, reads, [[args.dst, seenAs(result, dst)]]);
}

export function linearBackwardData(context: Lowering, node: GraphNode<'conv2dBackwardData'>): void {
  const [dy, weight] = node.inputs;
  const [dx] = node.outputs;
  const { src, weights, dst } = layoutsOf(dx.shape, weight.shape);
  const forward = describe.linearForward('training', [src, weights, MemoryDesc.none(), dst]);
  context.call(
    node.op,
    derived(context, forward, describe.linearBackwardData([src, weights, dst]), node.op),
    [
      [args.diffDst, seenAs(context.plain(dy), dst)],
      [args.weights, context.plain(weight)],
    ],
    [[args.diffSrc, context.output(dx, src)]],
  );
}

export function linearBackwardWeights(context: Lowering, node: GraphNode<'conv2dBackwardWeights'>): void {
  const [x, dy] = node.inputs;
  const { weightShape, bias } = node.params;
  const { src, weights, dst } = layoutsOf(x.shape, weightShape);
  const descs = [src, weights, biasDesc(weightShape[0], bias), dst];
  context.call(
    node.op,
    derived(context, describe.linearForward('training', descs), describe.linearBackwardWeights(descs), node.op),
    [
      [args.src, context.plain(x)],
      [args.diffDst, seenAs(context.plain(dy), dst)],
    ],
    weightGradients(context, node, weights),
  );
}
