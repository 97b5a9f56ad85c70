import type { Assembler, Integer, Pointer } from '../../kernels/assembler.js';
import { clearRow } from '../../kernels/rows.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { balanced, float } from '../../kernels/tile.js';
import type { GradientSizes } from './axis.js';
import { type ChannelVector, groupBytes, groupsOf, ofGroup } from './channels.js';
import { columnRuns, inRow, leftmost, widest } from './columns.js';

/** The gradient of the weights `[kh][kw][channels]` of a convolution of each channel by itself. */
export interface DepthwiseGradient extends GradientSizes {
  readonly channels: number;
}

/** Bytes of both operands that all vectors of a group go over: they stay in the second cache. */
const bytesPerBlock = 256 * 1024;

/** Gradients that are loaded at once. */
const mostPixels = 6;

/** Operands: input, gradient of the output, gradient of the weights. A task is a group of channels. */
export function depthwiseGradientKernel(shape: DepthwiseGradient): TaskKernel {
  const { images, channels, input, output, kernel, row } = shape;
  const pixelBytes = channels * float;
  const group = Math.min(channels, 16) * float;
  const fitting = Math.floor(bytesPerBlock / ((input[1] * row.stride + output[1]) * group));
  const rowsPerBlock = Math.max(1, Math.min(output[0], fitting));
  const blocks = Math.ceil(output[0] / rowsPerBlock);
  return {
    tasks: groupsOf(channels),
    scratch: 0,
    emit: (to, [x, dy, dw], first, end) => {
      to.range(first, end, (task) => {
        const [fromStart, dyStart, result] = [x, dy, dw].map((operand) => {
          const pointer = to.pointer(operand);
          to.advanceBy(pointer, task, groupBytes(to));
          return pointer;
        });
        ofGroup(to, channels, task, (vectors) => {
          const count = vectors.reduce((sum, { lanes }) => sum + lanes, 0);
          const cleared = to.pointer(result);
          to.repeat(kernel[0] * kernel[1], () => {
            clearRow(to, cleared, count);
            to.advance(cleared, pixelBytes);
          });
          to.repeat(images * blocks, (block) => {
            const image = to.quotient(block, blocks);
            const firstRow = to.times(to.remainder(block, blocks), rowsPerBlock);
            const endRow = to.least(to.plus(firstRow, rowsPerBlock), output[0]);
            const from = to.pointer(fromStart);
            to.advanceBy(from, image, input[0] * input[1] * pixelBytes);
            const gradients = to.pointer(dyStart);
            to.advanceBy(gradients, image, output[0] * output[1] * pixelBytes);
            to.advanceBy(gradients, firstRow, output[1] * pixelBytes);
            for (const vector of vectors) {
              for (let kh = 0; kh < row.taps; kh++) {
                const place = { x: from, dy: gradients, dw: result, firstRow, endRow };
                to.scope(() => rowOfWindow(to, shape, place, vector, kh));
              }
            }
          });
        });
      });
    },
  };
}

interface Place {
  /** The image. */
  readonly x: Pointer;
  /** The first row of gradients. */
  readonly dy: Pointer;
  readonly dw: Pointer;
  readonly firstRow: Integer;
  readonly endRow: Integer;
}

/** Adds the products of some rows to the gradients of one row of the window, for one vector of channels. */
function rowOfWindow(
  to: Assembler,
  { channels, kernel, input, output, row, col }: DepthwiseGradient,
  { x, dy, dw, firstRow, endRow }: Place,
  { bytes, lanes }: ChannelVector,
  kh: number,
): void {
  const pixelBytes = channels * float;
  const sums = Array.from({ length: col.taps }, () => to.zero());
  const gradients = to.pointer(dy);
  const runs = columnRuns(col, input[1]);
  to.range(firstRow, endRow, (turn) => {
    const place = to.plus(to.times(turn, row.stride), row.offset + kh * row.tapStep);
    to.ifLess(place, input[0], () => {
      const from = to.pointer(x, bytes);
      to.advanceBy(from, place, input[1] * pixelBytes);
      for (const { first, count, taps } of runs) {
        const [px, pdy] = [
          to.pointer(from, (first * col.stride + col.offset + leftmost(col, taps)) * pixelBytes),
          to.pointer(gradients, bytes + first * pixelBytes),
        ];
        for (const { size, times } of balanced(count, widest(to, col.taps, mostPixels))) {
          to.repeat(times, () => {
            const received = Array.from({ length: size }, (_, pixel) => to.loadPart(pdy, pixel * pixelBytes, lanes));
            for (const { place, uses } of inRow(size, col, taps)) {
              to.scope(() => {
                const value = to.loadPart(px, place * pixelBytes, lanes);
                for (const { pixel, tap } of uses) to.addProduct(sums[taps[tap]], value, received[pixel]);
              });
            }
            to.advance(px, size * col.stride * pixelBytes);
            to.advance(pdy, size * pixelBytes);
          });
        }
      }
    });
    to.advance(gradients, output[1] * pixelBytes);
  });
  sums.forEach((sum, tap) => {
    to.scope(() => {
      const at = bytes + (kh * kernel[1] + tap) * pixelBytes;
      to.storePart(to.apply('add', sum, to.loadPart(dw, at, lanes)), dw, at, lanes);
    });
  });
}
