import type { Conv2dParams } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import type { AxisGeometry } from '../kernels/axis.js';
import type { Gather } from '../kernels/conv.js';

/** A convolution by its shapes. */
export interface Convolution {
  readonly x: Shape;
  readonly weight: Shape;
  readonly y: Shape;
  readonly params: Conv2dParams;
}

/** Height and width. */
export function axesOf({ x, weight, y, params }: Convolution): readonly [AxisGeometry, AxisGeometry] {
  const { stride, padding, dilation } = params;
  const axis = (i: 0 | 1) => ({
    input: x[2 + i],
    output: y[2 + i],
    kernel: weight[2 + i],
    stride: stride[i],
    pad: padding[2 * i],
    dilation: dilation[i],
  });
  return [axis(0), axis(1)];
}

export function sizesOf([h, w]: readonly [AxisGeometry, AxisGeometry]): Pick<Gather, 'input' | 'output' | 'kernel'> {
  return { input: [h.input, w.input], output: [h.output, w.output], kernel: [h.kernel, w.kernel] };
}
