import type { Conv2dParams, Pair } from '../../../graph/op.js';
import { type AxisTaps, runsOf, windowTaps } from '../../planned/windowTaps.js';
import type { MemoryDesc } from '../ffi.js';
import { codeLanes } from '../processor.js';
import { type Assembler, vectorRegisters } from './assembler.js';
import { bytesOf, type FeatureLayout, featureLayoutOf, loadFeatures } from './featureLayout.js';
import { at, type Label } from './generalAssembler.js';
import { type KernelCode, kernelCode, loadNumber, loadOperand, scratch, type Task } from './kernel.js';
import { Registers } from './registers.js';

const float = 4;

/** The code depends on these values only. */
export interface DepthwiseSpec {
  /** Features in blocks of as many channels as a vector has. */
  readonly x: FeatureLayout;
  readonly y: FeatureLayout;
  readonly kernel: Pair;
  readonly params: Pick<Conv2dParams, 'stride' | 'padding'>;
  readonly images: number;
  /** Whether the gradient of the bias is computed too. */
  readonly bias: boolean;
}

/** The descriptors of a convolution's operands. */
interface Descs {
  readonly x: MemoryDesc;
  readonly y: MemoryDesc;
  /** `[C, 1, 1, kh, kw]` */
  readonly weights: MemoryDesc;
}

/**
 * `null` where there is no code: for this processor, another layout, a very wide window, or a bias whose
 * channels are no whole vectors.
 */
export function depthwiseSpec({ x, y, weights }: Descs, params: Conv2dParams, bias: boolean): DepthwiseSpec | null {
  const { dtype, shape } = x;
  if ((dtype !== 'float32' && dtype !== 'bfloat16') || y.dtype !== dtype) return null;
  const lanes = codeLanes(dtype);
  const [from, to] = lanes === null ? [null, null] : [featureLayoutOf(x, lanes), featureLayoutOf(y, lanes)];
  if (lanes === null || from === null || to === null || from.planes !== to.planes) return null;
  const [channels, , , height, width] = weights.shape;
  const isBlocked = from.channels === lanes && to.channels === lanes;
  const bytes = (from.planes / shape[0]) * height * width * lanes * float;
  const fits = weights.hasBlocks([{ axis: 0, size: lanes }]) && weights.dtype === 'float32' && weights.size === bytes;
  const isDepthwise = params.groups === channels && shape[1] === channels && params.dilation.every((n) => n === 1);
  if (!isBlocked || !fits || !isDepthwise || width + others > vectorRegisters[lanes]) return null;
  // The gradient of the bias is written in whole vectors, and has no places behind the last channel.
  if (bias && channels % lanes !== 0) return null;
  const { stride, padding } = params;
  return { x: from, y: to, kernel: [height, width], params: { stride, padding }, images: shape[0], bias };
}

/** Registers for a gradient, a feature and the gradient of the bias. */
const others = 3;

const [yAt, xAt, weightsAt, biasAt, rowCount, columnCount] = scratch;

const [gradientOf, inputOf, weightsOf, biasOf] = [0, 1, 2, 3];

/**
 * The gradient of the weights of a depthwise convolution. A vector of sums for each place of the window stays
 * in a register while the code goes through the pixels. Operands: gradient of the output, input, gradient of
 * the weights, and that of the bias if it is computed.
 */
