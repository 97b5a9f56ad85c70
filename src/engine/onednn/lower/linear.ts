import type { GraphNode, GraphValue } from '../../../compiler/graph.js';
import type { Activation } from '../../../graph/op.js';
import { FewRows } from '../code/linear.js';
import { args, describe, MemoryDesc, type Operation, Primitive } from '../ffi.js';
import type { Lower, Lowering, Operand } from '../lowering.js';
import { biasDesc, nameWith, postOpsOf, required, seenAs, weightGradients } from './common.js';
import { float32, forwardTypes, type OperandTypes, typesFor } from './types.js';

// The library's weights are [out, in], and ours [in, out]: the same memory with swapped axes.
const swapped = (layout: MemoryDesc): MemoryDesc => layout.permuted([1, 0]);

/**
 * A backward primitive, derived from the forward one. General products of matrices take any order of the
 * axes, but each direction prefers its own, and to change it takes longer than the product: they get the
 * forward one's order.
 *
 * @param backward its description for a layout of the weights, or of their gradient
 */
function backwardOf(
  context: Lowering,
  forward: Operation,
  backward: (weights: MemoryDesc) => Operation,
  weights: MemoryDesc,
  op: string,
): Primitive {
  const hint = context.own(required(Primitive.create(forward), op));
  const primitive = required(Primitive.create(backward(weights), {}, hint), op);
  const layout = hint.layout('weights');
  if (primitive.family !== 'generalProduct' || layout.dtype !== weights.dtype) return primitive;
  const other = Primitive.create(backward(layout), {}, hint);
  if (other === null) return primitive;
  primitive.destroy();
  return other;
}

/** From this number of rows on, a product need not wait for its weights. */
const manyRows = 128;

/**
 * The kernel of a plain product of matrices, all in rows, for linear layers of many rows. It is as fast as
 * those of linear layers or faster (twice for the gradient of the inputs), and all three directions take the
 * weights as they are. `null` where the library has only a general product.
 */
function productOfMany(
  rows: number,
  left: MemoryDesc,
  right: MemoryDesc,
  result: MemoryDesc,
  {
    bias = MemoryDesc.none(),
    activation,
  }: { readonly bias?: MemoryDesc; readonly activation?: Activation | undefined },
): Primitive | null {
  if (rows < manyRows) return null;
  const product = Primitive.create(describe.matmul([left, right, bias, result]), { postOps: postOpsOf(activation) });
  if (product === null || product.family === 'batchedProduct') return product;
  product.destroy();
  return null;
}

const inRows = ({ shape }: GraphValue): MemoryDesc => MemoryDesc.plain(shape, 'float32');

function forwardOfMany(context: Lowering, node: GraphNode<'linear'>): boolean {
  const [x, weight, bias] = node.inputs;
  const [y] = node.outputs;
  const { activation } = node.params;
  const row = MemoryDesc.plain([1, y.shape[1]], 'float32');
  const options = bias === undefined ? { activation } : { activation, bias: row };
  const product = productOfMany(x.shape[0], inRows(x), inRows(weight), inRows(y), options);
  if (product === null) return false;
  const reads: [number, Operand][] = [
    [args.src, context.plain(x)],
    [args.weights, context.plain(weight)],
  ];
  if (bias !== undefined) reads.push([args.bias, seenAs(context.plain(bias), row)]);
  context.activates(node, activation, product);
  context.call(nameWith('linear', activation), product, reads, [[args.dst, context.output(y, inRows(y))]]);
  return true;
}

function backwardDataOfMany(context: Lowering, node: GraphNode<'linearBackwardData'>): boolean {
  const [dy, weight] = node.inputs;
  const [dx] = node.outputs;
  const transposed = swapped(inRows(weight));
  const product = productOfMany(dy.shape[0], inRows(dy), transposed, inRows(dx), {});
  if (product === null) return false;
  const reads = [
    [args.src, context.plain(dy)],
    [args.weights, seenAs(context.plain(weight), transposed)],
  ] as const;
  context.call(node.op, product, reads, [[args.dst, context.output(dx, inRows(dx))]]);
  return true;
}

function backwardWeightsOfMany(context: Lowering, node: GraphNode<'linearBackwardWeights'>): boolean {
  const [x, dy] = node.inputs;
  const [dWeight, dBias] = node.outputs as readonly [GraphValue, GraphValue?];
  const [rows] = x.shape;
  const transposed = swapped(inRows(x));
  const product = productOfMany(rows, transposed, inRows(dy), inRows(dWeight), {});
  if (product === null) return false;
  const right = [args.weights, context.plain(dy)] as const;
  const left = [args.src, seenAs(context.plain(x), transposed)] as const;
  context.call(node.op, product, [left, right], [[args.dst, context.output(dWeight, inRows(dWeight))]]);
  if (dBias === undefined) return true;
  // The gradient of the bias is a sum of rows, which is a product with ones.
  const [ones, row] = [
    [1, rows],
    [1, dy.shape[1]],
  ].map((shape) => MemoryDesc.plain(shape, 'float32'));
  const sum = required(Primitive.create(describe.matmul([ones, inRows(dy), MemoryDesc.none(), row])), node.op);
  const one = { buffer: context.constant(new Float32Array(rows).fill(1)), layout: ones };
  const result = seenAs(context.output(dBias, inRows(dBias)), row);
  context.call('biasGradient', sum, [[args.src, one], right], [[args.dst, result]]);
  return true;
}

