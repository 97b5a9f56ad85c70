import { BatchNorm2D, Conv2D, type Layer, Sequential } from '../../nn/index.js';

/** A convolution without bias that keeps height and width at stride 1, batch normalization, an activation. */
export class ConvNormActivation extends Sequential {
  static override readonly kind: string = 'ConvNormActivation';

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    activation: Layer,
    { stride = 1, groups = 1 }: { readonly stride?: number; readonly groups?: number } = {},
  ) {
    const padding = (kernelSize - 1) >> 1;
    super(
      new Conv2D(inChannels, outChannels, kernelSize, { stride, padding, groups, biasAttr: false }),
      new BatchNorm2D(outChannels),
      activation,
    );
  }
}
