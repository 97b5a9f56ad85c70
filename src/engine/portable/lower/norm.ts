import { numel, type Shape } from '../../../graph/shape.js';
import { type NormShape, normBackwardKernel, normKernel, normTrainKernel } from '../kernels/norm.js';
import { Layout } from '../layout.js';
import { type Lower, nameOf } from '../lowering.js';

function shapeOf(
  x: Shape,
  { epsilon, relu = false }: { readonly epsilon: number; readonly relu?: boolean },
): NormShape {
  return { pixels: numel(x) / x[1], channels: x[1], epsilon, relu };
}

export const batchNorm: Lower<'batchNorm'> = (context, node) => {
  const [x, ...perChannel] = node.inputs;
  const [y] = node.outputs;
  const source = context.inLayout(x, Layout.channelsLast(x.shape));
  const reads = [source, ...perChannel.map((value) => context.plain(value))];
  context.run(nameOf(node), context.generate(normKernel, shapeOf(x.shape, node.params)), reads, [
    context.inPlace(x, source, y),
  ]);
};

export const batchNormTrain: Lower<'batchNormTrain'> = (context, node) => {
  const [x, scale, shift, summand] = node.inputs;
  const [y, mean, variance, mask] = node.outputs;
  const layout = Layout.channelsLast(x.shape);
  const reads = [context.inLayout(x, layout), context.plain(scale), context.plain(shift)];
  const added = summand === undefined ? null : context.inLayout(summand, layout);
  if (added !== null) reads.push(added);
  const target = added === null ? context.output(y, layout) : context.inPlace(summand, added, y);
  const writes = [target, ...[mean, variance].map((value) => context.output(value, Layout.plain(value.shape)))];
  // The result itself says where it was positive.
  context.define(mask, target);
  const name = `${node.op}${added === null ? '' : '+add'}${node.params.relu ? '+relu' : ''}`;
  context.run(name, context.generate(normTrainKernel, shapeOf(x.shape, node.params), added !== null), reads, writes);
};

export const batchNormBackward: Lower<'batchNormBackward'> = (context, node) => {
  const [x, mean, variance, scale, , dy, mask, y, dy2] = node.inputs;
  const [dx, dScale, dShift, gradient] = node.outputs;
  const layout = Layout.channelsLast(x.shape);
  const shape = shapeOf(x.shape, node.params);
  const received = context.inLayout(dy, layout);
  const reads = [
    context.inLayout(x, layout),
    ...[mean, variance, scale].map((value) => context.plain(value)),
    received,
  ];
  const isSum = y !== undefined;
  if (shape.relu) reads.push(isSum ? context.inLayout(y, layout) : context.locate(mask));
  const second = dy2 === undefined ? null : context.inLayout(dy2, layout);
  if (second !== null) reads.push(second);
  const sum = isSum ? [context.inPlace(dy, received, gradient)] : [];
  const writes = [
    // The gradient overwrites the one that it is computed from, if no other step needs that.
    second !== null
      ? context.inPlace(dy2, second, dx)
      : isSum
        ? context.output(dx, layout)
        : context.inPlace(dy, received, dx),
    ...[dScale, dShift].map((value) => context.output(value, Layout.plain(value.shape))),
    ...sum,
  ];
  context.run(
    nameOf(node),
    context.generate(normBackwardKernel, shape, { sum: isSum, second: second !== null }),
    reads,
    writes,
  );
};