export function depthwiseWeights({ x, y, kernel, params, images, bias }: DepthwiseSpec): KernelCode {
  const { lanes } = y;
  const [height, width] = kernel;
  const { stride, padding } = params;
  const rows = windowTaps(x.rows, y.rows, height, stride[0], padding[0]);
  const columns = windowTaps(x.columns, y.columns, width, stride[1], padding[2]);
  const vector = lanes * float;
  const [yPixel, xPixel] = [y, x].map((layout) => layout.channels * bytesOf(layout));
  const [yRow, xRow] = [y.columns * yPixel, x.columns * xPixel];
  // With few registers, some rows of the window after others.
  const rowsAtOnce = Math.min(height, Math.floor((vectorRegisters[lanes] - others) / width));
  const registers = new Registers(lanes);
  const sums = registers.vectors(rowsAtOnce * width);
  const [gradient, feature, biasSum] = registers.vectors(others);

  /** The third number of a task is the place of its channels among all. */
  const pointToGradients = (to: Assembler) => {
    loadOperand(to, biasAt, weightsOf);
    loadNumber(to, weightsAt, 2);
    to.multiplyBy(weightsAt, height * width);
    to.add(weightsAt, biasAt);
    if (bias) loadOperand(to, biasAt, biasOf, 2);
  };

  const advance = (to: Assembler, byY: number, byX: number) => {
    to.addConstant(yAt, byY);
    to.addConstant(xAt, byX);
  };

  /** The routine for all rows with the same windows, and the rows of the window from `first` on. */
  const routineFor = (to: Assembler, row: AxisTaps, first: number): Label => {
    const count = Math.min(rowsAtOnce, height - first) * width;
    const taps = row.filter(({ k }) => k >= first && k < first + rowsAtOnce);
    const [routine, nextRow] = [to.label(), to.label()];
    to.bind(routine);
    loadOperand(to, yAt, gradientOf, 0);
    loadOperand(to, xAt, inputOf, 1);
    pointToGradients(to);
    loadNumber(to, rowCount, 3);
    const addsBias = bias && first === 0;
    if (addsBias) to.vload(biasSum, at(biasAt));
    for (let i = 0; i < count; i++) to.vload(sums[i], at(weightsAt, (first * width + i) * vector));
    to.bind(nextRow);
    const moved = { y: 0, x: 0 };
    const pixel = (column: number) => {
      const isEmpty = taps.length === 0 || columns[column].length === 0;
      if (isEmpty && !addsBias) return;
      loadFeatures(to, y, gradient, at(yAt, column * yPixel - moved.y));
      if (addsBias) to.v('add', biasSum, biasSum, gradient);
      if (isEmpty) return;
      for (const { k, other } of taps) {
        for (const place of columns[column]) {
          const from = at(xAt, other * xRow + place.other * xPixel - moved.x);
          loadFeatures(to, x, feature, from);
          to.v('addMul', sums[(k - first) * width + place.k], gradient, feature);
        }
      }
    };
    for (const { start, block, count: times } of runsOf(columns, 1, stride[1])) {
      const before = { ...moved };
      const [byY, byX] = [block * yPixel, stride[1] * xPixel];
      to.repeat(columnCount, times, () => {
        for (let i = 0; i < block; i++) pixel(start + i);
        if (times > 1) advance(to, byY, byX);
      });
      if (times === 1) continue;
      moved.y = before.y + times * byY;
      moved.x = before.x + times * byX;
    }
    advance(to, yRow - moved.y, stride[0] * xRow - moved.x);
    to.decrement(rowCount);
    to.jump(nextRow, 'notZero');
    for (let i = 0; i < count; i++) to.vstore(at(weightsAt, (first * width + i) * vector), sums[i]);
    if (addsBias) to.vstore(at(biasAt), biasSum);
    to.ret();
    return routine;
  };

  const clear = (to: Assembler): Label => {
    const routine = to.label();
    to.bind(routine);
    pointToGradients(to);
    to.vzero(gradient);
    for (let i = 0; i < height * width; i++) to.vstore(at(weightsAt, i * vector), gradient);
    if (bias) to.vstore(at(biasAt), gradient);
    to.ret();
    return routine;
  };

  const blocks = y.planes / images;
  const perBlock = images * runsOf(rows, 1, stride[0]).length * Math.ceil(height / rowsAtOnce) + 1;
  // One thread adds up the sums of a block of channels, in a fixed order.
  return kernelCode(
    lanes,
    (to) => {
      const cleared = clear(to);
      const routines = runsOf(rows, 1, stride[0]).flatMap(({ start, count }) =>
        Array.from({ length: Math.ceil(height / rowsAtOnce) }, (_, i) => ({
          routine: routineFor(to, rows[start], i * rowsAtOnce),
          start,
          count,
        })),
      );
      const tasks: Task[] = [];
      for (let block = 0; block < blocks; block++) {
        const place = block * vector;
        tasks.push({ routine: cleared, numbers: [0, 0, place] });
        for (let image = 0; image < images; image++) {
          const plane = image * blocks + block;
          for (const { routine, start, count } of routines) {
            const [ofY, ofX] = [(plane * y.rows + start) * yRow, plane * x.rows * xRow];
            tasks.push({ routine, numbers: [ofY, ofX, place, count] });
          }
        }
      }
      return [tasks];
    },
    { together: perBlock },
  );
}