export const linear: Lower<'linear'> = (context, node) => {
  const [x, weight, bias] = node.inputs;
  const [y] = node.outputs;
  const [features, out] = weight.shape;
  const attributes = { postOps: postOpsOf(node.params.activation) };
  const types = typesFor(node, 'dst');
  if (types === float32 && forwardOfMany(context, node)) return;
  const make = (types: OperandTypes) => {
    const descs = [
      MemoryDesc.any(x.shape, types.src),
      MemoryDesc.any([out, features], types.weights),
      biasDesc(out, bias !== undefined),
      MemoryDesc.any(y.shape, types.dst),
    ];
    return required(Primitive.create(describe.linearForward('training', descs), attributes), 'linear');
  };
  // This code needs a weight layout of its own, which pays only if it is made once.
  const own = context.isConstant(weight) ? FewRows.create(x.shape, out, types, node.params.activation) : null;
  if (own !== null) {
    const operands = [context.inLayout(x, MemoryDesc.plain(x.shape, 'float32')), context.inLayout(weight, own.weights)];
    if (bias !== undefined) operands.push(context.plain(bias));
    const dst = context.output(y, MemoryDesc.plain(y.shape, own.result));
    context.code(nameWith('linear', node.params.activation), own.code(bias !== undefined), [dst, ...operands], [dst]);
    return;
  }
  const primitive = make(types);
  // The parameter has the layout of its gradient and its optimizer's states, which are float32.
  if (types !== float32) context.fixLayout(weight, () => swapped(context.own(make(float32)).layout('weights')));
  const weights = primitive.layout('weights');
  const reads: [number, Operand][] = [
    [args.src, context.inLayout(x, primitive.layout('src'))],
    [args.weights, seenAs(context.inLayout(weight, swapped(weights)), weights)],
  ];
  if (bias !== undefined) reads.push([args.bias, context.plain(bias)]);
  context.activates(node, node.params.activation, primitive);
  context.call(nameWith('linear', node.params.activation), primitive, reads, [
    [args.dst, context.output(y, primitive.layout('dst'))],
  ]);
};

export const linearBackwardData: Lower<'linearBackwardData'> = (context, node) => {
  const [dy, weight] = node.inputs;
  const [dx] = node.outputs;
  const [features, out] = weight.shape;
  const types = typesFor(node, 'src');
  if (types === float32 && backwardDataOfMany(context, node)) return;
  const describeWith = ({ src, weights, dst }: OperandTypes) => [
    MemoryDesc.any(dx.shape, src),
    MemoryDesc.any([out, features], weights),
    MemoryDesc.none(),
    MemoryDesc.any(dy.shape, dst),
  ];
  const [src, weights, , dst] = describeWith(types);
  const forward = describe.linearForward('training', describeWith(forwardTypes(types)));
  const backward = (layout: MemoryDesc) => describe.linearBackwardData([src, layout, dst]);
  const primitive = backwardOf(context, forward, backward, weights, node.op);
  const layout = primitive.layout('weights');
  context.call(
    node.op,
    primitive,
    [
      [args.diffDst, context.inLayout(dy, primitive.layout('diffDst'))],
      [args.weights, seenAs(context.inLayout(weight, swapped(layout)), layout)],
    ],
    [[args.diffSrc, context.output(dx, primitive.layout('diffSrc'))]],
  );
};

export const linearBackwardWeights: Lower<'linearBackwardWeights'> = (context, node) => {
  const [x, dy] = node.inputs;
  const features = x.shape[1];
  const out = dy.shape[1];
  const types = typesFor(node, 'weights');
  if (types === float32 && backwardWeightsOfMany(context, node)) return;
  const describeWith = ({ src, weights, dst }: OperandTypes) => [
    MemoryDesc.any(x.shape, src),
    MemoryDesc.any([out, features], weights),
    biasDesc(out, node.params.bias),
    MemoryDesc.any(dy.shape, dst),
  ];
  const forward = describe.linearForward('training', describeWith(forwardTypes(types)));
  const [src, weights, bias, dst] = describeWith(types);
  const backward = (layout: MemoryDesc) => describe.linearBackwardWeights([src, layout, bias, dst]);
  const primitive = backwardOf(context, forward, backward, weights, node.op);
  const layout = primitive.layout('diffWeights');
  const writes = weightGradients(context, node, swapped(layout));
  writes[0] = [args.diffWeights, seenAs(writes[0][1], layout)];
  context.call(
    node.op,
    primitive,
    [
      [args.src, context.inLayout(x, primitive.layout('src'))],
      [args.diffDst, context.inLayout(dy, primitive.layout('diffDst'))],
    ],
    writes,
  );
};

export const matmul: Lower<'matmul'> = (context, node) => {
  const [a, b] = node.inputs;
  const [y] = node.outputs;
  const { transposeA, transposeB } = node.params;
  const placed = [context.plain(a), context.plain(b)];
  const seen = [transposeA, transposeB].map((transposed, i) => {
    const { layout } = placed[i];
    return transposed ? layout.permuted([0, 2, 1]) : layout;
  });
  const result = MemoryDesc.plain(y.shape, 'float32');
  const primitive = Primitive.create(describe.matmul([...seen, MemoryDesc.none(), result]));
  if (primitive === null || primitive.family === 'reference') {
    primitive?.destroy();
    context.fallback(node);
    return;
  }
  const reads = [args.src, args.weights].map((argument, i) => [argument, seenAs(placed[i], seen[i])] as const);
  context.call(node.op, primitive, reads, [[args.dst, context.output(y, result)]]);
};
