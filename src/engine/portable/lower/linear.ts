import type { Shape } from '../../../graph/shape.js';
import { gatherKernel } from '../kernels/conv.js';
import { fewRows, linearDataKernel } from '../kernels/linearData.js';
import { Layout } from '../layout.js';
import { type Lower, nameOf } from '../lowering.js';
import { backwardGather, biasGradient, forwardGather, gradientKernel, productOf } from './conv.js';

/** Panels of the columns of weights `[I, O]`: `[panels][I][panel]`. */
const forwardPanels = (shape: Shape, size: number) => new Layout(shape, 'float32', [1, 0], { axis: 1, size });

/** Panels of the rows: `[panels][O][panel]`. */
const backwardPanels = (shape: Shape, size: number) => new Layout(shape, 'float32', [0, 1], { axis: 0, size });

export const linear: Lower<'linear'> = (context, node) => {
  const [x, weight, bias] = node.inputs;
  const [y] = node.outputs;
  const extras = { bias: bias !== undefined, summand: false, activation: node.params.activation };
  const product = productOf(x.shape[0], weight.shape[0], weight.shape[1]);
  const reads = [context.plain(x), context.inLayout(weight, forwardPanels(weight.shape, context.panel))];
  if (bias !== undefined) reads.push(context.plain(bias));
  const kernel = context.generate(gatherKernel, forwardGather(product, extras), context.threads);
  context.run(nameOf(node), kernel, reads, [context.output(y, Layout.plain(y.shape))]);
};

export const linearBackwardData: Lower<'linearBackwardData'> = (context, node) => {
  const [dy, weight] = node.inputs;
  const [dx] = node.outputs;
  const target = context.output(dx, Layout.plain(dx.shape));
  if (dy.shape[0] <= fewRows) {
    const [inputs, outputs] = weight.shape;
    const reads = [context.plain(dy), context.inLayout(weight, forwardPanels(weight.shape, context.panel))];
    context.run(node.op, context.generate(linearDataKernel, dy.shape[0], inputs, outputs), reads, [target]);
    return;
  }
  const product = productOf(dy.shape[0], weight.shape[0], weight.shape[1]);
  const reads = [context.plain(dy), context.inLayout(weight, backwardPanels(weight.shape, context.panel))];
  const kernel = context.generate(gatherKernel, backwardGather(product), context.threads);
  context.run(node.op, kernel, reads, [target]);
};

export const linearBackwardWeights: Lower<'linearBackwardWeights'> = (context, node) => {
  const [x, dy] = node.inputs;
  const [dWeight, dBias] = node.outputs;
  const reads = [context.plain(x), context.plain(dy)];
  const product = productOf(x.shape[0], x.shape[1], dy.shape[1]);
  if (context.isUsed(dWeight)) {
    const layout = forwardPanels(dWeight.shape, context.panel);
    context.run(node.op, gradientKernel(context, product), reads, [context.output(dWeight, layout)]);
  }
  if (node.params.bias) biasGradient(context, dy, dBias, reads[1]);
};
