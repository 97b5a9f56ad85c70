import type { Shape } from '../../../graph/shape.js';
import { MemoryDesc } from '../ffi.js';
import { codeLanes } from '../processor.js';
import { ChannelPasses } from './channelPasses.js';
import { type FeatureType, featureLayoutFor, fewestLanes } from './featureLayout.js';
import { coefficients } from './normBackward.js';
import type { Norm, NormSpec } from './normPasses.js';

/**
 * Batch norm over images, rows and columns with the statistics of the batch (Ioffe and Szegedy, 2015):
 * y = (x − mean) · factor + shift, optionally with a summand and relu. Features are read twice and written
 * once. The sums are over differences to the mean of each channel's first values, so that one pass gives mean
 * and variance.
 */
export class Normalization implements Norm {
  readonly passes: ChannelPasses;

  constructor(readonly spec: NormSpec) {
    this.passes = new ChannelPasses(spec.layout, spec.channels, spec.gate !== undefined);
  }

  /** Whether there is code for such features, if it supports their layout. */
  static takes(shape: Shape, type: FeatureType): boolean {
    const lanes = codeLanes(type);
    return lanes !== null && shape.length === 4 && shape[1] % (type === 'float32' ? fewestLanes : lanes) === 0;
  }

  /**
   * `null` where there is no code: for another processor or another layout.
   *
   * @param x layout of the features
   */
  static create(x: MemoryDesc, after: Pick<NormSpec, 'epsilon' | 'relu' | 'sum' | 'gate'>): Normalization | null {
    if ((x.dtype !== 'float32' && x.dtype !== 'bfloat16') || x.shape.length !== 4) return null;
    const layout = featureLayoutFor(x, codeLanes(x.dtype));
    if (layout === null) return null;
    const [images, own] = x.shape;
    const channels = (layout.planes * layout.channels) / images;
    return new Normalization({ layout, channels, padded: channels > own, ...after });
  }

  /** 1 for each channel, and 0 for the places behind the last one. */
  present(channels: number): Float32Array {
    return new Float32Array(this.spec.channels).fill(1, 0, channels);
  }

  /** A number for each channel, and for the places behind the last one. */
  get perChannel(): MemoryDesc {
    return MemoryDesc.plain([this.spec.channels], 'float32');
  }

  /**
   * The factor of each channel, and its shift if channels are padded. Forward writes it, and backward reads
   * it.
   */
  get factor(): MemoryDesc {
    const { padded, channels } = this.spec;
    return MemoryDesc.plain([padded ? 2 : 1, channels], 'float32');
  }

  /** Working memory of either direction: two sums per channel for each slice of the features. */
  get sums(): MemoryDesc {
    return MemoryDesc.plain([this.passes.slices, 2, this.spec.channels], 'float32');
  }

  /** Working memory of backward. */
  get coefficients(): MemoryDesc {
    return MemoryDesc.plain([coefficients.length, this.spec.channels], 'float32');
  }
}
