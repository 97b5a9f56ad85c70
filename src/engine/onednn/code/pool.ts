import type { Pool2dParams } from '../../../graph/op.js';
import { type AxisTaps, inverseTaps, windowTaps } from '../../planned/windowTaps.js';
import { MemoryDesc } from '../ffi.js';
import { codeLanes } from '../processor.js';
import { type Assembler, at } from './assembler.js';
import { bytesOf, type FeatureLayout, featureLayoutOf, lanes, loadFeatures, storeFeatures } from './featureLayout.js';
import { type KernelCode, scratch } from './kernel.js';
import { type Body, indexAt, otherAt, ownAt, type Side, slidingWindow } from './slidingWindow.js';

/** Each position in a window has a register with its number. */
const firstPositionRegister = 16;
const mostPositions = 16;

/** Max pooling. For a training, it stores the position of the largest element of each window. */
export class MaxPooling {
  private constructor(
    readonly params: Pool2dParams,
    /** Layouts of input and output. */
    readonly descs: { readonly x: MemoryDesc; readonly y: MemoryDesc },
    readonly x: FeatureLayout,
    readonly y: FeatureLayout,
    readonly rows: readonly AxisTaps[],
    readonly columns: readonly AxisTaps[],
  ) {}

  /** `null` where there is no code: for another processor, another layout, or a larger window. */
  static create(x: MemoryDesc, y: MemoryDesc, params: Pool2dParams): MaxPooling | null {
    const { kernel, stride, padding } = params;
    const [from, to] = [featureLayoutOf(x), featureLayoutOf(y)];
    if (from === null || to === null || kernel[0] * kernel[1] > mostPositions) return null;
    if (from.type !== to.type || from.planes !== to.planes || from.channels !== to.channels) return null;
    if (codeLanes(from.type) === null) return null;
    const rows = windowTaps(from.rows, to.rows, kernel[0], stride[0], padding[0]);
    const columns = windowTaps(from.columns, to.columns, kernel[1], stride[1], padding[2]);
    if ([...rows, ...columns].some((window) => window.length === 0)) return null;
    return new MaxPooling(params, { x, y }, from, to, rows, columns);
  }

  /** The layout of the positions: a byte for each output. */
  get positions(): MemoryDesc {
    return MemoryDesc.plain([this.descs.y.size / bytesOf(this.y)], 'uint8');
  }
}

function prepare(to: Assembler): void {
  const [number] = scratch;
  for (let position = 0; position < mostPositions; position++) {
    to.set(number, position);
    to.vbroadcastByte(firstPositionRegister + position, number);
  }
}

/** Operands: output, input and, if they are to be stored, positions. The first of equal maxima counts. */
export function maxPoolForward({ x, y, rows, columns, params }: MaxPooling, remembers: boolean): KernelCode {
  const size = bytesOf(x);
  const body: Body = (to, vectors, taps, own) => {
    taps.forEach(({ position, other }, i) => {
      for (let v = 0; v < vectors; v++) {
        const [best, where, value] = [v, 4 + v, 8 + v];
        const number = firstPositionRegister + position;
        const from = at(otherAt, other + v * lanes * size);
        const loaded = i === 0 ? best : value;
        loadFeatures(to, x, loaded, from);
        if (i === 0) {
          if (remembers) to.vcopyBytes(where, number);
          continue;
        }
        // The best value stays where it is not less than the new number. A NaN replaces it, and no number
        // replaces a NaN.
        const k = 1 + v;
        to.vordered(k, value, value);
        to.vnotLess(k, best, value, { k });
        to.vblend(best, value, best, k);
        if (remembers) to.vblendBytes(where, number, where, k);
      }
    });
    for (let v = 0; v < vectors; v++) {
      const place = at(ownAt, own + v * lanes * size);
      if (remembers) to.vstore(at(indexAt, own / size + v * lanes), 4 + v, 128);
      if (size === 4) to.vstore(place, v);
      else to.vstoreUpperHalves(place, v);
    }
  };
  const [own, other]: Side[] = [
    { layout: y, step: [1, 1] },
    { layout: x, step: params.stride },
  ];
  const kernelWidth = params.kernel[1];
  return slidingWindow({ own, other, rows, columns, kernelWidth, index: remembers ? 'own' : null, prepare, body });
}

/**
 * Operands: gradient of the input, gradient of the output, positions. Each input collects the gradients of
 * its windows, in their order, so that one thread writes it, and only once.
 */
export function maxPoolBackward({ x, y, rows, columns, params }: MaxPooling): KernelCode {
  const size = bytesOf(x);
  const body: Body = (to, vectors, taps, own) => {
    for (let v = 0; v < vectors; v++) if (taps.length === 0) to.vzero(v);
    taps.forEach(({ position, other }, i) => {
      for (let v = 0; v < vectors; v++) {
        const [sum, value, k] = [v, 8 + v, 1 + v];
        const from = at(otherAt, other + v * lanes * size);
        to.vequalBytes(k, firstPositionRegister + position, at(indexAt, other / size + v * lanes));
        if (size === 4 && i > 0) {
          to.v('add', sum, sum, from, { k });
          continue;
        }
        const loaded = i === 0 ? sum : value;
        loadFeatures(to, x, loaded, from, { k, zero: true });
        if (i > 0) to.v('add', sum, sum, value);
      }
    });
    for (let v = 0; v < vectors; v++) {
      storeFeatures(to, x, at(ownAt, own + v * lanes * size), v);
    }
  };
  const [own, other]: Side[] = [
    { layout: x, step: params.stride },
    { layout: y, step: [1, 1] },
  ];
  return slidingWindow({
    own,
    other,
    rows: inverseTaps(rows, x.rows),
    columns: inverseTaps(columns, x.columns),
    kernelWidth: params.kernel[1],
    index: 'other',
    prepare,
    body,
  });
}
