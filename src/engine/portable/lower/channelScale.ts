import { numel, type Shape } from '../../../graph/shape.js';
import { channelScaleBackwardKernel, channelScaleKernel } from '../kernels/channelScale.js';
import type { Matrices } from '../kernels/sums.js';
import { Layout } from '../layout.js';
import type { Lower } from '../lowering.js';

/** Features with their channels last: a matrix of pixels and channels for each image. */
export function matricesOf(x: Shape): Matrices {
  return { matrices: x[0], rows: numel(x.slice(2)), columns: x[1] };
}

export const scaleChannels: Lower<'scaleChannels'> = (context, node) => {
  const [x, scale] = node.inputs;
  const source = context.inLayout(x, Layout.channelsLast(x.shape));
  const kernel = context.generate(channelScaleKernel, matricesOf(x.shape));
  const target = context.inPlace(x, source, node.outputs[0]);
  context.run(node.op, kernel, [source, context.plain(scale)], [target]);
};

export const scaleChannelsBackward: Lower<'scaleChannelsBackward'> = (context, node) => {
  const [x, scale, dy] = node.inputs;
  const [dx, dScale] = node.outputs;
  const layout = Layout.channelsLast(x.shape);
  const received = context.inLayout(dy, layout);
  const reads = [context.inLayout(x, layout), context.plain(scale), received];
  const writes = [context.inPlace(dy, received, dx), context.output(dScale, Layout.plain(dScale.shape))];
  context.run(node.op, context.generate(channelScaleBackwardKernel, matricesOf(x.shape)), reads, writes);
};
