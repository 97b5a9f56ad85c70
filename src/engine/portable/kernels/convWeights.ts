import type { Assembler, Emit, Integer, Pointer } from '../../kernels/assembler.js';
import { clearRow, padRows } from '../../kernels/rows.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { balanced, float, mostPixels, panelOf, panelVectors } from '../../kernels/tile.js';
import { type GradientSizes, reach } from './axis.js';

/** The gradient of a convolution's weights, in panels like those of the weights. */
export interface WeightGradient extends GradientSizes {
  readonly groups: number;
  /** Channels of one group. */
  readonly inChannels: number;
  readonly outChannels: number;
}

/** Bytes of input rows that all tasks go over before the next rows: they stay in the second cache. */
const bytesPerBlock = 128 * 1024;

/** Pixels whose products a sum in a register takes, at least, so that loading and storing it costs little. */
const leastPixels = 128;

/**
 * The kernel of a weight gradient. Operands: input, gradient of the output, gradient of the weights, working
 * memory if there is any. A task is one row of the window for one panel of output channels.
 */
export function weightGradientKernel(shape: WeightGradient): TaskKernel {
  const { images, groups, inChannels, outChannels, input, output, kernel, row, col } = shape;
  const [inC, outC] = [groups * inChannels, groups * outChannels];
  const [[top, last], [left, end]] = [reach([row]), reach([col])];
  const isPadded = top < 0 || left < 0 || last >= input[0] || end >= input[1];
  const before = isPadded ? Math.max(0, -left) : 0;
  const width = isPadded ? before + input[1] + Math.max(0, end - input[1] + 1) : input[1];
  const pitch = width * inC * float;
  const window = (row.taps - 1) * row.tapStep + 1;
  const fitting = Math.max(1, Math.floor((bytesPerBlock / pitch - window) / row.stride) + 1);
  const rowsPerBlock = Math.min(output[0], Math.max(fitting, Math.ceil(leastPixels / output[1])));
  const blocks = Math.ceil(output[0] / rowsPerBlock);
  const copied = (rowsPerBlock - 1) * row.stride + window;

  const emit: Emit = (to, [x, dy, dw, scratch], firstTask, endTask) => {
    const panel = panelOf(to);
    const panels = Math.ceil(outChannels / panel);
    const rowBytes = kernel[1] * inChannels * panel * float;
    to.range(firstTask, endTask, (task) => {
      const at = to.pointer(dw);
      to.advanceBy(at, task, rowBytes);
      clearRow(to, at, rowBytes / float);
    });
    to.repeat(images * blocks, (block) => {
      const image = to.quotient(block, blocks);
      const firstRow = to.times(to.remainder(block, blocks), rowsPerBlock);
      const source = to.pointer(x);
      to.advanceBy(source, image, input[0] * input[1] * inC * float);
      if (isPadded)
        padRows(to, scratch, source, to.plus(to.times(firstRow, row.stride), top), {
          rows: copied,
          height: input[0],
          before: before * inC,
          row: input[1] * inC,
          after: (width - before - input[1]) * inC,
        });
      else to.advanceBy(source, firstRow, row.stride * pitch);
      const gradient = to.pointer(dy);
      to.advanceBy(gradient, image, output[0] * output[1] * outC * float);
      to.advanceBy(gradient, firstRow, output[1] * outC * float);
      const endRow = to.least(to.plus(firstRow, rowsPerBlock), output[0]);
      to.range(firstTask, endTask, (task) => {
        // Tasks are ordered as the weights are: groups, panels, rows of the window.
        const kh = to.remainder(task, kernel[0]);
        const place = to.quotient(task, kernel[0]);
        const inPanel = to.remainder(place, panels);
        const group = to.quotient(place, panels);
        const from = to.pointer(isPadded ? scratch : source);
        to.advanceBy(from, kh, row.tapStep * pitch);
        to.advanceBy(from, group, inChannels * float);
        const above = to.pointer(gradient);
        to.advanceBy(above, group, outChannels * float);
        to.advanceBy(above, inPanel, panel * float);
        const target = to.pointer(dw);
        to.advanceBy(target, task, rowBytes);
        const of = { ...shape, pitch, firstRow, endRow };
        const tail = outChannels % panel;
        const panelOfChannels = (channels: number) => rowOfWindow(to, of, from, above, target, channels);
        if (tail === 0) panelOfChannels(panel);
        else
          to.ifLess(
            inPanel,
            panels - 1,
            () => panelOfChannels(panel),
            () => panelOfChannels(tail),
          );
      });
    });
  };
  // The number of panels depends on the lanes of the target: 4 in WebAssembly.
  const tasks = groups * Math.ceil(outChannels / panelOf({ lanes: 4 })) * kernel[0];
  return { emit, tasks, scratch: isPadded ? copied * pitch : 0, preparesMuch: true };
}

