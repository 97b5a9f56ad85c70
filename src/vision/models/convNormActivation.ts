import { BatchNorm2D, type BatchNormOptions, Conv2D, type Layer, Sequential } from '../../nn/index.js';
import { type Padding2D, pairOf, type Size2D } from '../../tensor/operands.js';

interface ConvNormOptions {
  readonly stride?: number;
  readonly groups?: number;
  /** Default: as much as keeps height and width at stride 1. */
  readonly padding?: Padding2D;
  readonly norm?: BatchNormOptions;
}

/** A convolution without bias, batch normalization and an activation, if any. */
export class ConvNormActivation extends Sequential {
  static override readonly kind: string = 'ConvNormActivation';

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size2D,
    activation: Layer | null,
    { stride = 1, groups = 1, padding, norm = {} }: ConvNormOptions = {},
  ) {
    const [height, width] = pairOf(kernelSize);
    const around = padding ?? [(height - 1) >> 1, (width - 1) >> 1];
    super(
      new Conv2D(inChannels, outChannels, kernelSize, { stride, padding: around, groups, biasAttr: false }),
      new BatchNorm2D(outChannels, norm),
      ...(activation === null ? [] : [activation]),
    );
  }
}
