import type { Pool2dParams } from '../../../graph/op.js';
import { type AxisTaps, inverseTaps, windowTaps } from '../../planned/windowTaps.js';
import { MemoryDesc } from '../ffi.js';
import { codeLanes } from '../processor.js';
import {
  bytesOf,
  type FeatureLayout,
  featureLayoutOf,
  loadFeatures,
  storeFeatures,
  vectorBytesOf,
  vectorsOf,
} from './featureLayout.js';
import { at } from './generalAssembler.js';
import type { KernelCode } from './kernel.js';
import { mostPositions, Positions } from './positions.js';
import { Registers } from './registers.js';
import { type Body, indexAt, otherAt, ownAt, slidingWindow } from './slidingWindow.js';

/** The code depends on these values only. */
export interface PoolSpec {
  readonly x: FeatureLayout;
  readonly y: FeatureLayout;
  readonly params: Pool2dParams;
}

/** Max pooling. For a training, it stores the position of the largest element of each window. */
export class MaxPooling {
  readonly rows: readonly AxisTaps[];
  readonly columns: readonly AxisTaps[];

  private constructor(readonly spec: PoolSpec) {
    const { x, y, params } = spec;
    const { kernel, stride, padding } = params;
    this.rows = windowTaps(x.rows, y.rows, kernel[0], stride[0], padding[0]);
    this.columns = windowTaps(x.columns, y.columns, kernel[1], stride[1], padding[2]);
  }

  /** `null` where there is no code: for a larger window, or one without input. */
  static of(spec: PoolSpec): MaxPooling | null {
    const { x, y, params } = spec;
    if (params.kernel[0] * params.kernel[1] > mostPositions) return null;
    if (x.type !== y.type || x.planes !== y.planes || x.channels !== y.channels) return null;
    const pooling = new MaxPooling(spec);
    return [...pooling.rows, ...pooling.columns].some((window) => window.length === 0) ? null : pooling;
  }

  /** `null` where there is no code: for this processor, or another layout, too. */
  static create(x: MemoryDesc, y: MemoryDesc, params: Pool2dParams): MaxPooling | null {
    if (x.dtype !== 'float32' && x.dtype !== 'bfloat16') return null;
    const lanes = codeLanes(x.dtype);
    const [from, to] = lanes === null ? [null, null] : [featureLayoutOf(x, lanes), featureLayoutOf(y, lanes)];
    return from === null || to === null ? null : MaxPooling.of({ x: from, y: to, params });
  }

  /** The layout of the positions: a byte for each output. */
  get positions(): MemoryDesc {
    const { planes, rows, columns, channels } = this.spec.y;
    return MemoryDesc.plain([planes * rows * columns * channels], 'uint8');
  }

  /** Operands: output, input and, if they are to be stored, positions. The first of equal maxima counts. */
  forward(remembers: boolean): KernelCode {
    const { x, y, params } = this.spec;
    const size = bytesOf(x);
    const count = vectorsOf(y);
    const registers = new Registers(x.lanes);
    const positions = new Positions(x.lanes, registers);
    const [bests, wheres, values] = [0, 1, 2].map(() => registers.vectors(count));
    const masks = registers.masks(count);
    const body: Body = (to, taps, own) => {
      taps.forEach(({ position, other }, i) => {
        for (let v = 0; v < count; v++) {
          const [best, where, value] = [bests[v], wheres[v], values[v]];
          loadFeatures(to, x, i === 0 ? best : value, at(otherAt, other + v * vectorBytesOf(x)));
          if (i > 0) positions.keepLarger(to, masks[v], best, value, remembers ? { where, position } : undefined);
          else if (remembers) positions.set(to, where, position);
        }
      });
      for (let v = 0; v < count; v++) {
        const place = at(ownAt, own + v * vectorBytesOf(y));
        if (remembers) positions.store(to, at(indexAt, own / size + v * y.lanes), wheres[v]);
        if (size === 4) to.vstore(place, bests[v]);
        else to.vstoreUpperHalves(place, bests[v]);
      }
    };
    return slidingWindow({
      own: { layout: y, step: [1, 1] },
      other: { layout: x, step: params.stride },
      rows: this.rows,
      columns: this.columns,
      kernelWidth: params.kernel[1],
      index: remembers ? 'own' : null,
      prepare: (to) => positions.prepare(to),
      body,
    });
  }

  /**
   * Operands: gradient of the input, gradient of the output, positions. Each input collects the gradients of
   * its windows, in their order, so that one thread writes it, and only once.
   */
  backward(): KernelCode {
    const { x, y, params } = this.spec;
    const size = bytesOf(x);
    const count = vectorsOf(x);
    const registers = new Registers(x.lanes);
    const positions = new Positions(x.lanes, registers);
    const [sums, values] = [0, 1].map(() => registers.vectors(count));
    const masks = registers.masks(count);
    const body: Body = (to, taps, own) => {
      for (let v = 0; v < count; v++) if (taps.length === 0) to.vzero(sums[v]);
      taps.forEach(({ position, other }, i) => {
        for (let v = 0; v < count; v++) {
          const [sum, value, mask] = [sums[v], values[v], masks[v]];
          const from = at(otherAt, other + v * vectorBytesOf(y));
          positions.equal(to, mask, position, at(indexAt, other / size + v * y.lanes));
          if (i > 0 && x.lanes === 16 && size === 4) {
            to.vaddWhere(mask, sum, from);
            continue;
          }
          loadFeatures(to, x, i === 0 ? sum : value, from, mask);
          if (i > 0) to.v('add', sum, sum, value);
        }
      });
      for (let v = 0; v < count; v++) storeFeatures(to, x, at(ownAt, own + v * vectorBytesOf(x)), sums[v]);
    };
    return slidingWindow({
      own: { layout: x, step: params.stride },
      other: { layout: y, step: [1, 1] },
      rows: inverseTaps(this.rows, x.rows),
      columns: inverseTaps(this.columns, x.columns),
      kernelWidth: params.kernel[1],
      index: 'other',
      prepare: (to) => positions.prepare(to),
      body,
    });
  }
}