interface Block extends WeightGradient {
  readonly pitch: number;
  readonly firstRow: Integer;
  readonly endRow: Integer;
}

/** Adds to the gradients of one row of the window, for one panel of channels, what a block of rows gives. */
function rowOfWindow(to: Assembler, of: Block, x: Pointer, dy: Pointer, dw: Pointer, channels: number): void {
  const { groups, inChannels, col } = of;
  const inBytes = groups * inChannels * float;
  const panelBytes = panelOf(to) * float;
  // Neighbouring taps of a row are neighbours in the input.
  const joins = groups === 1 && col.tapStep === 1;
  const [times, run] = joins ? [1, col.taps * inChannels] : [col.taps, inChannels];
  to.scope(() => {
    const [from, at] = [to.pointer(x), to.pointer(dw)];
    to.repeat(times, () => {
      const inputs = to.pointer(from);
      for (const { size, times } of balanced(run, mostPixels(to))) {
        to.repeat(times, () => {
          tile(to, of, inputs, dy, at, size, channels);
          to.advance(inputs, size * float);
          to.advance(at, size * panelBytes);
        });
      }
      to.advance(from, col.tapStep * inBytes);
    });
  });
}

/** Pixels that a turn of the innermost loop takes. */
const mostUnrolled = 8;

function tile(to: Assembler, of: Block, x: Pointer, dy: Pointer, dw: Pointer, inputs: number, channels: number): void {
  const { groups, inChannels, outChannels, output, row, col, pitch, firstRow, endRow } = of;
  const { lanes } = to;
  const vectorBytes = lanes * float;
  const vectors = Math.ceil(channels / lanes);
  const pixelBytes = col.stride * groups * inChannels * float;
  const gradientBytes = groups * outChannels * float;
  const sums = Array.from({ length: inputs }, () => Array.from({ length: vectors }, () => to.zero()));
  const step = (px: Pointer, pdy: Pointer, pixel: number) =>
    to.scope(() => {
      const gradients = Array.from({ length: vectors }, (_, v) =>
        to.loadPart(pdy, pixel * gradientBytes + v * vectorBytes, Math.min(lanes, channels - v * lanes)),
      );
      sums.forEach((ofInput, i) => {
        to.scope(() => {
          const value = to.broadcast(px, pixel * pixelBytes + i * float);
          ofInput.forEach((sum, v) => {
            to.addProduct(sum, value, gradients[v]);
          });
        });
      });
    });
  const [fromRow, dyRow] = [to.pointer(x), to.pointer(dy)];
  to.range(firstRow, endRow, () => {
    const [px, pdy] = [to.pointer(fromRow), to.pointer(dyRow)];
    const unroll = to.keepsOrder ? Math.min(mostUnrolled, output[1]) : 1;
    const turns = Math.floor(output[1] / unroll);
    to.repeat(turns, () => {
      for (let pixel = 0; pixel < unroll; pixel++) step(px, pdy, pixel);
      to.advance(px, unroll * pixelBytes);
      to.advance(pdy, unroll * gradientBytes);
    });
    for (let pixel = 0; pixel < output[1] - turns * unroll; pixel++) step(px, pdy, pixel);
    to.advance(fromRow, row.stride * pitch);
    to.advance(dyRow, output[1] * gradientBytes);
  });
  sums.forEach((ofInput, i) => {
    ofInput.forEach((sum, v) => {
      to.scope(() => {
        const bytes = i * panelVectors * vectorBytes + v * vectorBytes;
        to.store(to.apply('add', sum, to.load(dw, bytes)), dw, bytes);
      });
    });
  });
}
